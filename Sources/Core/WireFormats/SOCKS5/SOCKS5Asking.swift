/// Asks a SOCKS 5 server for a connection (RFC 1928; user and password by RFC 1929).
///
/// ```
/// greeted ──(method 0)───────────────────> asked ──(reply)──> over
///    └──(method 2)──> authenticating ──(0)───┘
/// ```
package struct SOCKS5Asking: Sendable {
    private let destination: ProxyDestination
    private let credentials: SOCKS5Credentials?
    private var state = State.greeted

    private enum State {
        case greeted
        case authenticating
        case asked
        case over(ProxyDialogueStep.Next)
    }

    /// Without credentials no authentication is offered; with them the server chooses whether it wants them.
    package init(to destination: ProxyDestination, credentials: SOCKS5Credentials? = nil) {
        self.destination = destination
        self.credentials = credentials
    }

    /// The greeting: the version, and the methods that are offered.
    package var opening: [UInt8] { credentials == nil ? [5, 1, 0] : [5, 2, 0, 2] }

    /// How many octets at most a driver has to hold until one of them is consumed.
    package var unreadLimit: Int { SOCKS5Frame.longest }

    /// Reads what the server says, as `ProxyDialogue.read` says.
    package mutating func read(_ bytes: Span<UInt8>) throws(ProxyDialogueViolation) -> ProxyDialogueStep {
        do throws(SOCKS5Violation) {
            switch state {
            case .greeted: return try readMethod(bytes)
            case .authenticating: return try readStatus(bytes)
            case .asked: return try readReply(bytes)
            case .over(let next): return ProxyDialogueStep(consumed: 0, next: next)
            }
        } catch {
            throw .socks5(error)
        }
    }

    /// Version and method (RFC 1928, section 3).
    private mutating func readMethod(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> ProxyDialogueStep {
        if bytes.count > 0, bytes[0] != 5 { throw .version }
        guard bytes.count > 1 else { return ProxyDialogueStep(consumed: 0, next: .needMore) }
        switch (bytes[1], credentials) {
        case (0, _): return ask(consuming: 2)
        case (2, let credentials?):
            state = .authenticating
            return ProxyDialogueStep(consumed: 2, next: .send(credentials.message))
        case (0xff, _): return finish(.refused(.authenticationMethod), consuming: 2)
        case (_, _): throw .methodNotOffered
        }
    }

    /// Version and status (RFC 1929, section 2).
    private mutating func readStatus(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> ProxyDialogueStep {
        if bytes.count > 0, bytes[0] != 1 { throw .credentialsVersion }
        guard bytes.count > 1 else { return ProxyDialogueStep(consumed: 0, next: .needMore) }
        return bytes[1] == 0 ? ask(consuming: 2) : finish(.refused(.credentials), consuming: 2)
    }

    /// Reads the reply; a refusal is one as soon as its code is there, since some servers say no more.
    private mutating func readReply(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> ProxyDialogueStep {
        if bytes.count > 0, bytes[0] != 5 { throw .version }
        if bytes.count > 1, bytes[1] != 0 {
            let refusal = SOCKS5Reply(rawValue: bytes[1]).map(ProxyRefusal.socks5) ?? .unassignedReply(bytes[1])
            return finish(.refused(refusal), consuming: 2)
        }
        guard let frame = try SOCKS5Frame.read(bytes) else { return ProxyDialogueStep(consumed: 0, next: .needMore) }
        // The address that the server bound says nothing that we need.
        return finish(.open, consuming: frame.end)
    }

    private mutating func ask(consuming count: Int) -> ProxyDialogueStep {
        state = .asked
        var request: [UInt8] = [5, SOCKS5Command.connect.rawValue, 0]
        request.append(socks5: destination)
        return ProxyDialogueStep(consumed: count, next: .send(request))
    }

    private mutating func finish(_ next: ProxyDialogueStep.Next, consuming count: Int) -> ProxyDialogueStep {
        state = .over(next)
        return ProxyDialogueStep(consumed: count, next: next)
    }
}

/// User and password for a SOCKS 5 server (RFC 1929).
///
/// They are secrets: it never prints.
package struct SOCKS5Credentials: Hashable, Sendable {
    /// Version, user, password: what is sent.
    let message: [UInt8]

    /// - Returns: `nil` where one of the two is empty or over 255 octets, which the protocol cannot say.
    package init?(user: [UInt8], password: [UInt8]) {
        guard let userCount = UInt8(exactly: user.count), let passwordCount = UInt8(exactly: password.count),
            userCount > 0, passwordCount > 0
        else { return nil }
        message = [1, userCount] + user + [passwordCount] + password
    }
}

extension SOCKS5Credentials: CustomStringConvertible, CustomReflectable {
    package var description: String { "(credentials)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
