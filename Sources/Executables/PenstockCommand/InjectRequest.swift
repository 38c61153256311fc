import NetworkTypes
import PodInjection
import TLSInterception
import Telemetry
import TrafficCapture

/// What `penstock inject` is asked.
struct InjectRequest: Hashable {
    /// `-` is standard input.
    var file: String
    /// `nil` is standard output.
    var output: String?
    var action = Action.inject
    var isStrict: Bool
    var isJSON: Bool
    var options: InjectionOptions

    enum Action: Hashable {
        case inject
        case check
        case uninject
    }

    private static let forms: [Options.Form] = [
        .value("-f"), .value("--file"), .value("-o"), .value("--output"), .flag("--uninject"), .flag("--check"),
        .flag("--strict"), .flag("--json"), .value("--mode"), .value("--image"), .value("--pull-policy"),
        .value("--config"), .value("--policy"), .values("--inbound-port"), .values("--dns-server"),
        .value("--agent-user"), .value("--audit-claim"), .values("--request"), .values("--limit"),
        .values("--allow-host-path"), .values("--bypass-cidr"), .value("--api-port"), .value("--pull-secret"),
        .value("--secret"), .flag("--watch"), .flag("--intercept"),
    ]

    /// Reads the words after `inject`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let given = try Options(words, Self.forms, .inject)
        guard !given.wantsHelp else { return nil }
        try given.refuseOperands()
        guard let file = try Self.one(of: given, "-f", "--file") else { throw given.misuse("-f FILE is required") }
        self.file = file
        let output = try Self.one(of: given, "-o", "--output")
        self.output = output == "-" ? nil : output
        isStrict = given.has("--strict")
        isJSON = given.has("--json")
        options = try InjectionOptions(given)
        if given.has("--check") { action = .check }
        if given.has("--uninject") {
            guard action == .inject else { throw given.misuse("--check and --uninject do not go together") }
            action = .uninject
        }
        if action == .check, output != nil { throw given.misuse("--check writes nothing: leave out --output") }
    }

    private static func one(of given: Options, _ short: String, _ long: String) throws(Misuse) -> String? {
        guard let value = given.value(short) else { return given.value(long) }
        guard given.value(long) == nil else { throw given.misuse("\(short) and \(long) are the same") }
        return value
    }
}

extension InjectionOptions {
    fileprivate init(_ given: Options) throws(Misuse) {
        self.init(image: try given.word("--image") ?? "penstock:\(productVersion)")
        mode =
            try given.choice("--mode", Dictionary(uniqueKeysWithValues: Mode.allCases.map { ($0.rawValue, $0) }))
            ?? mode
        let policies = ["Always", "IfNotPresent", "Never"]
        pullPolicy =
            try given.choice("--pull-policy", Dictionary(uniqueKeysWithValues: policies.map { ($0, $0) })) ?? pullPolicy
        configuration = try given.objectName("--config") ?? configuration
        policy = try given.objectName("--policy") ?? policy
        isWatched = given.has("--watch")
        if given.has("--intercept") {
            trust = TrustVariable.all.map { variable in
                TrustSetting(name: variable.name, value: variable.value(folder: Self.trustFolder))
            }
        }
        auditClaim = try given.objectName("--audit-claim")
        secret = try given.objectName("--secret")
        for text in given.all("--inbound-port") {
            guard let port = Int(text), (1...65535).contains(port) else {
                throw given.misuse("--inbound-port '\(text)' is no port; write 1 to 65535")
            }
            inboundPorts.append(port)
        }
        for text in given.all("--dns-server") {
            guard let address = IPAddress(text) else { throw given.misuse("--dns-server '\(text)' is no IP address") }
            dnsServers.append(address.description)
        }
        for path in given.all("--allow-host-path") {
            guard path.hasPrefix("/") else { throw given.misuse("--allow-host-path '\(path)' does not begin with /") }
            allowedHostPaths.insert(path)
        }
        for text in given.all("--request") { try given.take(text, "--request", into: &requests) }
        for text in given.all("--limit") { try given.take(text, "--limit", into: &limits) }
        try judgeAmounts(given)
        if let text = given.value("--agent-user") { try take(user: text, given) }
        if let text = given.value("--api-port") {
            guard let port = Int(text), (1...65535).contains(port) else {
                throw given.misuse("--api-port '\(text)' is no port; write 1 to 65535")
            }
            apiPort = port
        }
        pullSecret = try given.objectName("--pull-secret")
        // It is named in the pod's annotation, where a dot goes one step down.
        if let pullSecret, pullSecret.contains(".") {
            throw given.misuse(
                "--pull-secret '\(pullSecret)' has a dot in it, which is not supported; name another Secret"
            )
        }
        bypasses = given.all("--bypass-cidr")
        try judgePlan(given)
    }

    /// What `penstock-init` would refuse in the pod is refused here.
    private func judgePlan(_ given: Options) throws(Misuse) {
        var settings = CaptureSettings()
        settings.ports.api = UInt16(clamping: apiPort)
        settings.inboundPorts = inboundPorts.map { UInt16(clamping: $0) }
        settings.resolvers = dnsServers.compactMap { IPAddress($0) }
        for text in bypasses {
            guard let bypass = Bypass(text) else {
                throw given.misuse("--bypass-cidr '\(text)' is none; write it like 10.0.0.0/8:5432 or [fd12::/32]:5432")
            }
            settings.bypasses.append(bypass)
        }
        do throws(PlanProblem) {
            _ = try CapturePlan(settings, systemResolvers: [])
        } catch {
            throw given.misuse("\(error)")
        }
    }

    /// The API server refuses a container that asks for more than it may use.
    private func judgeAmounts(_ given: Options) throws(Misuse) {
        for (name, request) in requests.sorted(by: { $0.key < $1.key }) {
            guard let limit = limits[name], amount(request) > amount(limit) else { continue }
            throw given.misuse(
                "the request \(name)=\(request) is above the limit \(name)=\(limit); give both, with --request and --limit"
            )
        }
    }

    /// How much an amount of Kubernetes' is, which has been looked at before.
    private func amount(_ text: String) -> Double {
        let number = text.prefix { $0.isNumber || $0 == "." }
        let suffix = text.dropFirst(number.count)
        // Divided, so that 700m is exactly what 0.7 is.
        if suffix == "m" { return (Double(number) ?? 0) / 1000 }
        let factors: [Substring: Double] = [
            "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30, "Ti": 0x1p40,
        ]
        return (Double(number) ?? 0) * (factors[suffix] ?? 1)
    }

    private mutating func take(user text: String, _ given: Options) throws(Misuse) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int($0) }
        let isWhole = numbers.count == parts.count && (1...2).contains(numbers.count)
        guard isWhole, numbers.allSatisfy({ (1..<Int(Int32.max)).contains($0) && $0 != Self.daemonUser }) else {
            throw given.misuse(
                "--agent-user '\(text)' is no user; write UID or UID:GID, numbers above 0, and not \(Self.daemonUser)"
            )
        }
        agentUser = numbers.first
        agentGroup = numbers.dropFirst().first
    }
}

extension Options {
    fileprivate func word(_ name: String) throws(Misuse) -> String? {
        guard let value = value(name) else { return nil }
        guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw misuse("\(name) '\(value)' has spaces or other characters that no name has")
        }
        return value
    }

    fileprivate func choice<Value>(_ name: String, _ values: [String: Value]) throws(Misuse) -> Value? {
        guard let text = value(name) else { return nil }
        guard let value = values[text] else {
            throw misuse("\(name) is '\(text)', expected \(values.keys.sorted().joined(separator: ", "))")
        }
        return value
    }

    /// The name of an object of Kubernetes: a subdomain (RFC 1123).
    fileprivate func objectName(_ name: String) throws(Misuse) -> String? {
        guard let value = value(name) else { return nil }
        let isName = !value.isEmpty && value.utf8.count <= 253 && !".-".utf8.contains(value.utf8.first ?? 0)
        let isPlain = value.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || ".-".utf8.contains(byte)
        }
        guard isName, isPlain else {
            throw misuse("\(name) '\(value)' is no name of an object; use lower case letters, digits, - and .")
        }
        return value
    }

    fileprivate func take(_ text: String, _ name: String, into amounts: inout [String: String]) throws(Misuse) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let isAmount = parts.count == 2 && parts[1].wholeMatch(of: /[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?/) != nil
        guard isAmount, parts[0].wholeMatch(of: /[a-z0-9.\/-]+/) != nil else {
            throw misuse("\(name) '\(text)' is no amount; write it like cpu=50m or memory=64Mi")
        }
        amounts[parts[0]] = parts[1]
    }
}
