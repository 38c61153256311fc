import LinuxBindings

/// Somebody who moves bytes when a socket is ready.
///
/// Lives on one loop.
package protocol SocketObserver: AnyObject {
    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop)
}

/// What a wait for a socket came to.
package enum SocketWait: Hashable, Sendable {
    case ready
    case timedOut
    /// Somebody else ended the wait.
    case interrupted
}

/// A TCP socket on a loop: its descriptor and what is known of its readiness.
///
/// Readiness is edge-triggered: it stays as it was told until a call says that it would block. One owner: the connection
/// that it belongs to. It closes when its last owner lets it go, after `detach`.
package final class StreamSocket: EventHandler {
    package let descriptor: OwnedDescriptor
    /// Where what is sent goes through: a cipher's words, too.
    package let outlet: SocketOutlet
    /// False after a read that took all there was, until the next edge.
    package var isReadable: Bool {
        get { canBeRead }
        set { canBeRead = newValue }
    }
    /// True as well where there may be more, and others have their turn first.
    package var mayBeReadable: Bool { canBeRead || isHeldBack }
    /// False after a write that the socket did not take whole, until the next edge.
    package var isWritable: Bool {
        get { canBeWritten }
        set { if newValue { canBeWritten = true } else { noteFull() } }
    }
    /// The peer will send no more than what is buffered, or the socket has failed: reading goes on to the end.
    package var isEnding: Bool { hasEnd }
    /// The connection was reset, or has failed; what the peer sent before may still be read.
    package var hasFailed: Bool { isBroken }
    /// A read may be short and not have taken all that there is: it is asked until there is nothing, because no edge will tell of the
    /// rest.
    ///
    /// At the end of a stream, and where it has had a mark of urgent data, at which each read stops.
    package var readsShort: Bool { hasEnd || hasMark }
    /// The peer has ended its side in order: what can be read now is the last.
    package var isLastReadable: Bool { hasLast }
    /// Told of every edge instead of who waits; it is kept until `detach`, or until it takes itself away.
    package var observer: (any SocketObserver)? {
        get { listener }
        set { listener = newValue }
    }
    /// What stands between the socket and those who read and write it; `nil`: nothing does.
    package var cipher: (any SocketCipher)? {
        get { coding }
        set { coding = newValue }
    }
    /// Nobody waits for what the peer says any more.
    package private(set) var hearsNoMore = false
    /// The peer was told that nothing more follows.
    var hasEndedSending = false
    // What is private is seen by the compiler wherever it is touched: each access would else be checked as it runs.
    private var canBeRead = true
    private var canBeWritten = true
    private var hasEnd = false
    private var hasLast = false
    private var isBroken = false
    private var hasMark = false
    private var listener: (any SocketObserver)?
    private var coding: (any SocketCipher)?
    private var token: WatchToken?
    private var waiter: Waiter?
    /// Set while somebody waits: asking `waiter` would copy it.
    private var isAwaited = false
    private var home: EventLoop?
    private var isRoomAwaited = false
    private var pieces = 0
    private var overhead = 0
    private var isHeldBack = false

    /// How many pieces a cipher gives before others have their turn: what 64 records cost is little beside what 64 connections cost.
    private static let piecesOfTurn = 64

    /// How many octets of the wire a cipher may take that are no data, before others have their turn.
    ///
    /// What they ask for, new keys for one, costs far more than reading them. More than may be held of a record that has not come whole.
    private static let overheadOfTurn = 17_408
    /// How many of them are forgiven each turn: who goes on and on has one look in each.
    private static let forgivenOverhead = 2048

    private struct Waiter {
        var direction: Direction
        var continuation: CheckedContinuation<SocketWait, Never>
        var timer: TimerToken?
    }

    /// Which readiness is waited for.
    package enum Direction: Sendable {
        case reading
        case writing
    }

    package init(_ descriptor: consuming OwnedDescriptor) {
        outlet = SocketOutlet(number: descriptor.number)
        self.descriptor = descriptor
    }

    /// Starts to listen to the kernel.
    package func attach(to loop: isolated EventLoop) throws(SystemCallError) {
        isRoomAwaited = !canBeWritten
        token = try loop.watch(descriptor, self, isRoomAwaited: isRoomAwaited)
        home = loop
        loop.gatherSends(of: self)
    }

    /// Stops to listen, so that the socket can be closed by letting it go.
    package func detach(from loop: isolated EventLoop) {
        interrupt(on: loop)
        listener = nil
        guard let token else { return }
        outlet.leave()
        self.token = nil
        loop.forget(token)
    }

    /// Notes the edge and tells the observer, or whoever waits.
    package func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        outlet.noteMove()
        if events.has(anyOf: .ending) {
            hasEnd = true
            canBeRead = true
            if events.has(anyOf: .failed) { isBroken = true }
            // The kernel tells of a failure once, and the send that met it was told: reading finds an end then.
            hasLast = events.has(anyOf: .peerClosed) && !events.has(anyOf: .failed) && outlet.failure == nil
        }
        if events.has(anyOf: .readable) { canBeRead = true }
        if events.has(anyOf: .urgent) { hasMark = true }
        if events.has(anyOf: .writableOrFailed) {
            canBeWritten = true
            if outlet.hasUnsent { sendOn() }
        }
        if let coding { tell(coding) }
        if let listener {
            listener.socketIsReady(self, on: loop)
        } else if let waiter, isReady(waiter.direction) {
            finishWait(.ready, on: loop)
        }
    }

    /// Waits until the socket can be read or written, or `deadline` has come (nanoseconds of the loop's clock).
    package func wait(
        for direction: Direction,
        until deadline: UInt64?,
        on loop: isolated EventLoop
    ) async -> SocketWait {
        if isOver(direction) { return .interrupted }
        if isReady(direction) { return .ready }
        precondition(waiter == nil, "one waits for a socket at a time")
        if let deadline, deadline <= loop.now { return .timedOut }
        return await withCheckedContinuation { continuation in
            // Asked again, because a task of another loop may have been sent around before it came here.
            if isOver(direction) { return continuation.resume(returning: .interrupted) }
            if isReady(direction) { return continuation.resume(returning: .ready) }
            let timer = deadline.map { deadline in
                loop.schedule(afterNanoseconds: deadline > loop.now ? deadline - loop.now : 0) {
                    self.waiter?.timer = nil
                    self.finishWait(.timedOut, on: loop)
                }
            }
            waiter = Waiter(direction: direction, continuation: continuation, timer: timer)
            isAwaited = true
        }
    }

    /// Ends a wait, if there is one.
    package func interrupt(on loop: isolated EventLoop) {
        finishWait(.interrupted, on: loop)
    }

    /// Ends the wait for what the peer says, if there is one, and every later one; writing is no matter.
    package func hearNoMore(on loop: isolated EventLoop) {
        hearsNoMore = true
        if waiter?.direction == .reading { finishWait(.interrupted, on: loop) }
    }

    /// Counts a piece that a cipher is asked for; false where it has given enough for one turn.
    func takeTurn() -> Bool {
        guard pieces >= Self.piecesOfTurn, home != nil else {
            pieces += 1
            return true
        }
        holdBack()
        return false
    }

    /// Has the socket be read on in the next turn.
    func holdBack() {
        canBeRead = false
        guard !isHeldBack, let home else { return }
        isHeldBack = true
        let held = LoopBound(self, onCurrent: home)
        home.assumeIsolated { loop in loop.runAgain(held.value(on: loop)) }
    }

    /// Counts what a look of the cipher took that is no data; where that is enough, it is asked for nothing more in this turn.
    func charge(_ octets: Int) {
        overhead = min(max(0, overhead + octets), 2 * Self.overheadOfTurn)
        if overhead > Self.overheadOfTurn { pieces = Self.piecesOfTurn }
    }

    /// Sending has failed behind the back of whoever sent: whoever waits for the peer is to learn that nothing more will come.
    func noteFailure() {
        isBroken = true
        hasEnd = true
        hasLast = false
        coding?.becomesReadable(isEnding: true)
        holdBack()
    }

    /// Notes that there is no more to read for now.
    func noteEmpty() {
        canBeRead = false
        beginTurn()
    }

    private func beginTurn() {
        pieces = 0
        if overhead > 0 { overhead = max(0, overhead - Self.forgivenOverhead) }
    }

    /// Notes that the socket did not take all.
    ///
    /// Most sockets always do: only now is the kernel asked to tell of room.
    private func noteFull() {
        canBeWritten = false
        guard !isRoomAwaited, let token, let home else { return }
        isRoomAwaited = true
        let number = descriptor.number
        home.assumeIsolated { loop in loop.awaitRoom(token, number: number) }
    }

    /// What was taken before goes first.
    private func sendOn() {
        outlet.flush()
        if outlet.hasUnsent { canBeWritten = false }
    }

    private func tell(_ cipher: any SocketCipher) {
        if canBeRead { cipher.becomesReadable(isEnding: readsShort) }
        guard canBeWritten, cipher.hasUnsent else { return }
        // A failure is met again by whoever writes next.
        try? cipher.flush()
        // A cipher that had to answer, and could not, has stopped reading: nothing else would tell that it can go on.
        guard !cipher.hasUnsent else { return noteFull() }
        canBeRead = true
        cipher.becomesReadable(isEnding: readsShort)
    }

    private func isOver(_ direction: Direction) -> Bool {
        switch direction {
        case .reading: hearsNoMore
        case .writing: false
        }
    }

    private func isReady(_ direction: Direction) -> Bool {
        switch direction {
        case .reading: canBeRead
        case .writing: canBeWritten
        }
    }

    private func finishWait(_ outcome: SocketWait, on loop: isolated EventLoop) {
        guard isAwaited, let waiter else { return }
        isAwaited = false
        self.waiter = nil
        if let timer = waiter.timer { loop.cancel(timer) }
        waiter.continuation.resume(returning: outcome)
    }
}

/// It was held back: others have had their turn.
extension StreamSocket: DeferredWork {
    /// Tells the observer, or whoever waits, that there is more to read.
    package func goOn(on loop: isolated EventLoop) {
        isHeldBack = false
        beginTurn()
        guard token != nil else { return }
        ready(.readable, on: loop)
    }
}
