/// What we say to a proxy, so that it connects us to somebody: SOCKS 5, or HTTP CONNECT.
///
/// It sends nothing itself. Its driver sends `opening`, then lends it whatever comes, sends what it answers, and stops at
/// `open` or `refused`; how long all that may take is the driver's business.
package enum ProxyDialogue: Sendable {
    case socks5(SOCKS5Asking)
    case httpConnect(HTTPConnectAsking)

    /// The octets to be sent first.
    package var opening: [UInt8] {
        switch self {
        case .socks5(let asking): asking.opening
        case .httpConnect(let asking): asking.opening
        }
    }

    /// How many octets at most a driver has to hold until one of them is consumed.
    package var unreadLimit: Int {
        switch self {
        case .socks5(let asking): asking.unreadLimit
        case .httpConnect(let asking): asking.unreadLimit
        }
    }

    /// Reads what the proxy says, up to the next thing that has to be done.
    ///
    /// `bytes` begins with the first octet that was not consumed each time, and only grows until one is. What it throws and
    /// what it answers are the same for any way in which the same octets could have come; after a throw the connection must
    /// end.
    package mutating func read(_ bytes: Span<UInt8>) throws(ProxyDialogueViolation) -> ProxyDialogueStep {
        switch self {
        case .socks5(var asking):
            defer { self = .socks5(asking) }
            return try asking.read(bytes)
        case .httpConnect(var asking):
            defer { self = .httpConnect(asking) }
            return try asking.read(bytes)
        }
    }
}

/// What came of reading a proxy's octets.
package struct ProxyDialogueStep: Hashable, Sendable {
    /// How many of the octets are done with.
    package var consumed: Int
    package var next: Next

    /// What is to be done next.
    package enum Next: Hashable, Sendable {
        /// Wait for more octets.
        case needMore
        /// Send these, then read on: octets that are there already may be the answer.
        case send([UInt8])
        /// The proxy has connected: octets behind those that were consumed are the server's.
        case open
        /// The proxy has not connected, and will not.
        case refused(ProxyRefusal)
    }
}

/// How a proxy says that it does not connect.
package enum ProxyRefusal: Hashable, Sendable {
    /// A reply of SOCKS 5 that is not `succeeded`.
    case socks5(SOCKS5Reply)
    /// A reply of SOCKS 5 with a code that nobody has assigned.
    case unassignedReply(UInt8)
    /// It takes none of the ways to authenticate that were offered.
    case authenticationMethod
    /// It does not take user and password.
    case credentials
    /// An answer of HTTP that is not 2xx.
    case status(Int)
}

extension ProxyRefusal: CustomStringConvertible {
    /// A word for the record: `connection_refused`, `reply_9`, `http_407`.
    package var description: String {
        switch self {
        case .socks5(let reply): reply.text
        case .unassignedReply(let code): "reply_\(code)"
        case .authenticationMethod: "authentication_method"
        case .credentials: "credentials"
        case .status(let status): "http_\(status)"
        }
    }
}

/// Why a proxy's answer cannot be read.
package enum ProxyDialogueViolation: Error, Hashable, Sendable {
    case socks5(SOCKS5Violation)
    case http(HTTP1Violation)
    /// More heads of 1xx came before the answer than are read.
    case informationalTooMany
}

extension ProxyDialogueViolation: CustomStringConvertible {
    /// A word for the record.
    package var description: String {
        switch self {
        case .socks5(let violation): violation.rawValue
        case .http(let violation): violation.rawValue
        case .informationalTooMany: "informational_too_many"
        }
    }
}
