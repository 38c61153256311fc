import EventLoops
import PolicyCounters
import PolicyEngine
import Synchronization

/// What was reserved for the decision in hand, of a connection or of a request on it.
///
/// Lives on one loop. What the decision that is recorded does not draw on is given back.
final class CounterHold {
    private let counters: PolicyCounters
    /// What the decision draws on that the reservation was made for.
    private var draws: [CounterDraw] = []
    private var reservation: Reservation?
    /// After how many seconds what was refused last may pass; `nil`: nobody knows, or never.
    private(set) var retrySeconds: Int64?

    /// How long the store may take to write before what waits for it is refused, in nanoseconds.
    static let patience: UInt64 = 5_000_000_000

    init(_ counters: PolicyCounters) {
        self.counters = counters
    }

    deinit { release() }

    /// Reserves what a decision draws on, and puts the question again where something has nothing left.
    ///
    /// Asking twice reserves once: a connection is judged again when it says more. `askAgain` is told what stands in the way of
    /// which counter.
    func reserve(
        for first: Decision,
        on loop: isolated EventLoop,
        _ askAgain: (PolicyCounter, CounterObstacle) -> Decision
    ) async -> Decision {
        retrySeconds = nil
        var decision = first
        while !decision.draws.isEmpty {
            if decision.draws == draws, reservation != nil { return decision }
            release()
            let wanted = decision.draws
            if let nobodys = wanted.first(where: { !$0.counter.subject.isKnown }) {
                decision = askAgain(nobodys.counter, .unattributable)
                continue
            }
            switch await counters.reserve(wanted.map(Withdrawal.init), on: loop) {
            case .success(let reserved):
                draws = wanted
                reservation = reserved
                return decision
            case .failure(let refusal):
                guard let draw = wanted.first(where: { CounterKey($0.counter) == refusal.key }) else { return decision }
                decision = askAgain(draw.counter, note(refusal))
            }
        }
        release()
        return decision
    }

    private func note(_ refusal: CounterRefusal) -> CounterObstacle {
        if case .exhausted(let nanoseconds) = refusal.cause {
            retrySeconds = nanoseconds.map { max(1, ($0 &+ 999_999_999) / 1_000_000_000) }
        }
        return refusal.obstacle
    }

    /// Gives everything back.
    func release() {
        if let reservation { counters.giveBack(reservation) }
        reservation = nil
        draws = []
    }

    /// Spends what was reserved: the decision that draws on it is recorded.
    ///
    /// - Returns: what bounds the bytes that go up; `nil` where nothing does.
    func spend(
        on decision: Decision,
        isEnforced: Bool,
        _ connection: Connection,
        on loop: isolated EventLoop
    ) -> ByteMeter? {
        guard var reserved = reservation, decision.verdict == .allow, decision.draws == draws else {
            release()
            return nil
        }
        let bytes = draws.first { $0.counter.quantity == .bytesUp }
        reservation = nil
        draws = []
        guard let bytes else { return nil }
        let first = reserved.split(CounterKey(bytes.counter))
        return ByteMeter(counters, bytes, first, isEnforced: isEnforced && !bytes.isOnTrial, connection, on: loop)
    }
}

extension Worker {
    /// Reserves what a decision draws on; where that has nothing left, it is another.
    ///
    /// - Returns: the decision that stands, and the hold, which is made where a policy first needs one.
    func reserve(
        for decision: Decision,
        _ hold: CounterHold?,
        by policy: Policy?,
        on loop: isolated EventLoop,
        _ askAgain: (Policy, PolicyCounter, CounterObstacle) -> Decision
    ) async -> (decision: Decision, hold: CounterHold?) {
        guard let policy, policy.hasCounters else {
            hold?.release()
            return (decision, hold)
        }
        let hold = hold ?? CounterHold(counters)
        return (await hold.reserve(for: decision, on: loop) { askAgain(policy, $0, $1) }, hold)
    }
}

extension PolicyCounters {
    /// Reserves all of it or nothing, and waits where the store must write first.
    func reserve(
        _ wanted: [Withdrawal],
        on loop: isolated EventLoop
    ) async -> Result<Reservation, CounterRefusal> {
        let deadline = loop.now &+ CounterHold.patience
        while true {
            switch reserve(wanted) {
            case .reserved(let reservation): return .success(reservation)
            case .refused(let refusal): return .failure(refusal)
            case .mustWait(let ticket):
                guard loop.now < deadline, await settled(ticket, until: deadline, on: loop) else {
                    return .failure(CounterRefusal(key: wanted[0].key, cause: .unavailable))
                }
            }
        }
    }

    /// Waits until a ticket's round is over; false where that takes too long.
    private func settled(_ ticket: UInt64, until deadline: UInt64, on loop: isolated EventLoop) async -> Bool {
        let wait = StoreWait()
        let limit = loop.schedule(afterNanoseconds: deadline &- loop.now) { wait.end(false) }
        defer { loop.cancel(limit) }
        return await withCheckedContinuation { continuation in
            wait.begin(continuation)
            whenSettled(ticket) { wait.end(true) }
        }
    }
}

/// One wait for the store, ended once: by the store's thread, or by the loop when that took too long.
private final class StoreWait: Sendable {
    private let continuation = Mutex<CheckedContinuation<Bool, Never>?>(nil)

    func begin(_ continuation: CheckedContinuation<Bool, Never>) {
        self.continuation.withLock { $0 = continuation }
    }

    func end(_ isSettled: Bool) {
        continuation.withLock { $0.take() }?.resume(returning: isSettled)
    }
}
