import NetworkTypes

extension Policy {
    /// The counters that a decision would draw on if none were exhausted: what to reserve before the decision is made.
    package func draws(for facts: Facts) -> [CounterDraw] {
        guard hasCounters else { return [] }
        var facts = facts
        facts.exhausted = []
        return decide(facts).draws
    }

    /// What a decision by the rule draws on, without what is exhausted.
    func draws(of rule: Rule, _ facts: Facts) -> [CounterDraw] {
        guard rule.hasCounters else { return [] }
        let draws = rule.draws(facts)
        return facts.exhausted.isEmpty ? draws : draws.filter { !facts.exhausted.contains($0.counter) }
    }

    /// The refusal of a rule of which a counter has nothing left.
    func exhaustion(of rule: Rule, _ facts: Facts) -> Decision? {
        guard rule.hasCounters, !facts.exhausted.isEmpty else { return nil }
        let empty = rule.draws(facts).first { facts.exhausted.contains($0.counter) }
        return empty.map { draw in
            let reason =
                facts.lacksSubject && !draw.counter.subject.isKnown
                ? Reason.undetermined
                : facts.lacksCounters ? .countersUnavailable : draw.counter.quantity.exhaustion
            return .refused(reason, rule: rule.name, port: facts.port)
        }
    }
}

extension Facts {
    /// Notes that nothing can be drawn on a counter.
    package mutating func lack(_ counter: PolicyCounter, because obstacle: CounterObstacle) {
        exhausted.insert(counter)
        switch obstacle {
        case .exhausted: break
        case .unavailable: lacksCounters = true
        case .unattributable: lacksSubject = true
        }
    }

    /// Forgets what could not be drawn on: the question is put anew.
    package mutating func forgetObstacles() {
        exhausted = []
        lacksCounters = false
        lacksSubject = false
    }
}

extension Rule {
    var hasCounters: Bool { terms.rate != nil || terms.budget != nil }

    /// What a connection or request that the rule allows draws on.
    func draws(_ facts: Facts) -> [CounterDraw] {
        var draws: [CounterDraw] = []
        if let rate = terms.rate {
            draws.append(draw(.rate, rate.limit, rate.per, CountedSubject(rate.by, host: countedHost(facts), facts)))
        }
        guard let budget = terms.budget else { return draws }
        let subject = CountedSubject(budget.by, host: countedHost(facts), facts)
        if let requests = budget.requests { draws.append(draw(.requests, requests, budget.per, subject)) }
        if let bytes = budget.bytesUp { draws.append(draw(.bytesUp, bytes, budget.per, subject)) }
        return draws
    }

    /// Where what the rule allows goes: the name that is dialled, or the address.
    ///
    /// What is bound to blocks goes to the original destination, whatever the agent calls it: a name that it made up has no
    /// counter of its own.
    private func countedHost(_ facts: Facts) -> String {
        let address = facts.original?.socket.address.description
        return (isBoundToBlocks ? address : facts.name?.text ?? address) ?? "-"
    }

    private func draw(
        _ quantity: CountedQuantity,
        _ limit: UInt64,
        _ period: CountingPeriod?,
        _ subject: CountedSubject
    ) -> CounterDraw {
        CounterDraw(
            counter: PolicyCounter(rule: name, quantity: quantity, subject: subject),
            limit: limit,
            period: period,
            isOnTrial: terms.isOnTrial
        )
    }
}

extension CountedSubject {
    /// Whose counter a connection draws on.
    init(_ scope: CountingScope, host: @autoclosure () -> String, _ facts: Facts) {
        let key =
            switch scope {
            case .rule: ""
            case .host: host()
            case .workload:
                [facts.workload.namespace, facts.workload.serviceAccount, facts.owner.map { "\($0)" }]
                    .map { $0 ?? "-" }.joined(separator: "/")
            }
        self.init(scope: scope, key: key)
    }
}

extension CounterDraw {
    /// The same, stopping nothing.
    var onTrial: CounterDraw {
        CounterDraw(counter: counter, limit: limit, period: period, isOnTrial: true)
    }
}
