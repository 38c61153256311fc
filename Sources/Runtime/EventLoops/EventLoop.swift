import LinuxBindings

/// Somebody who is told when a descriptor is ready.
///
/// Lives on one loop.
package protocol EventHandler: AnyObject {
    /// Called on the loop, for an edge: what is ready now was not ready before.
    func ready(_ events: ReadyEvents, on loop: isolated EventLoop)
}

/// One thread, one epoll set, and everything that happens on them.
///
/// Concurrency: the loop is an actor whose executor is its own thread. State of a connection is not Sendable and never
/// leaves its loop; functions that take an `isolated EventLoop` run on that thread, and the compiler sees to it. Other
/// threads come in by calling an isolated method, which passes through the executor's inbox.
package actor EventLoop {
    /// Which loop this is, from 0.
    package nonisolated let index: Int
    package nonisolated let executor: LoopExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let interruptsOthers: Bool
    private let epoll: EpollSet
    private let slots = HandlerSlots()
    private let sends = GatheredSends()
    private var timers = TimerQueue()
    private var again: [any DeferredWork] = []
    private var whenIdle: [any DeferredWork] = []
    /// Empty: what the next turn's work is gathered in while this one's runs.
    private var spare: [any DeferredWork] = []
    /// Since when the first of `whenIdle` waits.
    private var whenIdleSince: UInt64 = 0
    private var isStopped = false
    private var errands: [Errand] = []
    /// Nanoseconds of the monotonic clock, read once a turn: near enough for time limits, free to ask.
    package var now: UInt64 { clock }
    /// How often the kernel has been asked for events.
    package var turn: UInt64 { turns }
    private var turns: UInt64 = 0
    // Private, so that the compiler sees every access: each of them would else be checked as it runs.
    private var clock: UInt64

    /// Opens the epoll set.
    ///
    /// Nothing runs before `start`. With `interruptsOthers` false the loop's thread waits, where no processor is free, for somebody to sleep
    /// or to have had a turn: what comes meanwhile is done in one go.
    package init(index: Int, interruptsOthers: Bool = true) throws(SystemCallError) {
        let executor = try LoopExecutor()
        let epoll = try EpollSet(capacity: 256)
        try epoll.addEdgeTriggered(executor.wakeUpDescriptor, writable: false, token: wakeUpToken)
        self.index = index
        self.interruptsOthers = interruptsOthers
        self.executor = executor
        self.epoll = epoll
        clock = monotonicNanoseconds()
    }

    /// Starts the loop's thread.
    package nonisolated func start() throws(SystemCallError) {
        try startThread(named: "loop-\(index)") {
            self.executor.adoptThread()
            self.runHere()
        }
    }

    /// Has another thread run the loop, where its own is on an errand.
    ///
    /// It may be called from any thread. Where the errand is over by then nothing happens.
    package nonisolated func takeOver() throws(SystemCallError) {
        try startThread(named: "loop-\(index)") {
            guard self.executor.seize() else { return }
            self.runHere()
        }
    }

    private nonisolated func runHere() {
        if !interruptsOthers { interruptNobody() }
        blockBrokenPipes()
        Task(executorPreference: executor) { await self.run() }
        executor.runUntilLoopEnds()
    }

    /// Ends the loop after this turn.
    package func stop() {
        isStopped = true
    }

    // MARK: Descriptors

    /// Tells `handler` of every edge of the descriptor, until it is forgotten or closed: of what can be read, and of room to write
    /// where that is awaited.
    package func watch(
        _ descriptor: borrowing OwnedDescriptor,
        _ handler: any EventHandler,
        isRoomAwaited: Bool = false
    ) throws(SystemCallError) -> WatchToken {
        let token = slots.take(for: handler)
        do throws(SystemCallError) {
            try epoll.addEdgeTriggered(descriptor.number, writable: isRoomAwaited, token: token.bits)
        } catch {
            forget(token)
            throw error
        }
        return token
    }

    /// Has the handler of a watched descriptor told of room to write as well, from now on; of what there is already, at once.
    package func awaitRoom(_ token: WatchToken, number: Int32) {
        do throws(SystemCallError) {
            try epoll.addWritable(number, token: token.bits)
        } catch {
            preconditionFailure("a watched descriptor can be watched for more: \(error)")
        }
    }

    /// Tells `handler` while a descriptor that somebody else owns is ready for what is named.
    package func watchLevel(
        number: Int32,
        readable: Bool,
        writable: Bool,
        _ handler: any EventHandler
    ) throws(SystemCallError) -> WatchToken {
        let token = slots.take(for: handler)
        do throws(SystemCallError) {
            try epoll.addLevelTriggered(number, readable: readable, writable: writable, token: token.bits)
        } catch {
            forget(token)
            throw error
        }
        return token
    }

    /// Changes what a descriptor watched by `watchLevel` is watched for.
    package func changeLevel(
        _ token: WatchToken,
        number: Int32,
        readable: Bool,
        writable: Bool
    ) throws(SystemCallError) {
        try epoll.changeLevelTriggered(number, readable: readable, writable: writable, token: token.bits)
    }

    /// Stops watching a descriptor that stays open.
    package func unwatch(_ token: WatchToken, number: Int32) {
        forget(token)
        // A descriptor that its owner has closed already has left the set by itself.
        try? epoll.remove(number)
    }

    /// Forgets a handler; its descriptor leaves the set when it is closed.
    ///
    /// Events still on their way find nobody.
    package func forget(_ token: WatchToken) {
        slots.free(token)
    }

    /// Has what a socket sends be gathered until the end of each turn.
    func gatherSends(of socket: StreamSocket) {
        socket.outlet.join(sends, for: socket)
    }

    // MARK: Time and turns

    /// Calls `action` once after `nanoseconds`, unless it is cancelled before.
    package func schedule(
        afterNanoseconds nanoseconds: UInt64,
        _ action: @escaping () -> Void
    ) -> TimerToken {
        timers.add(at: now &+ nanoseconds, action)
    }

    /// Keeps a timer from firing; one that has fired is no matter.
    package func cancel(_ timer: TimerToken) {
        timers.cancel(timer)
    }

    /// Lets `work` go on in the loop's next turn, after others had theirs.
    package func runAgain(_ work: any DeferredWork) {
        // Taken out meanwhile, so that the compiler sees that nobody else touches it: the check would else be made as it runs.
        var all = again
        again = []
        all.append(work)
        again = all
    }

    /// Comes back in the loop's next turn, after others had theirs.
    package func nextTurn() async {
        await withCheckedContinuation { runAgain(Resumption($0)) }
    }

    /// Has work done once, before the loop sleeps: when there is nothing else to do, or soon where there always is.
    ///
    /// What several turns have gathered is thus handed on in one piece.
    package func runWhenIdle(_ work: any DeferredWork) {
        if whenIdle.isEmpty { whenIdleSince = now }
        var all = whenIdle
        whenIdle = []
        all.append(work)
        whenIdle = all
    }

    /// Has the loop's thread do an errand at the end of this turn, and `work` behind it.
    ///
    /// Where another thread takes the loop over meanwhile, `work` is not done.
    package func run(_ errand: any LoopErrand, then work: any DeferredWork) {
        errands.append(Errand(errand: errand, work: work))
    }

    /// Starts a task that lives on this loop and never leaves its thread.
    package func startTask<State>(
        with state: State,
        _ operation: @escaping @Sendable (State, isolated EventLoop) async -> Void
    ) {
        let bound = LoopBound(state, on: self)
        Task(executorPreference: executor) { await self.perform(operation, with: bound) }
    }

    private func perform<State>(
        _ operation: @Sendable (State, isolated EventLoop) async -> Void,
        with state: LoopBound<State>
    ) async {
        await operation(state.value(on: self), self)
    }

    // MARK: The loop

    /// How long work may wait for a loop that is never idle, in nanoseconds.
    private static let patience: UInt64 = 500_000

    /// How many generations of jobs run before the kernel is asked for events.
    private static let roundsOfJobs = 8

    private func run() {
        // It may have stood still until another thread took it over.
        clock = monotonicNanoseconds()
        while !isStopped {
            // Whatever was done last: nobody waits for it while the loop sleeps.
            sends.send()
            let isBusy = executor.hasPending || !again.isEmpty || !errands.isEmpty
            let wait: Int32 = isBusy || !whenIdle.isEmpty ? 0 : timers.millisecondsToNext(from: now)
            let count: Int
            do throws(SystemCallError) {
                count = try epoll.wait(milliseconds: wait)
            } catch {
                preconditionFailure("epoll_wait can fail only by a defect of ours: \(error)")
            }
            clock = monotonicNanoseconds()
            turns &+= 1
            sends.beginTurn(at: clock)
            for index in 0..<count { dispatch(index) }
            while let action = timers.next(due: now) { action() }
            runDeferredWork()
            // A step of a task is often followed at once by another: asking the kernel in between would be in vain.
            var rounds = 0
            while executor.hasPending, rounds < Self.roundsOfJobs {
                executor.runPending()
                rounds += 1
            }
            if count == 0, !isBusy { runIdleWork() } else { runOverdueIdleWork() }
            guard runErrands() else { return }
        }
        executor.loopEnded = true
    }

    /// False where the loop is another thread's by now, and nothing of it may be touched.
    private func runErrands() -> Bool {
        while let next = errands.popLast() {
            // An errand may last.
            sends.send()
            guard executor.lend({ next.errand.perform(for: self) }) else {
                next.errand.finishAlone()
                return false
            }
            clock = monotonicNanoseconds()
            next.work.goOn(on: self)
        }
        return true
    }

    private func dispatch(_ index: Int) {
        let (bits, events) = epoll.event(index)
        guard bits != wakeUpToken else {
            executor.collect()
            return
        }
        slots.handler(of: WatchToken(bits: bits))?.ready(events, on: self)
    }

    private func runOverdueIdleWork() {
        if !whenIdle.isEmpty, whenIdleSince &+ Self.patience <= now { runIdleWork() }
    }

    private func runIdleWork() {
        guard !whenIdle.isEmpty else { return }
        let work = whenIdle
        whenIdle = spare
        run(consume work)
    }

    private func runDeferredWork() {
        guard !again.isEmpty else { return }
        let work = again
        again = spare
        run(consume work)
    }

    /// Does work that stands in no list any more, and keeps its list for what comes next.
    private func run(_ work: consuming [any DeferredWork]) {
        spare = []
        for index in work.indices { work[index].goOn(on: self) }
        work.removeAll(keepingCapacity: true)
        spare = work
    }
}

private struct Errand {
    let errand: any LoopErrand
    let work: any DeferredWork
}

/// Work that gave up its turn and goes on in the next.
package protocol DeferredWork: AnyObject {
    func goOn(on loop: isolated EventLoop)
}

/// A task that gave up its turn.
private final class Resumption: DeferredWork {
    private let continuation: CheckedContinuation<Void, Never>

    init(_ continuation: CheckedContinuation<Void, Never>) {
        self.continuation = continuation
    }

    func goOn(on loop: isolated EventLoop) { continuation.resume() }
}

/// No slot has this token: there are never 2^32 - 1 descriptors.
private let wakeUpToken: UInt64 = .max
