import NetworkTypes
import PolicyEngine
import WireFormats

/// Where something is about to go, put together from all the places that may say so, none of which contradicts another.
struct CheckedDestination: Hashable {
    /// What a question names as its destination.
    enum Host: Hashable {
        case name(HostName)
        case address(IPAddress)
        case malformed(HostName.Malformed)
    }

    let host: Host
    let port: UInt16
    /// What will be spoken; nil where nobody said.
    let spoken: ApplicationProtocol?
    let method: RequestMethod?
    /// As it was given, without its query.
    let path: String?
    /// What follows the first `?` of the path; empty where there is none, nil where no path was given.
    let query: String?
    let hasQuery: Bool

    /// Reads what the question says; nil where the reader has noted something.
    init?(
        _ action: ActionTraffic,
        _ resource: [CheckReader.Found],
        _ sources: [CheckReader.Found],
        _ reader: inout CheckReader
    ) {
        var claims = DestinationClaims()
        switch action {
        case .any: break
        case .tls: claims.spoken = .init(value: .tls, name: "action")
        }
        if let found = resource.first, let text = reader.text(resource) { claims.readResource(text, found, &reader) }
        for source in sources { claims.read(source, &reader) }
        guard reader.faults.isEmpty else { return nil }
        guard let host = claims.host?.value else {
            reader.noteMissing([.name("body"), .name("context"), .name("host")])
            return nil
        }
        self.host = host
        spoken = claims.spoken?.value
        // What does not say otherwise is taken for HTTPS.
        port = claims.port?.value ?? (spoken == .http ? 80 : 443)
        method = claims.method?.value
        path = claims.path.map { String($0.value.prefix { $0 != "?" }) }
        query = claims.path.map { String($0.value.drop { $0 != "?" }.dropFirst()) }
        hasQuery = claims.path?.value.contains("?") ?? false
    }
}
