import EventLoops
import LinuxBindings
import NetworkTypes
import Synchronization
import Testing

@Suite struct EventLoopTests {
    @Test("work from other threads runs on the loop's own thread, and a timer fires in its order")
    func timersAndJobs() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let order = await waitForTimers(on: loop)
        #expect(order == [1, 2, 3])
        #expect(await isOnItsThread(loop))
        await loop.stop()
    }

    @Test("ten thousand jobs from eight tasks all run")
    func manyJobs() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let counter = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1250 { await counter.increment(on: loop) } }
            }
        }
        #expect(counter.value == 10_000)
        await loop.stop()
    }

    @Test("a handler is told of bytes that arrive, and of nothing once it is forgotten")
    func handlers() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let echo = try await echoOnce(on: loop)
        #expect(echo == .init(seen: [UInt8]("hello".utf8), eventsAfterForgetting: 0))
        await loop.stop()
    }

    @Test("who is to hear a peer no more waits for it no more, also where the wait begins later; writing goes on")
    func hearingNoMore() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(try await waitsOfTheDeaf(on: loop) == [.timedOut, .interrupted, .ready])
        await loop.stop()
    }

    @Test(
        "what waits for an idle loop is done before it sleeps, and soon where the loop is never idle",
        arguments: [true, false]
    )
    func idleWork(isBusy: Bool) async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(await isDoneWhenIdle(isBusy: isBusy, on: loop))
        await loop.stop()
    }
}

private func isDoneWhenIdle(isBusy: Bool, on loop: isolated EventLoop) async -> Bool {
    let busy = BusyWork()
    if isBusy { loop.runAgain(busy) }
    await withCheckedContinuation { continuation in loop.runWhenIdle(IdleWork(busy, continuation)) }
    return isBusy == (busy.turns > 0)
}

private final class BusyWork: DeferredWork {
    var turns = 0
    var isOver = false

    func goOn(on loop: isolated EventLoop) {
        turns += 1
        if !isOver { loop.runAgain(self) }
    }
}

private final class IdleWork: DeferredWork {
    private let busy: BusyWork
    private let continuation: CheckedContinuation<Void, Never>

    init(_ busy: BusyWork, _ continuation: CheckedContinuation<Void, Never>) {
        self.busy = busy
        self.continuation = continuation
    }

    func goOn(on loop: isolated EventLoop) {
        // Here, and not where the test goes on: that may wait minutes for a thread, and the loop would spin for as long.
        busy.isOver = true
        continuation.resume()
    }
}

private func waitsOfTheDeaf(on loop: isolated EventLoop) async throws -> [SocketWait] {
    let socket = StreamSocket(try streamSocket(family: .ipv4))
    socket.isReadable = false
    let before = await socket.wait(for: .reading, until: loop.now + 1_000_000, on: loop)
    socket.hearNoMore(on: loop)
    let after = await socket.wait(for: .reading, until: loop.now + 10_000_000_000, on: loop)
    return [before, after, await socket.wait(for: .writing, until: nil, on: loop)]
}

private func waitForTimers(on loop: isolated EventLoop) async -> [Int] {
    let log = Log()
    return await withCheckedContinuation { continuation in
        let cancelled = loop.schedule(afterNanoseconds: 2_000_000) { log.entries.append(99) }
        _ = loop.schedule(afterNanoseconds: 30_000_000) {
            log.entries.append(3)
            continuation.resume(returning: log.entries)
        }
        _ = loop.schedule(afterNanoseconds: 5_000_000) { log.entries.append(1) }
        _ = loop.schedule(afterNanoseconds: 10_000_000) { log.entries.append(2) }
        loop.cancel(cancelled)
    }
}

private func isOnItsThread(_ loop: isolated EventLoop) -> Bool { loop.executor.isCurrent }

private final class Log {
    var entries: [Int] = []
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment(on loop: isolated EventLoop) {
        precondition(loop.executor.isCurrent, "the job runs on its loop")
        count.add(1, ordering: .relaxed)
    }
}

private struct Echo: Equatable {
    var seen: [UInt8]
    var eventsAfterForgetting: Int
}

private func echoOnce(on loop: isolated EventLoop) async throws -> Echo {
    let listener = try listeningSocket(
        on: SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: 0),
        backlog: 4,
        sharedPort: false
    )
    guard let address = try localAddress(listener) else { return Echo(seen: [], eventsAfterForgetting: -1) }
    let client = try streamSocket(family: .ipv4)
    _ = try startConnecting(client, to: address)
    var accepted: AcceptedSocket?
    while accepted == nil { accepted = try acceptConnection(listener) }
    guard let server = accepted.take()?.takeDescriptor() else { return Echo(seen: [], eventsAfterForgetting: -1) }
    let reader = Reader(socket: server)
    let token = try loop.watch(reader.socket, reader)
    _ = try sendBytes([UInt8]("hello".utf8), to: client)
    while reader.seen.count < 5 { await pause(on: loop) }
    loop.forget(token)
    let before = reader.events
    _ = try sendBytes([UInt8]("again".utf8), to: client)
    await pause(on: loop)
    await pause(on: loop)
    return Echo(seen: reader.seen, eventsAfterForgetting: reader.events - before)
}

private func pause(on loop: isolated EventLoop) async {
    await withCheckedContinuation { continuation in
        _ = loop.schedule(afterNanoseconds: 5_000_000) { continuation.resume() }
    }
}

private final class Reader: EventHandler {
    let socket: OwnedDescriptor
    var seen: [UInt8] = []
    var events = 0
    private let buffer = TransferBuffer(capacity: 64)

    init(socket: consuming OwnedDescriptor) {
        self.socket = socket
    }

    func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        self.events += 1
        guard events.contains(.readable), case .done(let count) = try? buffer.receive(from: socket) else { return }
        seen += buffer.copy(0..<count)
    }
}
