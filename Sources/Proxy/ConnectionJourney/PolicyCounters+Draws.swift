import PolicyCounters
import PolicyEngine

extension PolicyCounters {
    /// What stands in the way of drawing on a counter now; nothing is spent.
    package func obstacle(to draw: CounterDraw) -> CounterObstacle? {
        draw.counter.subject.isKnown ? obstacle(to: [Withdrawal(draw)])?.obstacle : .unattributable
    }
}

extension CounterRefusal {
    /// The same, as policy is told.
    var obstacle: CounterObstacle {
        switch cause {
        case .exhausted: .exhausted
        case .unavailable, .tooMany: .unavailable
        }
    }
}

extension CounterKey {
    /// A counter of policy, as the store knows it.
    init(_ counter: PolicyCounter) {
        let kind: Kind =
            switch counter.quantity {
            case .rate: .rate
            case .requests: .requests
            case .bytesUp: .bytesUp
            }
        self.init(
            rule: counter.rule.text,
            kind: kind,
            subject: "\(counter.subject.scope.rawValue):\(counter.subject.key)"
        )
    }
}

extension Withdrawal {
    /// How many bytes of a budget are reserved at once, at most: what a flow holds that others cannot have meanwhile.
    private static let pieceBytes: Int64 = 256 << 10

    /// What a decision takes: one, and of bytes a first piece.
    init(_ draw: CounterDraw) {
        let limit = CounterLimit(amount: Int64(clamping: draw.limit), seconds: draw.period?.seconds)
        switch draw.counter.quantity {
        case .rate, .requests: self.init(CounterKey(draw.counter), limit)
        case .bytesUp:
            // A small budget is shared in small pieces.
            let piece = min(max(1, limit.amount / 64), Self.pieceBytes)
            self.init(CounterKey(draw.counter), limit, amount: piece, least: 1)
        }
    }
}
