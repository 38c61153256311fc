import Testing

/// The module graph, as law: a module imports what its row names, and nothing else of ours.
///
/// A new target needs a row here; whoever adds an edge has to say so in this table.
private let allowed: [String: Set<String>] = [
    // Doors.
    "CLinux": [], "CNetfilter": [], "COpenSSL": [], "CYAML": [], "CCares": [], "CSQLite": [], "CZstd": [],
    "CZlib": [], "CBrotli": [],
    // Core.
    "NetworkTypes": [],
    "SourceDocuments": [],
    "WireFormats": ["NetworkTypes"],
    "AgentProtocols": ["AuditTrail", "WireFormats"],
    "PolicyEngine": ["NetworkTypes", "SourceDocuments"],
    "AuditTrail": ["NetworkTypes"],
    "Credentials": ["AuditTrail", "PolicyEngine", "WireFormats"],
    "PolicyTrials": ["AuditTrail", "NetworkTypes", "PolicyEngine", "SourceDocuments"],
    "Telemetry": [],
    "Posture": ["AuditTrail", "WireFormats"],
    "PodInjection": ["NetworkTypes", "SourceDocuments"],
    // Bindings: each its own door.
    "LinuxBindings": ["CLinux", "NetworkTypes"],
    "NetfilterBindings": ["CNetfilter", "NetworkTypes"],
    "OpenSSLBindings": ["COpenSSL", "NetworkTypes"],
    "YAMLBindings": ["CYAML", "SourceDocuments"],
    "CaresBindings": ["CCares", "NetworkTypes"],
    "SQLiteBindings": ["CSQLite"],
    "ZstdBindings": ["CZstd"],
    "ZlibBindings": ["CZlib"],
    "BrotliBindings": ["CBrotli"],
    // Runtime.
    "EventLoops": ["LinuxBindings", "NetworkTypes"],
    "NameResolution": ["CaresBindings", "EventLoops", "NetworkTypes"],
    "AuditStore": [
        "AuditSigning", "AuditTrail", "EventLoops", "LinuxBindings", "OpenSSLBindings", "ZstdBindings",
    ],
    "AuditSigning": ["AuditTrail", "OpenSSLBindings"],
    "AuditIndex": [
        "AuditReading", "AuditTrail", "LinuxBindings", "NetworkTypes", "OpenSSLBindings", "SQLiteBindings",
    ],
    "AuditReading": ["AuditSigning", "AuditTrail", "LinuxBindings", "OpenSSLBindings", "ZstdBindings"],
    "PolicyCounters": ["LinuxBindings", "SQLiteBindings"],
    "Configuration": [
        "Credentials", "NetworkTypes", "PolicyEngine", "SourceDocuments", "YAMLBindings", "LinuxBindings",
    ],
    "TrafficCapture": [
        "NetfilterBindings", "LinuxBindings", "NetworkTypes", "Posture", "SourceDocuments", "YAMLBindings",
    ],
    "ManifestInjection": ["PodInjection", "SourceDocuments", "YAMLBindings"],
    "ContentInspection": ["BrotliBindings", "PolicyEngine", "WireFormats", "ZlibBindings", "ZstdBindings"],
    "TLSInterception": [
        "AuditTrail", "EventLoops", "LinuxBindings", "NetworkTypes", "OpenSSLBindings", "PolicyEngine", "Telemetry",
    ],
    // Proxy.
    "ByteRelay": ["LinuxBindings", "EventLoops"],
    "HTTPExchange": [
        "ByteRelay", "AuditTrail", "ContentInspection", "WireFormats", "NetworkTypes", "LinuxBindings", "EventLoops",
    ],
    "ConnectionJourney": [
        "AgentProtocols",
        "ByteRelay", "ContentInspection", "Credentials", "HTTPExchange", "NetworkTypes", "WireFormats", "PolicyEngine",
        "AuditTrail",
        "Telemetry",
        "LinuxBindings", "EventLoops",
        "NameResolution", "AuditStore", "PolicyCounters", "OpenSSLBindings", "TLSInterception",
    ],
    "GovernanceAPI": [
        "ByteRelay", "HTTPExchange", "NetworkTypes", "WireFormats", "PolicyEngine", "AuditTrail", "LinuxBindings",
        "EventLoops", "AuditStore",
    ],
    "OperatorEndpoints": ["NetworkTypes", "Posture", "Telemetry", "LinuxBindings", "EventLoops"],
    // Executables. The capture program knows nothing of TLS.
    "PenstockInit": ["TrafficCapture", "NetworkTypes", "LinuxBindings", "Posture", "SourceDocuments", "Telemetry"],
    "PenstockDaemon": [
        "ConnectionJourney", "ContentInspection", "Credentials", "GovernanceAPI", "OperatorEndpoints",
        "Configuration", "AuditStore", "AuditTrail", "NameResolution",
        "EventLoops", "PolicyEngine", "Posture", "Telemetry", "NetworkTypes", "LinuxBindings", "OpenSSLBindings",
        "WireFormats",
        "SourceDocuments", "TLSInterception", "YAMLBindings", "PolicyCounters",
    ],
    "PenstockCommand": [
        "AuditIndex", "AuditReading", "AuditSigning", "AuditTrail", "Configuration", "PolicyEngine", "PolicyTrials",
        "NetworkTypes", "LinuxBindings", "ManifestInjection", "OpenSSLBindings", "PodInjection", "Posture",
        "SourceDocuments", "TLSInterception", "Telemetry", "TrafficCapture", "YAMLBindings",
    ],
]

/// Modules from outside that need no row: the language's own.
private let ofTheLanguage: Set<String> = ["Synchronization", "_Concurrency"]

/// Shelf below shelf: who may import from whom.
///
/// Core is reached from everywhere above the doors.
private let shelvesBelow: [String: Set<String>] = [
    "Doors": [],
    "Core": ["Core"],
    "Bindings": ["Doors", "Core"],
    "Runtime": ["Runtime", "Bindings", "Core"],
    "Proxy": ["Proxy", "Runtime", "Bindings", "Core"],
    "Executables": ["Proxy", "Runtime", "Bindings", "Core"],
]

@Suite("Law 1, 2 and 6: who may import whom")
struct ModuleGraphTests {
    static let shelfOf: [String: String] = {
        var shelves = Dictionary(
            SourceTree.files.map { ($0.module, $0.shelf) },
            uniquingKeysWith: { first, _ in first }
        )
        for door in allowed.keys where door.wholeMatch(of: /C[A-Z].*/) != nil && shelves[door] == nil {
            shelves[door] = "Doors"
        }
        return shelves
    }()

    @Test("every target of Package.swift under Sources has a row, and every row a target")
    func rowsAreTargets() throws {
        let manifest = try SourceTree.text(of: "Package.swift")
        let doors = manifest.matches(of: /\bdoor\(\s*"(\w+)"/).map { String($0.1) }
        let modules = manifest.matches(of: /\bmodule\(\s*"\w+",\s*"(\w+)"/).map { String($0.1) }
        let programs = manifest.matches(of: /\bprogram\(\s*"(\w+)"/).map { String($0.1) }
        #expect(Set(doors + modules + programs) == Set(allowed.keys))
    }

    @Test("every folder under Sources is a row's", arguments: SourceTree.files)
    func filesBelongToARow(file: SourceFile) {
        #expect(allowed[file.module] != nil, "\(file.path) belongs to no target")
    }

    @Test("a module imports what its row names", arguments: SourceTree.files)
    func importsWhatItsRowNames(file: SourceFile) {
        let forbidden = file.imports.filter { allowed[$0] != nil && allowed[file.module]?.contains($0) != true }
        #expect(forbidden.isEmpty, "\(file.path): \(file.module) must not import \(forbidden)")
    }

    @Test("rows follow the shelves", arguments: allowed.keys.sorted())
    func rowsFollowTheShelves(module: String) throws {
        let shelf = try #require(Self.shelfOf[module])
        for imported in try #require(allowed[module]) {
            let other = try #require(Self.shelfOf[imported])
            #expect(shelvesBelow[shelf]?.contains(other) == true, "\(module) (\(shelf)) imports \(imported) (\(other))")
        }
    }

    @Test("only a binding imports C: its door, or Glibc", arguments: SourceTree.files)
    func onlyBindingsImportC(file: SourceFile) {
        let fromOutside = file.imports.filter { allowed[$0] == nil && !ofTheLanguage.contains($0) }
        #expect(fromOutside.allSatisfy { $0 == "Glibc" && file.shelf == "Bindings" }, "\(file.path): \(fromOutside)")
    }

    @Test("the governance API and the journey do not know each other")
    func apiAndJourneyAreStrangers() {
        for (module, stranger) in [("GovernanceAPI", "ConnectionJourney"), ("ConnectionJourney", "GovernanceAPI")] {
            #expect(allowed[module]?.contains(stranger) != true)
            let importing = SourceTree.files(in: module).filter { $0.imports.contains(stranger) }.map(\.path)
            #expect(importing.isEmpty, "\(importing)")
        }
    }

    @Test(
        "an import is seen in every way of writing it",
        arguments: [
            "import Foundation", "@testable import Foundation", "package import Foundation", "  import Foundation",
            "@_exported public import Foundation", "import struct Foundation.URL", "internal import Foundation // why",
        ]
    )
    func importsAreSeen(line: String) {
        #expect(SourceFile(path: "Core/X/X.swift", text: line).imports == ["Foundation"])
    }
}
