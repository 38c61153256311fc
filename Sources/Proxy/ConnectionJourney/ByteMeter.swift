import AuditTrail
import ByteRelay
import EventLoops
import PolicyCounters
import PolicyEngine

/// A budget of bytes, as one flow sees it: pieces are reserved as the bytes go, and when there are none left the connection
/// is cut.
///
/// Lives on one loop. What is left of the last piece is given back.
final class ByteMeter: FlowMeter {
    private let counters: PolicyCounters
    private let rule: RuleName
    private let piece: Withdrawal
    /// False where the rule, or the whole policy, is on trial: what is too much is counted and goes on.
    private let isEnforced: Bool
    private weak var connection: Connection?
    private let loop: EventLoop
    /// Whom to let go on when there is more.
    weak var flow: (any DeferredWork)?
    private(set) var allowance = 0
    /// What the allowance is of.
    private var reserved: Reservation?
    /// Set while the store is waited for, and once there is no more.
    private var isWaiting = false
    private var bound: LoopBound<ByteMeter>?

    init(
        _ counters: PolicyCounters,
        _ draw: CounterDraw,
        _ first: Reservation,
        isEnforced: Bool,
        _ connection: Connection,
        on loop: isolated EventLoop
    ) {
        self.counters = counters
        rule = draw.counter.rule
        piece = Withdrawal(draw)
        self.isEnforced = isEnforced
        self.connection = connection
        self.loop = loop
        take(first)
        bound = LoopBound(self, on: loop)
    }

    func spend(_ count: Int) {
        allowance -= count
    }

    func refill() -> Bool {
        guard !isWaiting, let bound else { return false }
        reserved = nil
        if case .reserved(let reservation) = counters.reserve([piece]) {
            take(reservation)
            return true
        }
        isWaiting = true
        Task(executorPreference: loop.executor) { await goOn(bound, on: bound.loop) }
        return false
    }

    /// Gives back what was not needed; nothing goes any more.
    func finish() {
        bound = nil
        flow = nil
        if let reserved {
            let spent = reserved.amount(of: piece.key) - Int64(allowance)
            counters.giveBack(reserved.without(spent))
        }
        reserved = nil
        allowance = 0
    }

    private func take(_ reservation: Reservation) {
        reserved = reservation
        allowance = Int(reservation.amount(of: piece.key))
    }

    fileprivate func waitForMore(on loop: isolated EventLoop) async {
        let result = await counters.reserve([piece], on: loop)
        // It may have ended meanwhile.
        guard bound != nil else {
            if case .success(let reservation) = result { counters.giveBack(reservation) }
            return
        }
        switch result {
        case .success(let reservation):
            take(reservation)
            isWaiting = false
            flow?.goOn(on: loop)
        case .failure where !isEnforced:
            allowance = .max
            isWaiting = false
            flow?.goOn(on: loop)
        case .failure(let refusal):
            let reason: Reason =
                switch refusal.cause {
                case .exhausted: .budgetExhausted
                case .unavailable, .tooMany: .countersUnavailable
                }
            connection?.cut(Cut(outcome: .cut, reason: reason, rule: rule), on: loop)
        }
    }
}

private func goOn(_ meter: LoopBound<ByteMeter>, on loop: isolated EventLoop) async {
    await meter.value(on: loop).waitForMore(on: loop)
}
