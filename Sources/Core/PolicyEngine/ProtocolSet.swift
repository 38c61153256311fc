/// A set of protocols that is compared without hashing.
struct ProtocolSet: OptionSet, Sendable {
    let rawValue: UInt8

    static let tls = ProtocolSet(.tls)
    static let http = ProtocolSet(.http)
    static let h2c = ProtocolSet(.h2c)
    static let opaque = ProtocolSet(.opaque)
    static let all = ProtocolSet(ApplicationProtocol.allCases)

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    init(_ protocols: some Sequence<ApplicationProtocol>) {
        self.init(protocols.map(ProtocolSet.init(_:)))
    }

    init(_ one: ApplicationProtocol) {
        switch one {
        case .tls: rawValue = 1
        case .http: rawValue = 2
        case .h2c: rawValue = 4
        case .opaque: rawValue = 8
        }
    }
}
