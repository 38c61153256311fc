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

    @Test("who is refused and says each octet in a record of its own leaves others their turn")
    func lingering() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(try await turnsWhileLingering(over: 1000, on: loop) >= 10)
        await loop.stop()
    }
}

/// How often others have had their turn while so many octets were dropped, one at a time.
private func turnsWhileLingering(over octets: Int, on loop: isolated EventLoop) async throws -> Int {
    var ends: [Int32] = [0, 0]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0 else {
        throw NoSocket()
    }
    let socket = StreamSocket(OwnedDescriptor(adopting: ends[0]))
    defer { close(ends[1]) }
    socket.cipher = SlowCipher(octets: octets)
    try socket.attach(to: loop)
    defer { socket.detach(from: loop) }
    let others = Others()
    loop.runAgain(others)
    let means = RelayMeans(bufferBytes: 4096, pipes: 1)
    let end = HTTPEnd(socket, limits: HTTP1Limits())
    // In a task of the loop's own, as a connection's: another would go by the pool's threads each time.
    return await withCheckedContinuation { continuation in
        loop.startTask(with: (end, means, others)) { state, loop in
            let hasEnded = await state.0.linger(state.1, on: loop)
            state.2.isOver = true
            continuation.resume(returning: hasEnded ? state.2.turns : 0)
        }
    }
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
    private var octets: Int
    let hasUnsent = false
    let endedInOrder = true
    let mayHaveMore = true

    init(octets: Int) { self.octets = octets }

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
