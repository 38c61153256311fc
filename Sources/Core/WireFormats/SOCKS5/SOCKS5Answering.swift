import NetworkTypes

/// Answers a SOCKS 5 client up to its request, and reads that (RFC 1928; RFC 1929).
///
/// ```
/// greeting ──(no authentication)─────────────────> request ──> over
///    └──(user and password alone)──> credentials ────┘
/// ```
///
/// Who asks is known from the kernel, so nobody has to authenticate. Clients that are told a user in the proxy's URL may offer
/// nothing else: they are let through whatever they say, and what they say is not kept.
package struct SOCKS5Answering: Sendable {
    private var state = State.greeting

    private enum State {
        case greeting
        case credentials
        case request
        case over(SOCKS5AnsweringStep.Next)
    }

    package init() {}

    /// How many octets at most of one message have to be held until they are consumed: user and password of 255 each.
    package static let unreadLimit = 2 + 255 + 1 + 255

    /// Reads what the client says, up to the next thing that has to be done.
    ///
    /// `bytes` begins with the first octet that was not consumed each time, and only grows until one is; octets behind the
    /// request are left to whoever goes on. What it throws and what it answers are the same for any way in which the same
    /// octets could have come; after a throw the connection must end.
    package mutating func read(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> SOCKS5AnsweringStep {
        switch state {
        case .greeting: try readGreeting(bytes)
        case .credentials: try readCredentials(bytes)
        case .request: try readRequest(bytes)
        case .over(let next): SOCKS5AnsweringStep(consumed: 0, next: next)
        }
    }

    /// Version, count, methods (RFC 1928, section 3).
    private mutating func readGreeting(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> SOCKS5AnsweringStep {
        if bytes.count > 0, bytes[0] != 5 { throw .version }
        guard bytes.count > 1 else { return .needMore }
        let end = 2 + Int(bytes[1])
        guard end > 2 else { throw .methods }
        guard bytes.count >= end else { return .needMore }
        var offered: Set<UInt8> = []
        for index in 2..<end { offered.insert(bytes[index]) }
        guard !offered.contains(0xff) else { throw .methods }
        if offered.contains(0) {
            state = .request
            return SOCKS5AnsweringStep(consumed: end, next: .send([5, 0]))
        }
        guard offered.contains(2) else { return finish(.noMethod, consuming: end) }
        state = .credentials
        return SOCKS5AnsweringStep(consumed: end, next: .send([5, 2]))
    }

    /// Version, user, password, each text behind its length (RFC 1929, section 2); an empty one is no matter.
    private mutating func readCredentials(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> SOCKS5AnsweringStep {
        if bytes.count > 0, bytes[0] != 1 { throw .credentialsVersion }
        guard bytes.count > 1 else { return .needMore }
        let passwordLength = 2 + Int(bytes[1])
        guard bytes.count > passwordLength else { return .needMore }
        let end = passwordLength + 1 + Int(bytes[passwordLength])
        guard bytes.count >= end else { return .needMore }
        state = .request
        return SOCKS5AnsweringStep(consumed: end, next: .send([1, 0]))
    }

    private mutating func readRequest(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> SOCKS5AnsweringStep {
        guard let frame = try SOCKS5Frame.read(bytes) else { return .needMore }
        return finish(.request(SOCKS5Request(frame, in: bytes)), consuming: frame.end)
    }

    private mutating func finish(_ next: SOCKS5AnsweringStep.Next, consuming count: Int) -> SOCKS5AnsweringStep {
        state = .over(next)
        return SOCKS5AnsweringStep(consumed: count, next: next)
    }
}

/// What came of reading a SOCKS 5 client's octets.
package struct SOCKS5AnsweringStep: Hashable, Sendable {
    /// How many of the octets are done with.
    package var consumed: Int
    package var next: Next

    /// What is to be done next.
    package enum Next: Hashable, Sendable {
        /// Wait for more octets.
        case needMore
        /// Send these, then read on: octets that are there already may be the next message.
        case send([UInt8])
        /// The request is whole; a `SOCKS5Reply` answers it.
        case request(SOCKS5Request)
        /// The client offers no method that is taken here; `SOCKS5Reply.noMethod` tells it.
        case noMethod
    }

    static var needMore: SOCKS5AnsweringStep { SOCKS5AnsweringStep(consumed: 0, next: .needMore) }
}

/// What a SOCKS 5 client asks for (RFC 1928, section 4).
package struct SOCKS5Request: Hashable, Sendable {
    /// The command as sent.
    package let commandCode: UInt8
    package let host: Host
    package let port: UInt16

    /// Whom it is for.
    package enum Host: Hashable, Sendable {
        case name(HostName)
        /// An address in octets, or a name that is the one usual text of an address: some clients send nothing but names.
        case address(IPAddress)
        /// No host name; an address in any other text among them.
        case malformed(HostName.Malformed)
    }

    /// `nil` where nobody has assigned the command.
    package var command: SOCKS5Command? { SOCKS5Command(rawValue: commandCode) }
}

extension SOCKS5Request {
    init(_ frame: SOCKS5Frame, in bytes: Span<UInt8>) {
        commandCode = frame.code
        port = frame.port
        let octets = array(of: bytes.extracting(frame.address))
        switch frame.addressType {
        case .name: host = Host(name: octets)
        case .ipv4: host = .address(.v4(IPv4Address(octets[0], octets[1], octets[2], octets[3])))
        case .ipv6: host = IPv6Address(octets: octets).map { .address(.v6($0)) } ?? .malformed(.empty)
        }
    }
}

extension SOCKS5Request.Host {
    fileprivate init(name octets: [UInt8]) {
        do throws(HostName.Malformed) {
            self = .name(try HostName(octets: octets))
        } catch {
            let address = error == .addressLiteral ? IPAddress(String(decoding: octets, as: UTF8.self)) : nil
            self = address.map { .address($0) } ?? .malformed(error)
        }
    }
}
