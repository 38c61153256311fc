import NetworkTypes
import PolicyEngine
import SourceDocuments

/// What `penstock policy explain` is asked.
struct ExplainRequest: Hashable {
    var policy: String
    /// Where the kernel would say that the connection goes; `nil` where no address is known.
    var original: IPAddress?
    /// The name that the client says, as it was typed; it may be malformed.
    var name: String?
    var port: UInt16
    var spoken: ApplicationProtocol
    var uid: UInt32?
    /// What is said in a plain HTTP request; `nil` for what was not given.
    var method: RequestMethod?
    /// As it was typed; it may be ambiguous.
    var path: String?
    var headers: [RequestField]?
    /// What the name resolves to; `nil` where nobody said.
    var addresses: [IPAddress]?

    /// Reads the words after `policy explain`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, Self.forms, .explain)
        guard !options.wantsHelp else { return nil }
        guard let policy = options.operands.first else { throw options.misuse("a policy file or directory is needed") }
        try options.refuseOperands(after: 1)
        self.policy = policy
        let host = try options.required("--host", "HOST")
        port = try Self.port(options)
        spoken = try Self.spoken(options)
        uid = try Self.uid(options)
        addresses = try Self.addresses(options)
        method = try Self.method(options)
        path = try Self.path(options)
        headers = try Self.headers(options)
        let sni = options.value("--sni")
        if let address = Self.address(host) {
            original = address
            name = sni
        } else {
            guard sni == nil else {
                throw options.misuse(
                    "--sni goes with --host ADDRESS; where --host is a name, the client says that name"
                )
            }
            original = addresses?.first
            name = host
        }
        try refuseUnreadableName(options)
        try refuseUnreadableRequest(options)
    }

    private static let forms: [Options.Form] = [
        .value("--host"), .value("--port"), .value("--sni"), .value("--uid"), .value("--protocol"), .values("--addr"),
        .value("--method"), .value("--path"), .values("--header"),
    ]

    /// What carries no name is judged by its address alone, so that one is needed.
    private func refuseUnreadableName(_ options: Options) throws(Misuse) {
        switch spoken {
        case .tls: return
        case .http:
            guard options.value("--sni") == nil else { throw options.misuse("--sni is said in TLS only") }
        case .h2c, .opaque:
            guard options.value("--sni") == nil else { throw options.misuse("--sni is said in TLS only") }
            guard original != nil else {
                throw options.misuse("\(spoken.rawValue) carries no name to judge by: give --host ADDRESS, or --addr")
            }
        }
    }

    private static func port(_ options: Options) throws(Misuse) -> UInt16 {
        let text = try options.required("--port", "PORT")
        guard let port = portNumber(text), port > 0 else {
            throw options.misuse("--port '\(text)' is no port; write 1 to 65535")
        }
        return port
    }

    private static func spoken(_ options: Options) throws(Misuse) -> ApplicationProtocol {
        guard let text = options.value("--protocol") else { return .tls }
        guard let spoken = ApplicationProtocol(rawValue: text) else {
            throw Misuse(unknown: "protocol", text, among: ApplicationProtocol.allCases.map(\.rawValue), .explain)
        }
        return spoken
    }

    private static func uid(_ options: Options) throws(Misuse) -> UInt32? {
        guard let text = options.value("--uid") else { return nil }
        guard let uid = UInt32(text), uid < .max, text.allSatisfy(\.isNumber) else {
            throw options.misuse("--uid '\(text)' is no user number; write 0 to 4294967294")
        }
        return uid
    }

    private static func addresses(_ options: Options) throws(Misuse) -> [IPAddress]? {
        guard options.has("--addr") else { return nil }
        var addresses: [IPAddress] = []
        for text in options.all("--addr") {
            guard let address = address(text) else {
                throw options.misuse("--addr '\(text)' is no IP address; nothing is looked up here")
            }
            addresses.append(address)
        }
        return addresses
    }

    /// An address, an IPv6 one with brackets or without.
    private static func address(_ text: String) -> IPAddress? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return IPAddress(text) }
        return IPv6Address(text.dropFirst().dropLast()).map(IPAddress.v6)
    }
}
