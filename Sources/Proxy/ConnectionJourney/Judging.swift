import AuditTrail
import EventLoops
import NameResolution
import NetworkTypes
import PolicyEngine
import Telemetry

extension Connection {
    /// Puts the connection to the policy: first what is known, then the addresses that would be dialled.
    ///
    /// - Returns: An answer that allows, with addresses, or one that refuses; undetermined only for a silent client, and
    ///   only where `isFinal` is false.
    func judge(_ worker: Worker, isFinal: Bool, on loop: isolated EventLoop) async -> Decision {
        forgetLookups()
        while true {
            let snapshot = worker.snapshot
            forgetObstacles()
            facts.now = worker.policyTime
            let judged = await judge(worker, by: snapshot, isFinal: isFinal, on: loop)
            let (decision, hold) = await worker.reserve(for: judged, self.hold, by: snapshot.policy, on: loop) {
                var lacking = facts
                lacking.lack($1, because: $2)
                facts = lacking
                return ask($0, snapshot.generation)
            }
            self.hold = hold
            // A policy that was replaced while a name was looked up judges again: what is written is what is in force.
            if worker.snapshot.generation == snapshot.generation { return decision }
        }
    }

    /// Puts what was said first to the policy; where only a name could allow a silent client, waits for the name.
    func judgeOpening(_ worker: Worker, on loop: isolated EventLoop) async -> Decision {
        if sniffed == .connect { return await judgeUnopened(worker, on: loop) }
        let judged = await judge(worker, isFinal: false, on: loop)
        guard judged.verdict == .undetermined else { return judged }
        await sniff(worker, isWaitingForName: true, on: loop)
        return await judge(worker, isFinal: true, on: loop)
    }

    /// Judges a CONNECT that was refused on its authority: its tunnel is not open, whatever would be decided now.
    private func judgeUnopened(_ worker: Worker, on loop: isolated EventLoop) async -> Decision {
        if let refusedAhead, refusedAhead.generation == worker.snapshot.generation, hindrance == nil {
            return refusedAhead.decision
        }
        let judged = await judge(worker, isFinal: false, on: loop)
        return judged.verdict == .deny ? judged : .refused(.policyChanged, port: facts.port)
    }

    private func judge(
        _ worker: Worker,
        by snapshot: PolicySnapshot,
        isFinal: Bool,
        on loop: isolated EventLoop
    ) async -> Decision {
        switch consider(worker, by: snapshot, isFinal: isFinal) {
        case .decided(let decision): return decision
        case .lacksAddresses(let name, let first, let policy):
            let found = await addressesToJudge(of: name, port: facts.port, near: facts.original, on: loop)
            let decision = settle(found, policy, snapshot.generation, isFinal: isFinal)
            // Only the whole answer refuses.
            guard judgesHalf, decision.isRefusal(behind: first) else { return decision }
            let whole = await addressesToJudge(
                of: name,
                isWhole: true,
                port: facts.port,
                near: facts.original,
                on: loop
            )
            // What never came leaves what was there.
            return settle(whole.isEmpty ? found : whole, policy, snapshot.generation, isFinal: isFinal)
        }
    }

    /// What is decided without waiting, or what must be waited for.
    private enum Consideration {
        case decided(Decision)
        /// Beside the name: what was decided without them.
        case lacksAddresses(of: HostName, behind: Decision, Policy)
    }

    /// Puts the connection to the policy where nothing must be waited for; `nil` where something must.
    ///
    /// Called while no policy is being replaced. Of a client that must say more the answer is undetermined.
    func judgeAtOnce(_ worker: Worker) -> Decision? {
        let snapshot = worker.snapshot
        guard !(snapshot.policy?.hasCounters ?? false) else { return nil }
        forgetObstacles()
        forgetLookups()
        facts.now = worker.policyTime
        switch consider(worker, by: snapshot, isFinal: false) {
        case .decided(let decision): return decision
        case .lacksAddresses: return nil
        }
    }

    private func forgetObstacles() {
        guard !facts.exhausted.isEmpty || facts.lacksCounters || facts.lacksSubject else { return }
        // Changed as a copy: the compiler sees that nobody else touches the facts, where each look at them would else be checked as
        // it runs.
        var free = facts
        free.forgetObstacles()
        facts = free
    }

    private func consider(_ worker: Worker, by snapshot: PolicySnapshot, isFinal: Bool) -> Consideration {
        if let hindrance { return .decided(.refused(hindrance, port: facts.port)) }
        guard facts.original != nil || capture == .explicit else {
            return .decided(.refused(.noOriginalDestination))
        }
        guard !facts.isOwnListener else { return .decided(.refused(.ownListener, port: facts.port)) }
        if case .refused(let reason, _, _) = sniffed { return .decided(.refused(reason, port: facts.port)) }
        guard let opening else { return .decided(.refused(.sniffLimit, port: facts.port)) }
        facts.opening = opening
        facts.hasServerName = saysServerName
        guard let policy = snapshot.policy else { return .decided(.refused(.noPolicy, port: facts.port)) }
        // What carries requests is not judged: each of them is.
        if case .known(.http, _) = opening { return .decided(.perRequest(port: facts.port)) }
        facts.addresses = nil
        let decision = firstPhase(policy, snapshot.generation, isFinal: isFinal)
        switch decision.dial {
        case nil: return .decided(decision)
        case .original: facts.addresses = facts.original.map { [$0.socket.address] } ?? []
        // A proxy is told the name, or nobody is.
        case .name where !decision.needsAddresses: facts.addresses = nil
        case .name(let name):
            // A name that is known is not waited for: each step of a task into another costs.
            guard let known = worker.resolver.known(name) else {
                return .lacksAddresses(of: name, behind: decision, policy)
            }
            let found = worker.addresses(from: known, port: facts.port, near: facts.original)
            let settled = settle(found, policy, snapshot.generation, isFinal: isFinal)
            judgesHalf = worker.resolver.isHalf(name)
            return judgesHalf && settled.isRefusal(behind: decision)
                ? .lacksAddresses(of: name, behind: decision, policy) : .decided(settled)
        }
        return .decided(settle(policy, snapshot.generation, isFinal: isFinal))
    }

    private func settle(
        _ found: FoundAddresses,
        _ policy: Policy,
        _ generation: UInt64,
        isFinal: Bool
    ) -> Decision {
        facts.addresses = found.usable
        // A name that leads to ourselves and nowhere else is ourselves.
        if found.usable.isEmpty, found.hasOwn { return .refused(.ownListener, port: facts.port) }
        return settle(policy, generation, isFinal: isFinal)
    }

    /// The second phase: with the addresses, as far as there are any.
    private func settle(_ policy: Policy, _ generation: UInt64, isFinal: Bool) -> Decision {
        if case .unfinished(let reason) = sniffed { return policy.refuse(facts, because: reason) }
        if let cutting { return policy.refuse(facts, because: cutting.reason ?? .draining) }
        return answer(policy, generation, isFinal: isFinal)
    }

    /// Asks the policy; what contradicts itself is for `mode: audit` alone.
    private func ask(_ policy: Policy, _ generation: UInt64) -> Decision {
        contradictsAuthority
            ? policy.refuse(facts, because: .nameMismatch)
            : worker.memory.decision(of: facts, by: policy, generation)
    }

    /// The addresses of a name for the judgement in hand.
    ///
    /// Where one family is late, `isWhole` says whether to wait for that, too; else `judgesHalf` says that it is missing.
    func addressesToJudge(
        of name: HostName,
        isWhole: Bool = false,
        port: UInt16,
        near original: OriginalDestination?,
        on loop: isolated EventLoop
    ) async -> FoundAddresses {
        let began = loop.now
        // The second half must leave time to dial the first.
        let deadline = isWhole ? began &+ worker.settings.dialNanoseconds / 2 : nil
        let found = await addresses(of: name, isWhole: isWhole, port: port, near: original, until: deadline, on: loop)
        lookupNanoseconds &+= loop.now &- began
        judgesHalf = worker.resolver.isHalf(name)
        return found
    }

    /// The addresses of a name; none where the connection is cut meanwhile, or the time is over.
    func addresses(
        of name: HostName,
        isWhole: Bool = false,
        port: UInt16,
        near original: OriginalDestination?,
        until deadline: UInt64? = nil,
        on loop: isolated EventLoop
    ) async -> FoundAddresses {
        guard cutting == nil else { return FoundAddresses() }
        let wait = LookupWait()
        lookup = wait
        defer { lookup = nil }
        let limit = deadline.map { deadline in
            loop.schedule(afterNanoseconds: deadline > loop.now ? deadline &- loop.now : 0) { wait.giveUp() }
        }
        let answer = await worker.resolver.resolve(name, for: facts.owner, isWhole: isWhole, wait, on: loop)
        if let limit { loop.cancel(limit) }
        return worker.addresses(from: answer, port: port, near: original)
    }

    /// The rest of the addresses that a decision is about, where it has not waited for them.
    func rest(_ decision: Decision) -> AwaitedAddresses? {
        guard judgesHalf, decision.needsAddresses, case .name(let name)? = decision.dial else { return nil }
        return AwaitedAddresses(of: name, for: facts.owner, port: facts.port, near: facts.original) { found in
            var facts = self.facts
            facts.addresses = found.usable
            guard let policy = self.worker.snapshot.policy, !self.contradictsAuthority else { return [] }
            self.joined = policy.permit(for: policy.decide(facts), inPlaceOf: decision)?.addresses ?? []
            return self.joined
        }
    }

    private func firstPhase(_ policy: Policy, _ generation: UInt64, isFinal: Bool) -> Decision {
        if case .unfinished(let reason) = sniffed { return policy.refuse(facts, because: reason) }
        if hidesName { return policy.refuse(facts, because: .encryptedName) }
        return answer(policy, generation, isFinal: isFinal)
    }

    /// The policy's answer; where nothing more will be said, what it leaves open is refused.
    private func answer(_ policy: Policy, _ generation: UInt64, isFinal: Bool) -> Decision {
        let decision = ask(policy, generation)
        switch decision.verdict {
        case .allow, .deny: return decision
        case .undetermined, .needsBody: return isFinal ? policy.refuse(facts, because: .sniffLimit) : decision
        }
    }
}

/// What a name stands for.
struct FoundAddresses {
    /// In the order to dial, none of them a listener of our own.
    var usable: [IPAddress] = []
    /// Some of its addresses, at the port that was asked for, are listeners of our own.
    var hasOwn = false

    var isEmpty: Bool { usable.isEmpty && !hasOwn }
}

extension Decision {
    /// True where something is wrong with it, if only by the word of `mode: audit`, that was not wrong with the one before it.
    func isRefusal(behind first: Decision) -> Bool {
        if verdict == .deny { return true }
        return wouldDeny && !(first.wouldDeny && first.reason == reason && first.rule == rule)
    }
}

extension Worker {
    /// The addresses of an answer; none where there are none.
    ///
    /// The address that the agent chose goes first if it is the name's, and otherwise the agent's family does: the agent may
    /// know which of them it can reach.
    func addresses(
        from answer: ResolutionResult?,
        port: UInt16,
        near original: OriginalDestination?
    ) -> FoundAddresses {
        switch answer {
        case nil: return FoundAddresses()
        case .failed:
            metrics.resolutionFailures.increment()
            return FoundAddresses()
        case .addresses(let addresses):
            // A single one has no order, and most names have no more.
            if addresses.count == 1, !isOwnListener(SocketAddress(addresses[0], port: port)) {
                return FoundAddresses(usable: addresses)
            }
            let others = addresses.filter { !isOwnListener(SocketAddress($0, port: port)) }
            return FoundAddresses(
                usable: order(others, near: original?.socket.address),
                hasOwn: addresses.contains { isOwnListener(SocketAddress($0, port: port)) }
            )
        }
    }

    private func order(_ addresses: [IPAddress], near chosen: IPAddress?) -> [IPAddress] {
        guard let chosen else { return happyEyeballsOrder(addresses, startingWith: .ipv6) }
        guard addresses.contains(chosen) else { return happyEyeballsOrder(addresses, startingWith: chosen.family) }
        return [chosen] + happyEyeballsOrder(addresses.filter { $0 != chosen }, startingWith: chosen.family.other)
    }
}
