// swift-tools-version: 6.2
import PackageDescription

/// What every target is compiled with: the Swift 6 language mode, every unsafe expression marked, no warning let through.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A C library as the distribution ships it: a module map and a shim, no Swift.
func door(_ name: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
    .systemLibrary(
        name: name,
        path: "Sources/Doors/\(name)",
        pkgConfig: pkgConfig,
        providers: apt.map { [.apt([$0])] }
    )
}

/// A module of ours on one of the shelves below the executables.
func module(_ shelf: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(shelf)/\(name)", swiftSettings: strict)
}

/// A composition root.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies,
        path: "Sources/Executables/\(name)",
        swiftSettings: strict
    )
}

/// The tests of one module, or of one law.
func tests(
    _ shelf: String,
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: shelf.isEmpty ? "Tests/\(name)" : "Tests/\(shelf)/\(name)",
        exclude: exclude,
        swiftSettings: strict
    )
}

let doors: [Target] = [
    door("CLinux"),
    door("CNetfilter", pkgConfig: "libnftnl", apt: "libnftnl-dev"),
    door("COpenSSL", pkgConfig: "libssl", apt: "libssl-dev"),
    door("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
    door("CCares", pkgConfig: "libcares", apt: "libc-ares-dev"),
    door("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
    door("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    door("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    door("CBrotli", pkgConfig: "libbrotlidec", apt: "libbrotli-dev"),
]

let core: [Target] = [
    module("Core", "NetworkTypes"),
    module("Core", "SourceDocuments"),
    module("Core", "WireFormats", ["NetworkTypes"]),
    module("Core", "AgentProtocols", ["AuditTrail", "WireFormats"]),
    module("Core", "PolicyEngine", ["NetworkTypes", "SourceDocuments"]),
    module("Core", "AuditTrail", ["NetworkTypes"]),
    module("Core", "Credentials", ["AuditTrail", "PolicyEngine", "WireFormats"]),
    module("Core", "PolicyTrials", ["AuditTrail", "NetworkTypes", "PolicyEngine", "SourceDocuments"]),
    module("Core", "Telemetry"),
    module("Core", "Posture", ["AuditTrail", "WireFormats"]),
    module("Core", "PodInjection", ["NetworkTypes", "SourceDocuments"]),
]

let bindings: [Target] = [
    module("Bindings", "LinuxBindings", ["CLinux", "NetworkTypes"]),
    module("Bindings", "NetfilterBindings", ["CNetfilter", "NetworkTypes"]),
    module("Bindings", "OpenSSLBindings", ["COpenSSL", "NetworkTypes"]),
    module("Bindings", "YAMLBindings", ["CYAML", "SourceDocuments"]),
    module("Bindings", "CaresBindings", ["CCares", "NetworkTypes"]),
    module("Bindings", "SQLiteBindings", ["CSQLite"]),
    module("Bindings", "ZstdBindings", ["CZstd"]),
    module("Bindings", "ZlibBindings", ["CZlib"]),
    module("Bindings", "BrotliBindings", ["CBrotli"]),
]

let runtime: [Target] = [
    module("Runtime", "EventLoops", ["LinuxBindings", "NetworkTypes"]),
    module("Runtime", "NameResolution", ["CaresBindings", "EventLoops", "NetworkTypes"]),
    module(
        "Runtime",
        "AuditStore",
        ["AuditSigning", "AuditTrail", "EventLoops", "LinuxBindings", "OpenSSLBindings", "ZstdBindings"]
    ),
    module("Runtime", "AuditSigning", ["AuditTrail", "OpenSSLBindings"]),
    module(
        "Runtime",
        "AuditReading",
        ["AuditSigning", "AuditTrail", "LinuxBindings", "OpenSSLBindings", "ZstdBindings"]
    ),
    module(
        "Runtime",
        "AuditIndex",
        ["AuditReading", "AuditTrail", "LinuxBindings", "NetworkTypes", "OpenSSLBindings", "SQLiteBindings"]
    ),
    module("Runtime", "PolicyCounters", ["LinuxBindings", "SQLiteBindings"]),
    module(
        "Runtime",
        "Configuration",
        ["Credentials", "NetworkTypes", "PolicyEngine", "SourceDocuments", "YAMLBindings", "LinuxBindings"]
    ),
    module(
        "Runtime",
        "TrafficCapture",
        ["NetfilterBindings", "LinuxBindings", "NetworkTypes", "Posture", "SourceDocuments", "YAMLBindings"]
    ),
    module("Runtime", "ManifestInjection", ["PodInjection", "SourceDocuments", "YAMLBindings"]),
    module(
        "Runtime",
        "ContentInspection",
        ["BrotliBindings", "PolicyEngine", "WireFormats", "ZlibBindings", "ZstdBindings"]
    ),
    module(
        "Runtime",
        "TLSInterception",
        ["AuditTrail", "EventLoops", "LinuxBindings", "NetworkTypes", "OpenSSLBindings", "PolicyEngine", "Telemetry"]
    ),
]

let proxy: [Target] = [
    module("Proxy", "ByteRelay", ["LinuxBindings", "EventLoops"]),
    module(
        "Proxy",
        "HTTPExchange",
        [
            "ByteRelay", "AuditTrail", "ContentInspection", "WireFormats", "NetworkTypes", "LinuxBindings",
            "EventLoops",
        ]
    ),
    module(
        "Proxy",
        "ConnectionJourney",
        [
            "AgentProtocols", "ByteRelay", "ContentInspection", "Credentials", "HTTPExchange", "NetworkTypes",
            "WireFormats", "PolicyEngine", "AuditTrail", "Telemetry",
            "LinuxBindings", "EventLoops", "NameResolution", "AuditStore", "PolicyCounters", "OpenSSLBindings",
            "TLSInterception",
        ]
    ),
    module(
        "Proxy",
        "GovernanceAPI",
        [
            "ByteRelay", "HTTPExchange", "NetworkTypes", "WireFormats", "PolicyEngine", "AuditTrail", "LinuxBindings",
            "EventLoops", "AuditStore",
        ]
    ),
    module("Proxy", "OperatorEndpoints", ["NetworkTypes", "Posture", "Telemetry", "LinuxBindings", "EventLoops"]),
]

let programs: [Target] = [
    program(
        "PenstockInit",
        ["TrafficCapture", "NetworkTypes", "LinuxBindings", "Posture", "SourceDocuments", "Telemetry"]
    ),
    program(
        "PenstockDaemon",
        [
            "ConnectionJourney", "ContentInspection", "Credentials", "GovernanceAPI", "OperatorEndpoints",
            "Configuration", "AuditStore", "AuditTrail", "NameResolution",
            "EventLoops", "PolicyEngine", "Posture", "Telemetry", "NetworkTypes", "LinuxBindings", "WireFormats",
            "OpenSSLBindings",
            "SourceDocuments", "TLSInterception", "YAMLBindings", "PolicyCounters",
        ]
    ),
    program(
        "PenstockCommand",
        [
            "AuditIndex", "AuditReading", "AuditSigning", "AuditTrail", "Configuration", "PolicyEngine", "PolicyTrials",
            "NetworkTypes", "LinuxBindings", "ManifestInjection", "OpenSSLBindings", "PodInjection", "Posture",
            "SourceDocuments", "TLSInterception", "Telemetry", "TrafficCapture", "YAMLBindings",
        ]
    ),
]

let testTargets: [Target] = [
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .target(
        name: "PolicyReference",
        dependencies: ["PolicyEngine", "NetworkTypes", "TestSupport"],
        path: "Tests/PolicyReference",
        swiftSettings: strict
    ),
    tests("", "ArchitectureTests"),
    tests("", "NamespaceTests", ["TestSupport"]),
    tests("Core", "NetworkTypesTests", ["NetworkTypes"]),
    tests("Core", "WireFormatsTests", ["WireFormats", "NetworkTypes", "TestSupport"], exclude: ["Vectors"]),
    tests("Core", "AgentProtocolsTests", ["AgentProtocols", "AuditTrail", "WireFormats"]),
    tests(
        "Core",
        "PolicyEngineTests",
        ["PolicyEngine", "PolicyReference", "NetworkTypes", "SourceDocuments", "TestSupport", "YAMLBindings"]
    ),
    tests("Core", "PostureTests", ["Posture"]),
    tests("Core", "AuditTrailTests", ["AuditTrail", "NetworkTypes"]),
    tests("Core", "CredentialsTests", ["Credentials", "PolicyEngine", "WireFormats"]),
    tests("Core", "PolicyTrialsTests", ["AuditTrail", "NetworkTypes", "PolicyEngine", "PolicyTrials", "TestSupport"]),
    tests("Bindings", "LinuxBindingsTests", ["LinuxBindings", "NetworkTypes"]),
    tests("Bindings", "YAMLBindingsTests", ["YAMLBindings", "SourceDocuments"]),
    tests("Bindings", "SQLiteBindingsTests", ["SQLiteBindings"]),
    tests("Runtime", "NameResolutionTests", ["NameResolution", "CaresBindings", "NetworkTypes", "TestSupport"]),
    tests(
        "Runtime",
        "AuditStoreTests",
        [
            "AuditReading", "AuditStore", "AuditTrail", "EventLoops", "NetworkTypes", "LinuxBindings",
            "OpenSSLBindings", "TestSupport",
        ]
    ),
    tests(
        "Runtime",
        "AuditReadingTests",
        [
            "AuditReading", "AuditSigning", "AuditStore", "AuditTrail", "LinuxBindings", "OpenSSLBindings",
            "ZstdBindings",
        ]
    ),
    tests(
        "Runtime",
        "AuditIndexTests",
        [
            "AuditIndex", "AuditReading", "AuditStore", "AuditTrail", "LinuxBindings", "OpenSSLBindings",
            "SQLiteBindings",
        ]
    ),
    tests("Runtime", "PolicyCountersTests", ["PolicyCounters", "LinuxBindings", "SQLiteBindings"]),
    tests(
        "Runtime",
        "ConfigurationTests",
        ["Configuration", "Credentials", "NetworkTypes", "PolicyEngine", "SourceDocuments", "TestSupport"]
    ),
    tests(
        "Runtime",
        "TrafficCaptureTests",
        ["TrafficCapture", "NetworkTypes", "Posture", "SourceDocuments", "TestSupport"]
    ),
    tests(
        "Runtime",
        "ManifestInjectionTests",
        ["ManifestInjection", "PodInjection", "SourceDocuments", "TestSupport", "YAMLBindings"],
        exclude: ["Golden"]
    ),
    tests(
        "Runtime",
        "TLSInterceptionTests",
        [
            "EventLoops", "LinuxBindings", "NetworkTypes", "OpenSSLBindings", "PolicyEngine", "TLSInterception",
            "Telemetry",
        ]
    ),
    tests(
        "Runtime",
        "ContentInspectionTests",
        ["ContentInspection", "PolicyEngine", "TestSupport", "WireFormats"]
    ),
    tests("Runtime", "EventLoopsTests", ["EventLoops", "LinuxBindings", "NetworkTypes"]),
    tests(
        "Proxy",
        "HTTPExchangeTests",
        [
            "ByteRelay", "ContentInspection", "EventLoops", "HTTPExchange", "LinuxBindings", "PolicyEngine",
            "WireFormats",
        ]
    ),
    tests(
        "Proxy",
        "AnswerScrubbingTests",
        [
            "AuditTrail", "ByteRelay", "ConnectionJourney", "Credentials", "EventLoops", "HTTPExchange",
            "LinuxBindings",
            "NetworkTypes", "PolicyEngine", "WireFormats",
        ]
    ),
    tests(
        "Proxy",
        "GovernanceAPITests",
        [
            "GovernanceAPI", "HTTPExchange", "NetworkTypes", "PolicyEngine", "AuditTrail", "AuditStore", "EventLoops",
            "LinuxBindings", "SourceDocuments", "TestSupport", "WireFormats", "YAMLBindings",
        ]
    ),
    tests(
        "Executables",
        "CommandTests",
        [
            "PenstockCommand", "AuditSigning", "AuditStore", "AuditTrail", "LinuxBindings", "NetworkTypes",
            "OpenSSLBindings", "TLSInterception",
        ],
        exclude: ["Golden"]
    ),
]

let package = Package(
    name: "penstock",
    products: [
        .executable(name: "penstock-init", targets: ["PenstockInit"]),
        .executable(name: "penstockd", targets: ["PenstockDaemon"]),
        .executable(name: "penstock", targets: ["PenstockCommand"]),
    ],
    // An image is built without the tests' folders, which must then not be named.
    targets: doors + core + bindings + runtime + proxy + programs
        + (Context.environment["PROGRAMS_ONLY"] == nil ? testTargets : [])
)

// Fuzzers exist only when asked for: FUZZ=1 swift build --product FuzzOpening …
if Context.environment["FUZZ"] != nil {
    package.targets.append(.target(name: "FuzzDriver", path: "Tests/FuzzDriver", swiftSettings: strict))
    let wire: [Target.Dependency] = ["WireFormats"]
    let fuzzers: KeyValuePairs = [
        "FuzzOpening": wire, "FuzzJSON": wire, "FuzzRequest": wire, "FuzzResponse": wire, "FuzzRoundTrip": wire,
        "FuzzMCP": ["AgentProtocols", "WireFormats"], "FuzzInject": ["ManifestInjection", "PodInjection"],
        "FuzzWebSocket": wire, "FuzzEvents": wire, "FuzzSOCKS5": ["NetworkTypes", "WireFormats"],
        "FuzzContent": ["ContentInspection", "PolicyEngine", "WireFormats"],
    ]
    package.targets += fuzzers.map { name, dependencies in
        .executableTarget(
            name: name,
            dependencies: ["FuzzDriver"] + dependencies,
            path: "Tests/Fuzz/\(name)",
            exclude: ["Regressions"],
            swiftSettings: strict
        )
    }
    package.targets.append(
        .executableTarget(
            name: "FuzzPolicy",
            dependencies: ["FuzzDriver", "NetworkTypes", "PolicyEngine", "SourceDocuments", "YAMLBindings"],
            path: "Tests/Fuzz/FuzzPolicy",
            exclude: ["Regressions"],
            swiftSettings: strict
        )
    )
}

// Measurements exist only when asked for: MEASURE=1 swift build -c release --product MeasurePolicy
if Context.environment["MEASURE"] != nil {
    package.targets.append(
        .executableTarget(
            name: "MeasurePolicy",
            dependencies: [
                "NetworkTypes", "PolicyEngine", "PolicyReference", "SourceDocuments", "TestSupport", "YAMLBindings",
            ],
            path: "Tests/Measuring/MeasurePolicy",
            swiftSettings: strict
        )
    )
}

// Measuring programs, likewise: MEASURE=1 swift build -c release --product MeasureAudit
if Context.environment["MEASURE"] != nil {
    package.targets.append(
        .executableTarget(
            name: "MeasureAudit",
            dependencies: ["AuditStore", "AuditTrail"],
            path: "Tests/Measuring/AuditWriting",
            swiftSettings: strict
        )
    )
}
