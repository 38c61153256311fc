import Glibc
import LinuxBindings
import NetworkTypes
import Testing

@Suite("Whose a socket is")
struct SocketOwnerTests {
    /// A connection on this machine; its two ends stay open while it is kept.
    private struct Connection: ~Copyable {
        let listener: OwnedDescriptor
        let client: OwnedDescriptor
        let local: SocketAddress
        let remote: SocketAddress

        init(at address: IPAddress) throws {
            let listener = try listeningSocket(on: SocketAddress(address, port: 0), backlog: 8, sharedPort: false)
            let remote = try #require(try localAddress(listener))
            let client = try streamSocket(family: address.family)
            _ = try startConnecting(client, to: remote)
            local = try #require(try localAddress(client))
            self.remote = remote
            self.listener = listener
            self.client = client
        }
    }

    private static let ipv4 = IPAddress.v4(IPv4Address(127, 0, 0, 1))
    private static let ipv6 = IPAddress.v6(IPv6Address(high: 0, low: 1))

    @Test("questions of both families one after the other are each answered for their own socket")
    func families() throws {
        let kernel = try NetlinkQuestions()
        let one = try Connection(at: Self.ipv4)
        let other = try Connection(at: Self.ipv6)
        for _ in 0..<3 {
            #expect(try kernel.owner(local: one.local, remote: one.remote) == getuid())
            #expect(try kernel.owner(local: other.local, remote: other.remote) == getuid())
            #expect(try kernel.isLocal(Self.ipv4))
        }
    }

    @Test("a socket that is not there is nobody's, also where only somebody listens")
    func nobody() throws {
        let kernel = try NetlinkQuestions()
        let one = try Connection(at: Self.ipv4)
        let elsewhere = SocketAddress(IPAddress.v4(IPv4Address(127, 0, 0, 2)), port: one.local.port)
        #expect(try kernel.owner(local: elsewhere, remote: one.remote) == nil)
        #expect(try kernel.owner(local: one.remote, remote: elsewhere) == nil)
        #expect(try kernel.owner(local: one.local, remote: one.remote) == getuid())
    }
}
