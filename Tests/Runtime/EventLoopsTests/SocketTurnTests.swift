import EventLoops
import Glibc
import LinuxBindings
import Testing

/// How much a socket whose cipher always has more may be read at once.
@Suite("A socket that could be read for ever")
struct SocketTurnTests {
    @Test("G07: who observes it is told again in the next turn, and others have had theirs", .timeLimit(.minutes(5)))
    func observed() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let reader = try await read(records: 1000, on: loop)
        #expect(reader.octets == 1000)
        #expect(reader.turnsOfOthers >= 10)
        await loop.stop()
    }

    @Test("one that nobody reads any more is told nothing", .timeLimit(.minutes(5)))
    func left() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let reader = try await read(records: 1000, leavingAfter: 100, on: loop)
        #expect(reader.octets == 64)
        await loop.stop()
    }
}

/// What a reader came to.
private struct Reading: Sendable {
    let octets: Int
    let turnsOfOthers: Int
}

/// Has an observer read a socket until its end, or until that many turns of others are over.
private func read(records: Int, leavingAfter most: Int = .max, on loop: isolated EventLoop) async throws -> Reading {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
        throw NoSocket()
    }
    let socket = StreamSocket(OwnedDescriptor(adopting: ends[0]))
    defer { close(ends[1]) }
    socket.cipher = TalkativeCipher(records: records)
    try socket.attach(to: loop)
    let reader = Reader(leavesHeldBack: most != .max)
    socket.observer = reader
    let others = Others(reader, most: most)
    loop.runAgain(others)
    await withCheckedContinuation { others.whoWaits = $0 }
    socket.detach(from: loop)
    return Reading(octets: reader.octets, turnsOfOthers: others.turns)
}

/// Reads whatever there is, as often as it is told.
private final class Reader: SocketObserver {
    private(set) var octets = 0
    private(set) var hasEnded = false
    private let leavesHeldBack: Bool
    private let buffer = TransferBuffer(capacity: 4096)

    init(leavesHeldBack: Bool) { self.leavesHeldBack = leavesHeldBack }

    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        while socket.isReadable, !hasEnded {
            guard case .done(let count)? = try? socket.receive(into: buffer) else { break }
            octets += count
            hasEnded = count == 0
        }
        if leavesHeldBack { socket.detach(from: loop) }
    }
}

/// Has every turn that it can have, until the reader is done.
private final class Others: DeferredWork {
    var whoWaits: CheckedContinuation<Void, Never>?
    private(set) var turns = 0
    private let reader: Reader
    private let most: Int

    init(_ reader: Reader, most: Int) {
        self.reader = reader
        self.most = most
    }

    func goOn(on loop: isolated EventLoop) {
        turns += 1
        guard reader.hasEnded || turns == most else { return loop.runAgain(self) }
        whoWaits?.resume()
        whoWaits = nil
    }
}

/// One that has so many records of an octet, and then the end.
private final class TalkativeCipher: SocketCipher {
    private var records: Int
    let hasUnsent = false
    let endedInOrder = true
    let mayHaveMore = true

    init(records: Int) { self.records = records }

    func becomesReadable(isEnding: Bool) {}
    func flush() {}
    func receive(into buffer: TransferBuffer, atMost count: Int) -> Completion<Int> {
        guard records > 0 else { return .done(0) }
        records -= 1
        return .done(1)
    }
    func peek() -> Completion<Int> { .wouldBlock }
    func send(_ octets: Span<UInt8>) -> Completion<Int> { .done(octets.count) }
    func rest() {}
    func endSending(inOrder: Bool) {}
}

private struct NoSocket: Error {}
