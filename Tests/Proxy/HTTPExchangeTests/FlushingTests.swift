import ByteRelay
import EventLoops
import Glibc
import HTTPExchange
import LinuxBindings
import Testing
import WireFormats

@Suite("What is sent last, behind a cipher")
struct FlushingTests {
    @Test("an end waits for what its peer does not take, until the deadline and no longer")
    func deadline() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(try await flushes(unsent: true, on: loop) == [false, false])
        #expect(try await flushes(unsent: false, on: loop) == [true, true])
        await loop.stop()
    }

    @Test("G07: who is refused, takes no answer and says each octet in a record of its own leaves others their turn")
    func lingering() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let (turns, left) = try await linger(hearing: 1000, answerIsTaken: false, on: loop)
        #expect(turns >= 10)
        #expect(left == 0)
        await loop.stop()
    }

    @Test("what a refused client says once its answer is taken is not deciphered, and it is heard to its end")
    func deaf() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let (turns, left) = try await linger(hearing: 1000, answerIsTaken: true, on: loop)
        #expect(turns > 0)
        #expect(left == 1000)
        await loop.stop()
    }
}

/// Hears a client out that says so many octets, one to a record.
///
/// - Returns: How often others have had their turn, none if it was not heard to its end, and how many octets are not deciphered.
private func linger(hearing octets: Int, answerIsTaken: Bool, on loop: isolated EventLoop) async throws -> (Int, Int) {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
        throw NoSocket()
    }
    let socket = StreamSocket(OwnedDescriptor(adopting: ends[0]))
    // Of the wire there is something, and its end.
    guard unsafe write(ends[1], "records", 7) == 7, close(ends[1]) == 0 else { throw NoSocket() }
    let cipher = SlowCipher(octets: octets, hasUnsent: !answerIsTaken)
    socket.cipher = cipher
    try socket.attach(to: loop)
    defer { socket.detach(from: loop) }
    let others = Others()
    loop.runAgain(others)
    let means = RelayMeans(bufferBytes: 4096, pipes: 1)
    let end = HTTPEnd(socket, limits: HTTP1Limits())
    // In a task of the loop's own, as a connection's: another would go by the pool's threads each time.
    let turns = await withCheckedContinuation { continuation in
        loop.startTask(with: (end, means, others)) { state, loop in
            let hasEnded = await state.0.linger(state.1, on: loop)
            state.2.isOver = true
            continuation.resume(returning: hasEnded ? state.2.turns : 0)
        }
    }
    return (turns, cipher.octets)
}

/// Has every turn that it can have.
private final class Others: DeferredWork {
    var turns = 0
    var isOver = false

    func goOn(on loop: isolated EventLoop) {
        turns += 1
        if !isOver { loop.runAgain(self) }
    }
}

/// One that has an octet at a time, and then the end.
private final class SlowCipher: SocketCipher {
    private(set) var octets: Int
    let hasUnsent: Bool
    let endedInOrder = true
    let isMidway = false
    let overhead = 0
    let holdsPart = false
    let hadToStop = false
    let mayHaveMore = true

    init(octets: Int, hasUnsent: Bool) {
        self.octets = octets
        self.hasUnsent = hasUnsent
    }

    func becomesReadable(isEnding: Bool) {}
    func flush() {}
    func receive(into buffer: TransferBuffer, atMost count: Int) -> Completion<Int> {
        guard octets > 0 else { return .done(0) }
        octets -= 1
        return .done(1)
    }
    func peek() -> Completion<Int> { .wouldBlock }
    func send(_ octets: Span<UInt8>) -> Completion<Int> { .done(octets.count) }
    func rest() {}
    func endSending(inOrder: Bool) {}
}

private struct NoSocket: Error {}

/// Flushes until a deadline that comes, and until one that has passed.
private func flushes(unsent: Bool, on loop: isolated EventLoop) async throws -> [Bool] {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
        throw NoSocket()
    }
    let socket = StreamSocket(OwnedDescriptor(adopting: ends[0]))
    defer { close(ends[1]) }
    socket.cipher = StuckCipher(hasUnsent: unsent)
    try socket.attach(to: loop)
    defer { socket.detach(from: loop) }
    let end = HTTPEnd(socket, limits: HTTP1Limits())
    let soon = await end.flush(until: loop.now &+ 50_000_000, on: loop)
    return [soon, await end.flush(until: loop.now, on: loop)]
}

/// One whose octets nobody takes.
private final class StuckCipher: SocketCipher {
    let hasUnsent: Bool
    let endedInOrder = true
    let isMidway = false
    let overhead = 0
    let holdsPart = false
    let hadToStop = false
    let mayHaveMore = false

    init(hasUnsent: Bool) { self.hasUnsent = hasUnsent }

    func becomesReadable(isEnding: Bool) {}
    func flush() {}
    func receive(into buffer: TransferBuffer, atMost count: Int) -> Completion<Int> { .wouldBlock }
    func peek() -> Completion<Int> { .wouldBlock }
    func send(_ octets: Span<UInt8>) -> Completion<Int> { .done(octets.count) }
    func rest() {}
    func endSending(inOrder: Bool) {}
}
