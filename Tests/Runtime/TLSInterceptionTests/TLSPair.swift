import EventLoops
import Glibc
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Testing

/// A client and a server on the two ends of a socket pair, neither of which blocks.
final class TLSPair {
    let client: TLSSession
    let server: TLSSession
    private var ends: [Int32]

    init(
        _ authority: TestAuthority,
        name: String = "api.example",
        certifiedFor certified: String = "api.example",
        notAfter: Int64 = TestAuthority.now + 3600,
        trusting roots: [Certificate]? = nil,
        serving: TLSServerContext,
        scope: [UInt8] = [1],
        ticket: TLSTicket? = nil
    ) throws {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        self.ends = ends
        let leafKey = try P256PrivateKey()
        let leaf = try authority.leaf(certified, notAfter: notAfter, key: leafKey)
        server = try TLSSession(
            serving: serving,
            showing: leaf,
            key: leafKey,
            scope: scope,
            socket: ends[0],
            sending: SocketOutlet(number: ends[0]),
            unread: []
        )
        client = try TLSSession(
            asking: try TLSClientContext(trusting: roots ?? [authority.root]),
            .host(try HostName(name)),
            oldest: .tls12,
            identity: nil,
            ticket: ticket,
            socket: ends[1],
            sending: SocketOutlet(number: ends[1])
        )
    }

    deinit { for end in ends { close(end) } }

    /// Lets both speak until both are done, or one has failed.
    func shakeHands() -> (client: TLSProgress, server: TLSProgress) {
        var progress = (client: TLSProgress.waiting, server: TLSProgress.waiting)
        for _ in 0..<10 {
            if progress.client == .waiting { progress.client = step(client) }
            if progress.server == .waiting { progress.server = step(server) }
        }
        return progress
    }

    private func step(_ session: TLSSession) -> TLSProgress {
        session.becomesReadable(isEnding: false)
        return session.shakeHands()
    }

    /// Hands over the descriptor of the client's end.
    func takeClientEnd() -> Int32 { ends.removeLast() }

    /// Takes what the client has written off the wire.
    func takeFromWire() -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: 65536)
        let count = unsafe octets.withUnsafeMutableBytes { unsafe recv(ends[0], $0.baseAddress, $0.count, 0) }
        return Array(octets.prefix(max(0, count)))
    }

    /// Puts octets on the wire to the server.
    func putOnWire(_ octets: some Collection<UInt8>) {
        let octets = Array(octets)
        _ = unsafe octets.withUnsafeBytes { unsafe Glibc.send(ends[1], $0.baseAddress, $0.count, 0) }
    }

    /// Closes the server's end; what it has sent can be read.
    ///
    /// A program that another test starts just then has a copy of the descriptor for a moment: closing ours alone would end nothing.
    func closeServer() {
        let end = ends.removeFirst()
        shutdown(end, Int32(SHUT_RDWR))
        close(end)
    }

    /// Ends what the client sends, without a word in TLS.
    func cutClient() { shutdown(ends[1], Int32(SHUT_WR)) }
}

/// A root that signs what a test wants.
struct TestAuthority {
    static let now = Int64(time(nil))
    let root: Certificate
    private let key: P256PrivateKey

    init() throws {
        key = try P256PrivateKey()
        let description = RootDescription(
            name: "test root",
            notBefore: Self.now - 86_400,
            notAfter: Self.now + 86_400
        )
        root = try Certificate.root(description, key: key)
    }

    func leaf(_ name: String, notAfter: Int64, key leafKey: P256PrivateKey) throws -> Certificate {
        try root.leaf(
            for: .host(try HostName(name)),
            notBefore: Self.now - 7200,
            notAfter: notAfter,
            key: leafKey,
            signedWith: key
        )
    }
}

extension TLSSession {
    /// What comes now, at most `limit` octets; `nil` where nothing does.
    func receive(atMost limit: Int = 65536) throws -> [UInt8]? {
        becomesReadable(isEnding: false)
        var place = [UInt8](repeating: 0, count: limit)
        var span = place.mutableSpan
        guard let count = try receive(into: &span) else { return nil }
        return Array(place.prefix(count))
    }

    /// Sends what the socket takes; answers how many octets.
    func send(_ octets: [UInt8]) throws -> Int { try send(octets.span) ?? 0 }
}
