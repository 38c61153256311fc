import EventLoops
import LinuxBindings
import Synchronization
import Testing

@Suite("What a loop's thread does while the loop could go on without it")
struct LoopErrandTests {
    @Test("an errand is done beside the loop, and the work behind it on the loop")
    func errand() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let errand = Errand()
        errand.letGo()
        await waitForWork(behind: errand, on: loop)
        #expect(errand.wasOnLoop == false)
        #expect(errand.timesAlone == 0)
        await loop.stop()
    }

    @Test("a loop whose thread is held up goes on on another, and the thread that comes back leaves it alone")
    func takingOver() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let errand = Errand()
        await loop.send(errand)
        errand.waitUntilEntered()
        try loop.takeOver()
        // Each of these would wait for the errand for ever.
        #expect(await isOnItsThread(loop))
        await waitForTimer(on: loop)
        let second = Errand()
        second.letGo()
        await waitForWork(behind: second, on: loop)
        #expect(errand.timesAlone == 0)
        errand.letGo()
        errand.waitUntilAlone()
        #expect(await isOnItsThread(loop))
        #expect(await workDone(on: loop) == 1, "what was to be done behind the first errand is not done any more")
        await loop.stop()
    }

    @Test("nobody takes over a loop that is on no errand")
    func nothingToTakeOver() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let before = await threadOf(loop)
        for _ in 0..<20 { try loop.takeOver() }
        for _ in 0..<20 { await waitForTimer(on: loop) }
        #expect(await threadOf(loop) == before)
        await loop.stop()
    }

    @Test("however often a loop is taken over, each errand ends once, on the loop or alone, and no job is lost")
    func manyTimes() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let ends = Ends()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<3000 {
                    await ends.send(number, on: loop)
                    await waitForEnd(of: ends, atLeast: number + 1)
                }
                ends.isOver.store(true, ordering: .relaxed)
            }
            group.addTask {
                while !ends.isOver.load(ordering: .relaxed) {
                    try? loop.takeOver()
                    await Task.yield()
                }
            }
        }
        #expect(ends.onLoop + ends.alone == 3000)
        #expect(ends.alone > 0, "it was taken over at least once")
        #expect(await isOnItsThread(loop))
        await loop.stop()
    }
}

/// Waits until it is let go.
private final class Errand: LoopErrand {
    private let entered: EventDescriptor
    private let released: EventDescriptor
    private let finished: EventDescriptor
    private let alone = Atomic(0)
    private let isOnLoop = Mutex<Bool?>(nil)

    init() {
        guard let entered = try? EventDescriptor(blocking: true), let released = try? EventDescriptor(blocking: true),
            let finished = try? EventDescriptor(blocking: true)
        else { fatalError("no descriptors") }
        self.entered = entered
        self.released = released
        self.finished = finished
    }

    var timesAlone: Int { alone.load(ordering: .acquiring) }

    var wasOnLoop: Bool? { isOnLoop.withLock { $0 } }

    func perform(for loop: EventLoop) {
        isOnLoop.withLock { $0 = loop.executor.isCurrent }
        entered.signal()
        released.wait()
    }

    func finishAlone() {
        alone.add(1, ordering: .releasing)
        finished.signal()
    }

    func waitUntilEntered() { entered.wait() }

    func letGo() { released.signal() }

    func waitUntilAlone() { finished.wait() }
}

/// The work behind errands; it belongs to the loop.
private final class Behind: DeferredWork {
    private let action: () -> Void

    init(_ action: @escaping () -> Void) { self.action = action }

    func goOn(on loop: isolated EventLoop) { action() }
}

/// How often the work behind an errand was done, on any loop of this process that is asked.
private let doneBehind = Mutex<[ObjectIdentifier: Int]>([:])

private func workDone(on loop: isolated EventLoop) -> Int { doneBehind.withLock { $0[ObjectIdentifier(loop)] ?? 0 } }

private func waitForWork(behind errand: Errand, on loop: isolated EventLoop) async {
    let key = ObjectIdentifier(loop)
    await withCheckedContinuation { continuation in
        let work = Behind {
            doneBehind.withLock { $0[key, default: 0] += 1 }
            continuation.resume()
        }
        loop.run(errand, then: work)
    }
}

extension EventLoop {
    /// Has an errand done, and counts the work behind it.
    fileprivate func send(_ errand: Errand) {
        let key = ObjectIdentifier(self)
        run(errand, then: Behind { doneBehind.withLock { $0[key, default: 0] += 1 } })
    }
}

private func isOnItsThread(_ loop: isolated EventLoop) -> Bool { loop.executor.isCurrent }

private func threadOf(_ loop: isolated EventLoop) -> UInt { threadIdentity() }

private func waitForTimer(on loop: isolated EventLoop) async {
    await withCheckedContinuation { continuation in
        _ = loop.schedule(afterNanoseconds: 2_000_000) { continuation.resume() }
    }
}

/// Counts how errands end.
private final class Ends: LoopErrand {
    private let counts = Mutex((onLoop: 0, alone: 0))
    let isOver = Atomic(false)

    var onLoop: Int { counts.withLock { $0.onLoop } }
    var alone: Int { counts.withLock { $0.alone } }

    func send(_ number: Int, on loop: isolated EventLoop) {
        precondition(loop.executor.isCurrent)
        loop.run(self, then: Behind { self.counts.withLock { $0.onLoop += 1 } })
    }

    func perform(for loop: EventLoop) {
        // Long enough for another thread to come.
        let until = monotonicNanoseconds() + 50_000
        while monotonicNanoseconds() < until {}
    }

    func finishAlone() { counts.withLock { $0.alone += 1 } }
}

private func waitForEnd(of ends: Ends, atLeast count: Int) async {
    while ends.onLoop + ends.alone < count { await Task.yield() }
}
