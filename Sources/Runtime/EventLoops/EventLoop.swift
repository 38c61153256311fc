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

    private let epoll: EpollSet
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var timers = TimerQueue()
    private var again: [any DeferredWork] = []
    private var whenIdle: [any DeferredWork] = []
    /// Since when the first of `whenIdle` waits.
    private var whenIdleSince: UInt64 = 0
    private var isStopped = false
    /// Nanoseconds of the monotonic clock, read once a turn: near enough for time limits, free to ask.
    package var now: UInt64 { clock }
    // Private, so that the compiler sees every access: each of them would else be checked as it runs.
    private var clock: UInt64

    /// Opens the epoll set.
    ///
    /// Nothing runs before `start`.
    package init(index: Int) throws(SystemCallError) {
        let executor = try LoopExecutor()
        let epoll = try EpollSet(capacity: 256)
        try epoll.addEdgeTriggered(executor.wakeUpDescriptor, token: wakeUpToken)
        self.index = index
        self.executor = executor
        self.epoll = epoll
        clock = monotonicNanoseconds()
    }

    /// Starts the loop's thread.
    package nonisolated func start() throws(SystemCallError) {
        let executor = self.executor
        Task(executorPreference: executor) { await self.run() }
        try startThread(named: "loop-\(index)") {
            executor.adoptThread()
            executor.runUntilLoopEnds()
        }
    }

    /// Ends the loop after this turn.
    package func stop() {
        isStopped = true
    }

    // MARK: Descriptors

    /// Tells `handler` of every edge of the descriptor, in both directions, until it is forgotten or closed.
    package func watch(_ descriptor: borrowing OwnedDescriptor, _ handler: any EventHandler) throws(SystemCallError)
        -> WatchToken
    {
        let token = reserveSlot(handler)
        do throws(SystemCallError) {
            try epoll.addEdgeTriggered(descriptor.number, token: token.bits)
        } catch {
            forget(token)
            throw error
        }
        return token
    }

    /// Tells `handler` while a descriptor that somebody else owns is ready for what is named.
    package func watchLevel(
        number: Int32,
        readable: Bool,
        writable: Bool,
        _ handler: any EventHandler
    ) throws(SystemCallError) -> WatchToken {
        let token = reserveSlot(handler)
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
        let index = Int(token.index)
        guard slots[index].generation == token.generation else { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        freeSlots.append(token.index)
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
        again.append(work)
    }

    /// Has work done once, before the loop sleeps: when there is nothing else to do, or soon where there always is.
    ///
    /// What several turns have gathered is thus handed on in one piece.
    package func runWhenIdle(_ work: any DeferredWork) {
        if whenIdle.isEmpty { whenIdleSince = now }
        whenIdle.append(work)
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
        while !isStopped {
            let isBusy = executor.hasPending || !again.isEmpty
            let wait: Int32 = isBusy || !whenIdle.isEmpty ? 0 : timers.millisecondsToNext(from: now)
            let count: Int
            do throws(SystemCallError) {
                count = try epoll.wait(milliseconds: wait)
            } catch {
                preconditionFailure("epoll_wait can fail only by a defect of ours: \(error)")
            }
            clock = monotonicNanoseconds()
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
        }
        executor.loopEnded = true
    }

    private func dispatch(_ index: Int) {
        let (bits, events) = epoll.event(index)
        guard bits != wakeUpToken else {
            executor.collect()
            return
        }
        let token = WatchToken(bits: bits)
        let slot = slots[Int(token.index)]
        guard slot.generation == token.generation, let handler = slot.handler else { return }
        handler.ready(events, on: self)
    }

    private func runOverdueIdleWork() {
        if !whenIdle.isEmpty, whenIdleSince &+ Self.patience <= now { runIdleWork() }
    }

    private func runIdleWork() {
        guard !whenIdle.isEmpty else { return }
        let work = whenIdle
        whenIdle.removeAll(keepingCapacity: true)
        for item in work { item.goOn(on: self) }
    }

    private func runDeferredWork() {
        guard !again.isEmpty else { return }
        let work = again
        again.removeAll(keepingCapacity: true)
        for item in work { item.goOn(on: self) }
    }

    private func reserveSlot(_ handler: any EventHandler) -> WatchToken {
        guard let index = freeSlots.popLast() else {
            slots.append(Slot(handler: handler, generation: 0))
            return WatchToken(index: UInt32(slots.count - 1), generation: 0)
        }
        slots[Int(index)].handler = handler
        return WatchToken(index: index, generation: slots[Int(index)].generation)
    }
}

/// Work that gave up its turn and goes on in the next.
package protocol DeferredWork: AnyObject {
    func goOn(on loop: isolated EventLoop)
}

/// Names a watched descriptor.
///
/// The generation tells an event for a descriptor that was closed, and its slot used again.
package struct WatchToken: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    var bits: UInt64 { UInt64(generation) << 32 | UInt64(index) }

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    init(bits: UInt64) {
        self.init(index: UInt32(truncatingIfNeeded: bits), generation: UInt32(truncatingIfNeeded: bits >> 32))
    }
}

private struct Slot {
    var handler: (any EventHandler)?
    var generation: UInt32
}

/// No slot has this token: there are never 2^32 - 1 descriptors.
private let wakeUpToken: UInt64 = .max
