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

    @Test("G07: records without data count as well: others have their turn between them", .timeLimit(.minutes(5)))
    func midway() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let reader = try await read(records: 20, afterEmptyLooks: 100, on: loop)
        #expect(reader.octets == 20)
        #expect(reader.turnsOfOthers >= 100)
        await loop.stop()
    }

    @Test("G07: looks that took much for little end the turn", .timeLimit(.minutes(5)))
    func wordy() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let reader = try await read(records: 20, overhead: 18_000, on: loop)
        #expect(reader.octets == 20)
        #expect(reader.turnsOfOthers >= 20)
        await loop.stop()
    }

    @Test("one that stopped reading at an answer goes on when that is gone, whoever sent it", .timeLimit(.minutes(5)))
    func stopped() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let reader = try await read(records: 20, stopsFirst: true, on: loop)
        #expect(reader.octets == 20)
        await loop.stop()
    }

    @Test("B20: one that is held back is not taken for silent", .timeLimit(.minutes(5)))
    func silence() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(try await isSilent(after: 63, of: 65, on: loop) == false)
        #expect(try await isSilent(after: 65, of: 65, on: loop) == false)
        #expect(try await isSilent(after: 65, of: 64, on: loop))
        #expect(try await isSilent(after: 65, of: 64, keepingUnsent: true, on: loop) == false)
        #expect(try await isSilent(after: 65, of: 64, holdingPart: true, on: loop) == false)
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

/// Whether a socket is silent after so many looks at so many records.
private func isSilent(
    after looks: Int,
    of records: Int,
    keepingUnsent: Bool = false,
    holdingPart: Bool = false,
    on loop: isolated EventLoop
) throws -> Bool {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
        throw NoSocket()
    }
    defer { close(ends[1]) }
    let socket = StreamSocket(OwnedDescriptor(adopting: ends[0]))
    let cipher = TalkativeCipher(records: records, ends: false)
    socket.cipher = cipher
    try socket.attach(to: loop)
    defer { socket.detach(from: loop) }
    let buffer = TransferBuffer(capacity: 4096)
    for _ in 0..<looks { _ = try socket.receive(into: buffer) }
    cipher.hasUnsent = keepingUnsent
    cipher.holdsPart = holdingPart
    return socket.isSilent
}

/// Has an observer read a socket until its end, or until that many turns of others are over.
private func read(
    records: Int,
    afterEmptyLooks emptyLooks: Int = 0,
    leavingAfter most: Int = .max,
    stopsFirst: Bool = false,
    overhead: Int = 0,
    on loop: isolated EventLoop
) async throws -> Reading {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
        throw NoSocket()
    }
    let socket = StreamSocket(OwnedDescriptor(adopting: ends[0]))
    defer { close(ends[1]) }
    let cipher = TalkativeCipher(records: records, emptyLooks: emptyLooks)
    cipher.overhead = overhead
    cipher.hadToStop = stopsFirst
    cipher.hasUnsent = stopsFirst
    socket.cipher = cipher
    try socket.attach(to: loop)
    let reader = Reader(leavesHeldBack: most != .max)
    socket.observer = reader
    // Of what a cipher has no edge tells.
    reader.socketIsReady(socket, on: loop)
    if stopsFirst { _ = try socket.send([0]) }
    let others = Others(reader, most: stopsFirst ? 1000 : most)
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

/// One that has so many records of an octet, behind others that hold nothing, and then the end or silence.
private final class TalkativeCipher: SocketCipher {
    private var records: Int
    private var emptyLooks: Int
    private let ends: Bool
    private(set) var isMidway = false
    var hasUnsent = false
    var hadToStop = false
    let endedInOrder = true
    var overhead = 0
    var holdsPart = false
    let mayHaveMore = true

    init(records: Int, emptyLooks: Int = 0, ends: Bool = true) {
        self.records = records
        self.emptyLooks = emptyLooks
        self.ends = ends
    }

    func becomesReadable(isEnding: Bool) {}
    func flush() {}
    func receive(into buffer: TransferBuffer, atMost count: Int) -> Completion<Int> {
        if hasUnsent { return .wouldBlock }
        hadToStop = false
        isMidway = emptyLooks > 0
        if isMidway {
            emptyLooks -= 1
            return .wouldBlock
        }
        guard records > 0 else { return ends ? .done(0) : .wouldBlock }
        records -= 1
        return .done(1)
    }
    func peek() -> Completion<Int> { records > 0 ? .done(1) : .wouldBlock }
    func send(_ octets: Span<UInt8>) -> Completion<Int> {
        hasUnsent = false
        return .done(octets.count)
    }
    func rest() {}
    func endSending(inOrder: Bool) {}
}

struct NoSocket: Error {}
