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
        while true {
            let snapshot = worker.snapshot
            let decision = await judge(worker, by: snapshot, isFinal: isFinal, on: loop)
            // A policy that was replaced while a name was looked up judges again: what is written is what is in force.
            if worker.snapshot.generation == snapshot.generation { return decision }
        }
    }

    private func judge(
        _ worker: Worker,
        by snapshot: PolicySnapshot,
        isFinal: Bool,
        on loop: isolated EventLoop
    ) async -> Decision {
        guard !isUnrecordable else { return .refused(.auditUnavailable, port: facts.port) }
        guard let original = facts.original else { return .refused(.noOriginalDestination) }
        guard !facts.isOwnListener else { return .refused(.ownListener, port: facts.port) }
        if case .refused(let reason, _, _) = sniffed { return .refused(reason, port: facts.port) }
        guard let opening = sniffed?.opening else { return .refused(.sniffLimit, port: facts.port) }
        facts.opening = opening
        guard let policy = snapshot.policy else { return .refused(.noPolicy, port: facts.port) }
        facts.addresses = nil
        let decision = firstPhase(policy, isFinal: isFinal)
        switch decision.dial {
        case nil: return decision
        case .original: facts.addresses = [original.socket.address]
        case .name(let name): facts.addresses = await lookUp(name, for: original, worker, on: loop)
        }
        if case .unfinished(let reason) = sniffed { return policy.refuse(facts, because: reason) }
        if let cutting { return policy.refuse(facts, because: cutting.reason ?? .draining) }
        return policy.decide(facts)
    }

    /// The addresses of a name; empty where the connection is cut meanwhile.
    private func lookUp(
        _ name: HostName,
        for original: OriginalDestination,
        _ worker: Worker,
        on loop: isolated EventLoop
    ) async -> [IPAddress] {
        guard cutting == nil else { return [] }
        let wait = LookupWait()
        lookup = wait
        defer { lookup = nil }
        return await worker.addresses(of: name, for: original, wait, on: loop)
    }

    private func firstPhase(_ policy: Policy, isFinal: Bool) -> Decision {
        if case .unfinished(let reason) = sniffed { return policy.refuse(facts, because: reason) }
        let decision = policy.decide(facts)
        switch decision.verdict {
        case .allow, .deny: return decision
        case .undetermined: return isFinal ? policy.refuse(facts, because: .sniffLimit) : decision
        }
    }
}

extension Worker {
    /// The addresses of a name in the order to dial, none of them a listener of our own; empty where there are none.
    ///
    /// The address that the agent chose goes first if it is the name's, and otherwise the agent's family does: the agent may
    /// know which of them it can reach.
    func addresses(
        of name: HostName,
        for original: OriginalDestination,
        _ wait: LookupWait,
        on loop: isolated EventLoop
    ) async -> [IPAddress] {
        switch await resolver.resolve(name, wait, on: loop) {
        case nil: return []
        case .failed:
            metrics.resolutionFailures.increment()
            return []
        case .addresses(let addresses):
            let chosen = original.socket.address
            let own = addresses.filter { !isOwnListener(SocketAddress($0, port: original.socket.port)) }
            guard own.contains(chosen) else { return happyEyeballsOrder(own, startingWith: chosen.family) }
            return [chosen] + happyEyeballsOrder(own.filter { $0 != chosen }, startingWith: chosen.family.other)
        }
    }
}
