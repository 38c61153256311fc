import ByteRelay
import ContentInspection
import EventLoops
import Glibc
import HTTPExchange
import LinuxBindings
import PolicyEngine
import WireFormats

/// What an exchange between two pairs of sockets came to.
struct Passed: Sendable, Equatable {
    /// What the client was sent.
    var client: String
    /// What the server was sent.
    var server: String
    var outcome: String
    var hasAnswered = false
    var findings: [String] = []
}

/// Who looks at an exchange, and how.
struct Watch: Sendable {
    /// Words that an inspector denies.
    var up: String?
    var down: String?
    var needsWhole = false
    var limits = InspectionLimits()
    /// How much memory all that is looked into may take.
    var most = Int.max
    /// What is overwritten in the answer behind them.
    var overwritten: String?
}

/// Passes what a client and a server say, each in one go, between the two.
func pass(_ request: String, _ answer: String, _ watch: Watch) async throws -> Passed {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let client = try pair()
    let server = try pair()
    try say(request, to: client.far)
    try say(answer, to: server.far)
    var passed = try await carry(client.near, server.near, watch, on: loop)
    passed.client = try hear(client.far)
    passed.server = try hear(server.far)
    await loop.stop()
    return passed
}

/// Passes as many requests as there are answers over the same two connections, one after the other, and tells what the client was
/// sent; behind some of the answers all is let go of that only serves the next.
func passInTurn(_ answers: [String], resting: Set<Int>) async throws -> String {
    let loop = try EventLoop(index: 0)
    try loop.start()
    let client = try pair()
    let server = try pair()
    try await carryInTurn(answers, resting, client, server, on: loop)
    let heard = try hear(client.far)
    _ = try hear(server.far)
    await loop.stop()
    return heard
}

private func carryInTurn(
    _ answers: [String],
    _ resting: Set<Int>,
    _ client: (near: Int32, far: Int32),
    _ server: (near: Int32, far: Int32),
    on loop: isolated EventLoop
) async throws {
    let means = RelayMeans(bufferBytes: 4096, pipes: 4)
    let near = HTTPEnd(try attached(client.near, to: loop), limits: HTTP1Limits())
    let far = HTTPEnd(try attached(server.near, to: loop), limits: HTTP1Limits())
    defer {
        near.socket.detach(from: loop)
        far.socket.detach(from: loop)
    }
    let exchange = Exchange(client: near, upstream: far, limits: HTTP1Limits(), means)
    for (index, answer) in answers.enumerated() {
        try say("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", to: client.far)
        try say(answer, to: server.far)
        let patience = HeadPatience(head: 5_000_000_000)
        guard case .request(let request) = await near.nextRequest(patience, means, on: loop) else { throw NoSocket() }
        var head: [UInt8] = []
        request.append(to: &head, forwarding: HTTP1RequestForwarding(closes: false, upgrades: false))
        let exchanged = await exchange.run(request, head: OutgoingHead(head), on: loop)
        guard exchanged.keepsClient, exchanged.keepsUpstream else { throw NoSocket() }
        guard resting.contains(index) else { continue }
        near.rest()
        far.rest()
        exchange.rest()
    }
}

private func carry(
    _ client: Int32,
    _ server: Int32,
    _ watch: Watch,
    on loop: isolated EventLoop
) async throws -> Passed {
    let means = RelayMeans(bufferBytes: 4096, pipes: 4)
    let near = HTTPEnd(try attached(client, to: loop), limits: HTTP1Limits())
    let far = HTTPEnd(try attached(server, to: loop), limits: HTTP1Limits())
    defer {
        near.socket.detach(from: loop)
        far.socket.detach(from: loop)
    }
    guard case .request(let request) = await near.nextRequest(HeadPatience(head: 5_000_000_000), means, on: loop) else {
        return Passed(client: "", server: "", outcome: "no request")
    }
    let allowance = InspectionAllowance(watch.most)
    let inspection = ExchangeInspection(
        of: request,
        up: panel(watch.up, watch, allowance),
        down: panel(watch.down, watch, allowance),
        limits: watch.limits
    )
    if inspection.mustReadAhead, let body = inspection.ofRequest() {
        let arrival = await near.readAhead(
            request,
            body,
            InspectionShare(of: allowance),
            limits: HTTP1Limits(),
            until: loop.now &+ 1_000_000_000,
            means,
            on: loop
        )
        guard case .seen = arrival else { return Passed(client: "", server: "", outcome: "ahead \(arrival)") }
        inspection.isReadAhead = true
    }
    var head: [UInt8] = []
    request.append(to: &head, forwarding: HTTP1RequestForwarding(closes: false, upgrades: request.asksUpgrade))
    let exchange = Exchange(client: near, upstream: far, limits: HTTP1Limits(), means)
    let stage = watch.overwritten.map { WordStage($0) }
    let outgoing = OutgoingHead(head, answeredThrough: stage)
    let exchanged = await exchange.run(request, head: outgoing, inspection: inspection, on: loop)
    return Passed(
        client: "",
        server: "",
        outcome: "\(exchanged.outcome)",
        hasAnswered: exchanged.hasAnswered,
        findings: exchanged.findings.notes
    )
}

private func attached(_ descriptor: Int32, to loop: isolated EventLoop) throws -> StreamSocket {
    let socket = StreamSocket(OwnedDescriptor(adopting: descriptor))
    try socket.attach(to: loop)
    return socket
}

private func panel(_ word: String?, _ watch: Watch, _ allowance: InspectionAllowance) -> InspectorPanel? {
    word.map {
        InspectorPanel(
            [WordInspector($0, watch.needsWhole)],
            unreadable: Denial(.unreadableContent),
            within: allowance
        )
    }
}

/// Overwrites a word, and holds back what may be the beginning of one.
private final class WordStage: AnswerStage {
    private let word: [UInt8]
    private var held: [UInt8] = []

    init(_ word: String) { self.word = Array(word.utf8) }

    func pass(_ head: HTTP1Response) -> HTTP1Response { head }

    func pass(_ octets: inout [UInt8]) {
        octets = held + octets
        var start = 0
        while start + word.count <= octets.count {
            if octets[start..<start + word.count].elementsEqual(word) {
                for index in start..<start + word.count { octets[index] = UInt8(ascii: "*") }
            }
            start += 1
        }
        held = Array(octets.suffix(word.count - 1))
        octets.removeLast(held.count)
    }

    var isBetweenFrames: Bool { held.isEmpty }

    func finish() -> [UInt8] { held }

    func pass(trailers: HTTP1FieldSection) -> HTTP1FieldSection { trailers }
}

/// Denies messages with a word in them.
private final class WordInspector: Inspector {
    private let word: String
    let needsWholeMessages: Bool
    private var seen = ""

    init(_ word: String, _ needsWhole: Bool) {
        self.word = word
        needsWholeMessages = needsWhole
    }

    func inspect(
        _ octets: borrowing Span<UInt8>,
        of message: InspectedMessage,
        _ findings: inout Findings
    ) -> InspectionVerdict {
        var text: [UInt8] = []
        for index in octets.indices { text.append(octets[index]) }
        seen += String(decoding: text, as: UTF8.self)
        return seen.contains(word) ? .deny(Denial(.ruleDeny, detail: word)) : .release
    }

    func inspectEnd(of message: InspectedMessage, _ findings: inout Findings) -> InspectionVerdict {
        findings.note("seen")
        return .release
    }
}

// MARK: Sockets

private struct NoSocket: Error {}

private func pair() throws -> (near: Int32, far: Int32) {
    var numbers: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &numbers) == 0 else { throw NoSocket() }
    guard fcntl(numbers[0], F_SETFL, O_NONBLOCK) == 0 else { throw NoSocket() }
    return (numbers[0], numbers[1])
}

private func say(_ text: String, to descriptor: Int32) throws {
    let octets = Array(text.utf8)
    guard unsafe write(descriptor, octets, octets.count) == octets.count else { throw NoSocket() }
}

/// All that is sent until the other side is closed.
private func hear(_ descriptor: Int32) throws -> String {
    defer { close(descriptor) }
    var octets: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe read(descriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        octets += buffer[..<count]
    }
    return String(decoding: octets, as: UTF8.self)
}
