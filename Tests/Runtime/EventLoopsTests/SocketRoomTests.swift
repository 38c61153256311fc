import EventLoops
import LinuxBindings
import NetworkTypes
import Testing

/// What a loop is told of its sockets, and when.
@Suite("Room to write")
struct SocketRoomTests {
    @Test("a socket that always took all is told nothing but what comes", .timeLimit(.minutes(5)))
    func quiet() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(try await edges(sending: 0, on: loop) == Edges(before: 0, behind: 1, sent: 0))
        #expect(try await edges(sending: 1000, on: loop) == Edges(before: 0, behind: 1, sent: 1000))
        await loop.stop()
    }

    @Test("a socket that did not take all is told of room as soon as there is some", .timeLimit(.minutes(5)))
    func full() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let sent = 64 << 20
        #expect(try await edges(sending: sent, on: loop).sent == sent)
        await loop.stop()
    }

    @Test("a connection to a peer on this node is there when the call returns; where nobody listens that is an error")
    func onThisNode() throws {
        let client = try streamSocket(family: .ipv4)
        let left = try connecting(client)
        let other = try streamSocket(family: .ipv4)
        #expect(throws: SystemCallError.self) { try startConnecting(other, to: left) }
    }

    /// Connects to somebody who listens, and returns where nobody does any more.
    private func connecting(_ client: borrowing OwnedDescriptor) throws -> SocketAddress {
        let here = SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: 0)
        let listener = try listeningSocket(on: here, backlog: 4, sharedPort: false)
        let address = try #require(try localAddress(listener))
        #expect(try startConnecting(client, to: address) == .connected)
        #expect(try isConnected(client))
        return address
    }
}

/// How often a socket was told of something: before its peer read or said anything, and behind.
private struct Edges: Equatable, Sendable {
    var before = 0
    var behind = 0
    var sent = 0
}

/// Connects `peer` by TCP on this node, and is who accepted it.
func accepted(from peer: borrowing OwnedDescriptor) throws -> StreamSocket {
    let here = SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: 0)
    let listener = try listeningSocket(on: here, backlog: 4, sharedPort: false)
    let address = try #require(try localAddress(listener))
    _ = try startConnecting(peer, to: address)
    var accepted: AcceptedSocket?
    while accepted == nil { accepted = try acceptConnection(listener) }
    guard let descriptor = accepted.take()?.takeDescriptor() else { throw NoSocket() }
    return StreamSocket(descriptor)
}

/// Sends so many octets to a peer that reads nothing at first, then all, and then says one.
private func edges(sending count: Int, on loop: isolated EventLoop) async throws -> Edges {
    let peer = try streamSocket(family: .ipv4)
    let socket = try accepted(from: peer)
    let sender = Sender(left: count)
    socket.observer = sender
    try socket.attach(to: loop)
    sender.goOn(socket)
    for _ in 0..<20 { await loop.nextTurn() }
    var edges = Edges(before: sender.edges)
    let buffer = TransferBuffer(capacity: 1 << 16)
    var taken = 0
    while taken < count {
        if case .done(let octets) = try buffer.receive(from: peer) { taken += octets } else { await loop.nextTurn() }
    }
    _ = try sendBytes([7], to: peer)
    while !sender.hasHeard { await loop.nextTurn() }
    edges.behind = sender.edges - edges.before
    edges.sent = taken
    socket.detach(from: loop)
    return edges
}

/// Sends when there is room, and counts what it is told.
private final class Sender: SocketObserver {
    private(set) var edges = 0
    private(set) var hasHeard = false
    private var left: Int
    private let octets = [UInt8](repeating: 0, count: 1 << 16)

    init(left: Int) {
        self.left = left
    }

    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        edges += 1
        goOn(socket)
        if case .done(1) = try? peekAtByte(socket.descriptor) { hasHeard = true }
    }

    func goOn(_ socket: StreamSocket) {
        while left > 0, socket.isWritable {
            guard case .done(let count) = try? socket.send(octets[..<min(left, octets.count)]) else { return }
            left -= count
        }
    }
}
