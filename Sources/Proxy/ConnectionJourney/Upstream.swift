import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine

/// Opens the upstream connection that a permit allows, and no other: there is no other way to an upstream socket.
///
/// `rest` are addresses of the same name that come while those of the permit are dialled.
func openUpstream(
    _ permit: consuming Permit,
    awaiting rest: AwaitedAddresses?,
    for connection: Connection,
    _ worker: Worker,
    on loop: isolated EventLoop
) async -> Dialled {
    let dialled: Dialled
    if permit.egress.isEmpty {
        // A client that was silent so far may let its server speak first; every other has sent what goes up at once.
        let race = Race(permit.addresses, awaiting: rest, speaksFirst: connection.sniffed != .silent)
        dialled = await dial(race, until: loop.now &+ connection.takeDialTime(), for: connection, on: loop)
    } else {
        dialled = await goOut(permit, awaiting: rest, for: connection, worker, on: loop)
    }
    // A cut that came between the socket's last word and this task's turn found nobody who waited.
    guard connection.cutting != nil, case .connected(let reached) = dialled else { return dialled }
    drop(reached, on: loop)
    return .abandoned
}

/// Lets go of an upstream that was reached and is not used.
func drop(_ reached: Reached, on loop: isolated EventLoop) {
    resetOnClose(reached.socket.descriptor)
    reached.socket.detach(from: loop)
}

/// The same for a permit that leads out directly, where nobody waits: the connection is told, before this returns or later.
func openUpstream(
    _ permit: consuming Permit,
    awaiting rest: AwaitedAddresses?,
    tellingConnection connection: Connection,
    on loop: isolated EventLoop
) {
    let race = Race(permit.addresses, awaiting: rest, speaksFirst: connection.sniffed != .silent)
    let runner = DialRace(race, of: connection)
    connection.race = runner
    runner.start(limit: connection.takeDialTime(), for: connection, on: loop)
}

/// Opens the connection to a configured sink that an errand allows: to a proxy, which we speak to first.
func openErrand(
    _ errand: consuming ErrandPermit,
    awaiting rest: AwaitedAddresses?,
    from source: SocketSource?,
    until deadline: UInt64,
    for connection: Connection,
    on loop: isolated EventLoop
) async -> Dialled {
    let race = Race(errand.addresses, awaiting: rest, speaksFirst: true, from: source)
    return await dial(race, until: deadline, for: connection, on: loop)
}

/// What is raced to; a permit says which addresses.
struct Race {
    var addresses: [UpstreamAddress]
    /// What joins them when it comes.
    var rest: AwaitedAddresses?
    /// Bytes wait to be sent to whoever wins.
    var speaksFirst: Bool
    /// `nil`: the machine chooses.
    var source: SocketSource?

    init(
        _ addresses: [UpstreamAddress],
        awaiting rest: AwaitedAddresses?,
        speaksFirst: Bool,
        from source: SocketSource? = nil
    ) {
        self.addresses = addresses
        self.rest = rest
        self.speaksFirst = speaksFirst
        self.source = source
    }
}

/// Races, as RFC 8305, section 5, says: each next attempt starts when the one before failed, or after 250 ms.
func dial(
    _ race: Race,
    until deadline: UInt64,
    for connection: Connection,
    on loop: isolated EventLoop
) async -> Dialled {
    let runner = DialRace(race, of: connection)
    connection.race = runner
    defer { connection.race = nil }
    return await runner.run(limit: deadline > loop.now ? deadline &- loop.now : 0, for: connection, on: loop)
}

/// Several attempts to connect, of which the first that succeeds is kept.
///
/// Lives on one loop.
final class DialRace: SocketObserver {
    private var waiting: ArraySlice<UpstreamAddress>
    /// Those that refused, and are asked once more when nobody else waits.
    private var refused: [UpstreamAddress] = []
    private let speaksFirst: Bool
    private let source: SocketSource?
    /// What joins those that wait.
    private let rest: AwaitedAddresses?
    /// Set while that is waited for.
    private var lookup: LookupWait?
    /// As long as more may come.
    private var tried: [UpstreamAddress] = []
    private var running: [Attempt] = []
    private var continuation: CheckedContinuation<Void, Never>?
    /// Who is told where nobody waits.
    private var told: Connection?
    /// Set while somebody waits; asking a continuation would copy it.
    private var isRunning = false
    private var outcome = Dialled.abandoned
    private var lastError: SystemCallError?
    private var attempts = 0
    /// In nanoseconds of the loop's clock.
    private var lastAttempt: UInt64 = 0
    private var nextAttempt: TimerToken?
    private var limit: TimerToken?
    /// How often what is refused is asked for once more, from another port.
    ///
    /// The kernel may have led the first one astray: it remembers for a while where a captured connection went that had its
    /// port, and the rules refuse what would go there, too.
    private var repetitions = 2
    private let allowance: DialAllowance
    private let owner: ConnectionOwner?
    /// How much of it the attempts take that run beside the first.
    private var spent = 0

    /// The recommended "Connection Attempt Delay" of RFC 8305, section 8.
    private static let attemptDelay: UInt64 = 250_000_000
    /// How many may run at once.
    private static let mostRunning = 8
    /// Whoever is given up for the next has had so many nanoseconds, and has asked twice.
    private static let leastTime: UInt64 = 2_000_000_000

    private struct Attempt {
        var socket: StreamSocket
        var address: UpstreamAddress
        /// In nanoseconds of the loop's clock.
        var since: UInt64
    }

    fileprivate init(_ race: Race, of connection: Connection) {
        allowance = connection.worker.dialAllowance
        owner = connection.facts.owner
        speaksFirst = race.speaksFirst
        source = race.source
        rest = race.rest
        waiting = []
        waiting = reachable(race.addresses)
    }

    /// Those that can be dialled from the source.
    private func reachable(_ addresses: [UpstreamAddress]) -> ArraySlice<UpstreamAddress> {
        guard let source else { return addresses[...] }
        return addresses.filter { source.has($0.socket.address.family) }[...]
    }

    /// Runs the race; `limit` is how long all attempts may take together, in nanoseconds.
    func run(limit nanoseconds: UInt64, for connection: Connection, on loop: isolated EventLoop) async -> Dialled {
        await withCheckedContinuation { continuation in
            self.continuation = continuation
            begin(limit: nanoseconds, for: connection, on: loop)
        }
        return outcome
    }

    /// The same, where nobody waits: the connection is told.
    func start(limit nanoseconds: UInt64, for connection: Connection, on loop: isolated EventLoop) {
        told = connection
        begin(limit: nanoseconds, for: connection, on: loop)
    }

    private func begin(limit nanoseconds: UInt64, for connection: Connection, on loop: isolated EventLoop) {
        isRunning = true
        // Looking up the name took all the time.
        guard nanoseconds > 0 else { return finish(.failed(.timedOut), on: loop) }
        limit = loop.schedule(afterNanoseconds: nanoseconds) {
            self.limit = nil
            self.finish(.failed(self.running.isEmpty ? self.unconnected : .timedOut), on: loop)
        }
        if let rest {
            let lookup = LookupWait()
            self.lookup = lookup
            loop.startTask(with: (self, rest, lookup, connection.worker)) { state, loop in
                let (race, rest, lookup, worker) = state
                race.join(await rest.addresses(lookup, worker, on: loop), on: loop)
            }
        }
        tryNext(on: loop)
    }

    private var unconnected: DialFailure { .unconnected(lastError, attempts: attempts, from: source) }

    /// Takes the whole answer in the place of what waits of the half; without one, what there is has to do.
    private func join(_ whole: [UpstreamAddress], on loop: isolated EventLoop) {
        guard isRunning else { return }
        lookup = nil
        if !whole.isEmpty { waiting = reachable(whole.filter { !tried.contains($0) }) }
        let passed = loop.now &- lastAttempt
        guard !running.isEmpty, passed < Self.attemptDelay else { return tryNext(on: loop) }
        tryNext(on: loop, afterNanoseconds: Self.attemptDelay &- passed)
    }

    /// Ends the race without a winner.
    func abandon(on loop: isolated EventLoop) {
        finish(.abandoned, on: loop)
    }

    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        guard let attempt = running.first(where: { $0.socket === socket }) else { return }
        guard let failure = failure(of: socket) else {
            guard socket.isWritable else { return }
            return win(attempt, on: loop)
        }
        lastError = failure
        running = running.filter { $0.socket !== socket }
        _ = spend(running.count - 1)
        socket.detach(from: loop)
        if failure.isRefused { refused.append(attempt.address) }
        tryNext(on: loop)
    }

    /// Why an attempt failed; a socket that epoll does not call ending or failed has not.
    private func failure(of socket: StreamSocket) -> SystemCallError? {
        guard socket.isEnding else { return nil }
        do throws(SystemCallError) {
            return try pendingError(socket.descriptor)
        } catch {
            return error
        }
    }

    private func tryNext(on loop: isolated EventLoop) {
        if let nextAttempt { loop.cancel(nextAttempt) }
        nextAttempt = nil
        // In the time that somebody has of right, nobody takes the place.
        if let oldest = running.first, hasMore, !takeRoom() {
            let passed = loop.now &- oldest.since
            if passed < Self.leastTime { return tryNext(on: loop, afterNanoseconds: Self.leastTime &- passed) }
        }
        while isRunning {
            if let address = waiting.first {
                waiting = waiting.dropFirst()
                attempts += 1
                lastAttempt = loop.now
                if lookup != nil { tried.append(address) }
                if attempt(address, on: loop) { break }
            } else if let address = takeRefused() {
                if attempt(address, anew: true, on: loop) { break }
            } else {
                break
            }
        }
        guard isRunning else { return }
        _ = spend(running.count - 1)
        if running.isEmpty, waiting.isEmpty, lookup == nil { return finish(.failed(unconnected), on: loop) }
        tryNext(on: loop, afterNanoseconds: Self.attemptDelay)
    }

    /// One that refused, as long as such may be asked once more.
    private func takeRefused() -> UpstreamAddress? {
        guard repetitions > 0, !refused.isEmpty else { return nil }
        repetitions -= 1
        return refused.removeFirst()
    }

    private var hasMore: Bool { !waiting.isEmpty || (repetitions > 0 && !refused.isEmpty) }

    /// Takes what one more needs beside those that run; false where it may not.
    private func takeRoom() -> Bool { running.count < Self.mostRunning && spend(running.count) }

    private func tryNext(on loop: isolated EventLoop, afterNanoseconds delay: UInt64) {
        if let nextAttempt { loop.cancel(nextAttempt) }
        nextAttempt = nil
        guard hasMore else { return }
        nextAttempt = loop.schedule(afterNanoseconds: delay) {
            self.nextAttempt = nil
            self.tryNext(on: loop)
        }
    }

    /// Starts one attempt; false where it failed at once.
    private func attempt(_ address: UpstreamAddress, anew: Bool = false, on loop: isolated EventLoop) -> Bool {
        do throws(SystemCallError) {
            let family = address.socket.address.family
            let descriptor = try streamSocket(family: family)
            try sendWithoutDelay(descriptor)
            if speaksFirst { try connectWithFirstBytes(descriptor) }
            if let source {
                try source.bind(descriptor, family, toFreePort: anew)
            } else if anew {
                try bindToFreePort(descriptor, family)
            }
            let progress = try startConnecting(descriptor, to: address.socket)
            let socket = StreamSocket(descriptor)
            socket.observer = self
            // Nothing has come yet: what comes is told by an edge.
            socket.isReadable = false
            switch progress {
            case .connected: break
            case .inProgress: socket.isWritable = false
            }
            try socket.attach(to: loop)
            // Taken out meanwhile, so that the compiler sees that nobody else touches them: else that is checked as it runs.
            var all = running
            running = []
            let attempt = Attempt(socket: socket, address: address, since: loop.now)
            all.append(attempt)
            running = all
            if case .connected = progress { win(attempt, on: loop) } else { makeRoom(on: loop) }
            return true
        } catch {
            // Where no other port is free, that is not why the address was not reached.
            if !anew || error.isRefused { lastError = error }
            if error.isRefused { refused.append(address) }
            return false
        }
    }

    /// Gives the oldest attempt up, where more run than may.
    private func makeRoom(on loop: isolated EventLoop) {
        guard running.count > 1, running.count > Self.mostRunning || !spend(running.count - 1) else { return }
        let oldest = running.removeFirst()
        resetOnClose(oldest.socket.descriptor)
        oldest.socket.detach(from: loop)
    }

    /// Takes what so many attempts beside the first need, and gives back what they do not; false where there is not enough.
    private func spend(_ count: Int) -> Bool {
        let needed = max(0, count)
        guard needed == spent || allowance.take(needed - spent, for: owner) else { return false }
        spent = needed
        return true
    }

    private func win(_ winner: Attempt, on loop: isolated EventLoop) {
        running = running.count == 1 ? [] : running.filter { $0.socket !== winner.socket }
        winner.socket.observer = nil
        finish(.connected(Reached(socket: winner.socket, target: winner.address)), on: loop)
    }

    private func finish(_ outcome: Dialled, on loop: isolated EventLoop) {
        guard isRunning else { return }
        isRunning = false
        if let nextAttempt { loop.cancel(nextAttempt) }
        if let limit { loop.cancel(limit) }
        lookup?.giveUp()
        lookup = nil
        for loser in running {
            resetOnClose(loser.socket.descriptor)
            loser.socket.detach(from: loop)
        }
        running = []
        waiting = []
        refused = []
        _ = spend(0)
        if let told {
            self.told = nil
            return told.dialIsOver(outcome, on: loop)
        }
        self.outcome = outcome
        continuation?.resume()
        continuation = nil
    }
}
