import ByteRelay
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import WireFormats

/// What came of an exchange between two sockets of the test's own.
struct Observed {
    var outcome: String
    var status: Int?
    /// All that the client received, whole.
    var answer: String
    /// All that had arrived at the client before the last piece was written upstream.
    var early: String
}

/// Passes an answer, written in pieces, through an exchange with a stage.
///
/// `closes`: the upstream ends behind the last piece. What the client sends behind its request is `later`.
func observe(
    _ request: String,
    answered pieces: [String],
    closes: Bool = false,
    later: String = "",
    through stage: sending any AnswerStage,
    on loop: isolated EventLoop
) async throws -> Observed {
    let (agent, clientSide) = try connectedPair()
    let (origin, upstreamSide) = try connectedPair()
    let limits = HTTP1Limits()
    let client = HTTPEnd(StreamSocket(clientSide.take()), limits: limits)
    let upstream = HTTPEnd(StreamSocket(upstreamSide.take()), limits: limits)
    try client.socket.attach(to: loop)
    try upstream.socket.attach(to: loop)
    var reader = HTTP1RequestReader()
    guard let head = try reader.read(Array(request.utf8).span) else { throw NotWhole() }
    let means = RelayMeans(bufferBytes: 65536, pipes: 4)
    let exchange = Exchange(client: client, upstream: upstream, limits: limits, means)
    let party = Party()
    var octets: [UInt8] = []
    head.append(to: &octets, forwarding: HTTP1RequestForwarding(upgrades: true))
    exchange.start(head, head: OutgoingHead(octets, answeredThrough: stage), for: party, on: loop)
    var received: [UInt8] = []
    var early = ""
    for piece in pieces {
        early = String(decoding: received, as: UTF8.self)
        _ = try sendBytes(Array(piece.utf8), to: origin.descriptor)
        try await collect(from: agent, into: &received, on: loop)
    }
    if !later.isEmpty { _ = try sendBytes(Array(later.utf8), to: agent.descriptor) }
    if closes { try shutdownSending(origin.descriptor) }
    for _ in 0..<100 where party.exchanged == nil {
        try await collect(from: agent, into: &received, on: loop)
        if case .tunnel = party.stateAfterSwitch(received) { try? shutdownSending(agent.descriptor) }
    }
    exchange.abort(on: loop)
    try await collect(from: agent, into: &received, on: loop)
    client.socket.detach(from: loop)
    upstream.socket.detach(from: loop)
    return Observed(
        outcome: party.exchanged.map { "\($0.outcome)" } ?? "none",
        status: party.exchanged?.status,
        answer: String(decoding: received, as: UTF8.self),
        early: early
    )
}

private struct NotWhole: Error {}

/// Keeps how the exchange went.
private final class Party: ExchangeParty {
    var exchanged: Exchanged?

    enum State {
        case message
        case tunnel
    }

    func exchangeIsOver(_ exchanged: Exchanged, on loop: isolated EventLoop) {
        self.exchanged = exchanged
    }

    func stateAfterSwitch(_ received: [UInt8]) -> State {
        received.starts(with: Array("HTTP/1.1 101".utf8)) ? .tunnel : .message
    }
}

/// A socket that is handed over once.
final class Handed {
    private var descriptor: OwnedDescriptor?
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = consume descriptor }

    func take() -> OwnedDescriptor {
        guard let taken = descriptor.take() else { preconditionFailure("it is handed over once") }
        return taken
    }
}

/// The test's own end of a connection.
final class Own {
    let descriptor: OwnedDescriptor
    let buffer = TransferBuffer(capacity: 65536)

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
}

private func connectedPair() throws -> (Own, Handed) {
    let listener = try listeningSocket(
        on: SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: 0),
        backlog: 4,
        sharedPort: false
    )
    guard let address = try localAddress(listener) else { throw NotWhole() }
    let own = try streamSocket(family: .ipv4)
    _ = try startConnecting(own, to: address)
    var accepted: AcceptedSocket?
    while accepted == nil { accepted = try acceptConnection(listener) }
    guard let other = accepted.take()?.takeDescriptor() else { throw NotWhole() }
    return (Own(own), Handed(other))
}

/// Takes all that arrives within some milliseconds.
private func collect(from own: Own, into received: inout [UInt8], on loop: isolated EventLoop) async throws {
    await withCheckedContinuation { continuation in
        _ = loop.schedule(afterNanoseconds: 10_000_000) { continuation.resume() }
    }
    while case .done(let count) = try own.buffer.receive(from: own.descriptor), count > 0 {
        received += own.buffer.copy(0..<count)
    }
}
