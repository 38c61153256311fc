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
