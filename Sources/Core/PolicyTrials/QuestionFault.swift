import NetworkTypes
import PolicyEngine

/// Why facts do not go together.
package enum QuestionFault: Error, Hashable, Sendable {
    /// Where the host is a name, the client says that one.
    case nameBesideHost
    case nameOutsideTLS
    /// Nothing but an address could be judged, and none is given.
    case needsAddress(ApplicationProtocol)
    /// Only what is said in HTTP can be read.
    case requestOutsideHTTP(key: String)
    /// Only who ends TLS reads the requests inside.
    case requestInsideTLS(key: String)
}

extension QuestionFault {
    /// The fact that does not fit, as cases write it.
    package var key: String {
        switch self {
        case .nameBesideHost, .nameOutsideTLS: "sni"
        case .needsAddress: "protocol"
        case .requestOutsideHTTP(let key), .requestInsideTLS(let key): key
        }
    }

    /// What is wrong, for somebody who writes facts with this in front of their names.
    package func explanation(_ mark: String) -> String {
        switch self {
        case .nameBesideHost:
            "\(mark)sni goes with \(mark)host ADDRESS; where \(mark)host is a name, the client says that name"
        case .nameOutsideTLS: "\(mark)sni is said in TLS only"
        case .needsAddress(let spoken):
            "\(spoken.rawValue) carries no name to judge by: give \(mark)host ADDRESS, or \(mark)addr"
        case .requestOutsideHTTP(let key): "\(mark)\(key) goes with \(mark)protocol http, or tls"
        case .requestInsideTLS(let key):
            "\(mark)\(key) inside TLS is read only by a daemon with `interception.authority`: add --intercept, or say "
                + "\(mark)protocol http"
        }
    }
}

extension Question {
    /// Takes where it goes: a name, or an address and perhaps a name that is said there; and sees that all of it goes together.
    ///
    /// - Parameters:
    ///   - host: a name, or an address.
    ///   - sni: the name that is said at an address; `nil` where none is.
    ///   - canIntercept: whether what is inside TLS can be read.
    /// - Throws: what does not go together.
    package mutating func aim(at host: String, sni: String?, canIntercept: Bool) throws(QuestionFault) {
        if let address = IPAddress(literal: host) {
            original = address
            name = sni
        } else {
            guard sni == nil else { throw .nameBesideHost }
            original = addresses?.first
            name = host
        }
        try refuseUnreadableName(sni)
        guard let key = requestKey else { return }
        switch speech {
        case .known(.http): return
        case .known(.tls):
            guard canIntercept else { throw .requestInsideTLS(key: key) }
            isInsideTLS = true
        case .known(.h2c), .known(.opaque), .silent, .asked: throw .requestOutsideHTTP(key: key)
        }
    }

    /// The first fact that is about a request; `nil` where there is none.
    private var requestKey: String? {
        if method != nil { return "method" }
        if path != nil { return "path" }
        if query != nil { return "query" }
        if calls != nil { return "call" }
        return headers == nil ? nil : "header"
    }

    /// What carries no name is judged by its address alone, so that one is needed.
    private func refuseUnreadableName(_ sni: String?) throws(QuestionFault) {
        switch speech {
        case .known(.tls), .silent, .asked: return
        case .known(.http): if sni != nil { throw .nameOutsideTLS }
        case .known(let spoken):
            if sni != nil { throw .nameOutsideTLS }
            guard original != nil else { throw .needsAddress(spoken) }
        }
    }
}

extension IPAddress {
    /// Reads an address, an IPv6 one with brackets or without.
    package init?(literal text: String) {
        if text.hasPrefix("["), text.hasSuffix("]") {
            guard let address = IPv6Address(text.dropFirst().dropLast()) else { return nil }
            self = .v6(address)
        } else {
            self.init(text)
        }
    }
}
