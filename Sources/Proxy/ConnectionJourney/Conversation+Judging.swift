import EventLoops
import NetworkTypes
import PolicyEngine
import WireFormats

extension Conversation {
    /// Puts a request to the policy.
    ///
    /// - Returns: An answer that allows, with addresses, or one that refuses.
    func judge(_ request: HTTP1Request, on loop: isolated EventLoop) async -> Decision {
        connection.forgetLookups()
        while true {
            let snapshot = worker.snapshot
            let judged = await judge(request, by: snapshot, on: loop)
            let (decision, hold) = await worker.reserve(for: judged, self.hold, by: snapshot.policy, on: loop) {
                facts.lack($1, because: $2)
                return $0.decide(facts)
            }
            self.hold = hold
            // A policy that was replaced while a name was looked up judges again: what is written is what is in force.
            guard worker.snapshot.generation == snapshot.generation else { continue }
            if decision.reason == .ambiguousField {
                detail = facts.request?.fields?.lookalikes.prefix(4).joined(separator: ", ")
            }
            return decision
        }
    }

    private func judge(
        _ request: HTTP1Request,
        by snapshot: PolicySnapshot,
        on loop: isolated EventLoop
    ) async -> Decision {
        forgetFacts(ofRequestBefore: request)
        if let hindrance = connection.hindrance { return .refused(hindrance, port: facts.port) }
        guard let policy = snapshot.policy else { return .refused(.noPolicy, port: facts.port) }
        let mismatch: Bool
        do throws(RequestObjection) {
            mismatch = try describe(request, for: policy)
        } catch {
            detail = error.detail
            return .refused(error.reason, port: facts.port)
        }
        // A contradiction is what `mode: audit` lets through and records; what cannot be understood is not.
        func ask() -> Decision { mismatch ? policy.refuse(facts, because: .nameMismatch) : policy.decide(facts) }
        if !mismatch, let decision = decisionForOpenUpstream(policy) { return decision }
        facts.addresses = nil
        var decision = ask()
        if decision.verdict == .needsBody {
            if let objection = await readCalls(of: request, for: decision, on: loop) { return objection }
            facts.request?.calls = spoken?.calls
            decision = ask()
        }
        switch (decision.verdict, decision.dial) {
        case (.needsBody, _): return policy.refuse(facts, because: .undetermined)
        case (.deny, _), (_, nil): return decision
        case (.undetermined, _): return policy.refuse(facts, because: .undetermined)
        case (.allow, .original?): facts.addresses = facts.original.map { [$0.socket.address] } ?? []
        // A proxy is told the name, or nobody is.
        case (.allow, .name?) where !decision.needsAddresses: facts.addresses = nil
        case (.allow, .name(let name)?):
            let isOwn = facts.isOwnListener
            let half = await lookUp(name, on: loop)
            // Only the whole answer refuses.
            if connection.judgesHalf, ask().isRefusal(behind: decision) {
                facts.isOwnListener = isOwn
                let whole = await lookUp(name, isWhole: true, on: loop)
                // What never came leaves what was there.
                if whole.isEmpty { note(half) }
            }
        }
        if let cut = connection.cutting { return policy.refuse(facts, because: cut.reason ?? .draining) }
        decision = ask()
        // A deny that names addresses may be the first to ask for the body.
        if decision.verdict == .needsBody {
            if let objection = await readCalls(of: request, for: decision, on: loop) { return objection }
            facts.request?.calls = spoken?.calls
            decision = ask()
        }
        return decision.verdict == .needsBody ? policy.refuse(facts, because: .undetermined) : decision
    }

    /// The answer for a request that needs no more than the upstream that is open; `nil` where it must be judged in full.
    func judgeForOpenUpstream(_ request: HTTP1Request) -> Decision? {
        forgetFacts(ofRequestBefore: request)
        connection.forgetLookups()
        guard let policy = worker.snapshot.policy,
            let isMismatch = try? describe(request, for: policy), !isMismatch
        else { return nil }
        // What draws on counters has to reserve first.
        guard let decision = decisionForOpenUpstream(policy), decision.draws.isEmpty, !looksAtContent(decision) else {
            return nil
        }
        return decision
    }

    /// Nothing of the request before is told of this one, whatever comes of it.
    private func forgetFacts(ofRequestBefore request: HTTP1Request) {
        repetition.forgetFacts()
        detail = nil
        facts.original = connection.facts.original
        facts.port = connection.facts.port
        facts.isOwnListener = false
        facts.addresses = nil
        facts.request = nil
        facts.forgetObstacles()
        facts.now = worker.policyTime
        if case .name(let name, _) = request.host {
            facts.opening = .known(scope.spoken, name: name)
        } else {
            facts.opening = .known(scope.spoken, name: nil)
        }
    }

    /// Notes what is known of a request; true where it contradicts itself.
    func describe(_ request: HTTP1Request, for policy: Policy) throws(RequestObjection) -> Bool {
        let target = try scope.target(of: request)
        facts.original = target.original
        facts.port = target.port
        facts.opening = .known(scope.spoken, name: target.name)
        facts.isOwnListener = target.original.map { worker.isOwnListener($0.socket) } ?? false
        guard let method = RequestMethod(request.methodBytes.span) else {
            throw RequestObjection(reason: .malformedRequest, detail: "method")
        }
        facts.request = RequestFacts(
            method: method,
            path: try path(of: request),
            fields: fields(of: request, askedBy: policy),
            query: policy.asksForQuery ? RequestQuery(request.query ?? []) : nil,
            calls: spoken?.calls
        )
        detail = target.mismatch
        return target.mismatch != nil
    }

    /// The fields that rules look at: those that are forwarded.
    private func fields(of request: HTTP1Request, askedBy policy: Policy) -> RequestFields {
        let occurrences = policy.askedFields.flatMap { name in
            request.fields.values(of: name).map { RequestField(name: name, value: Array($0)) }
        }
        return RequestFields(of: policy.askedFields, occurrences, lookalikes: lookalikes(request, of: policy))
    }

    /// The names of the fields that a server may take for others, which rules name.
    private func lookalikes(_ request: HTTP1Request, of policy: Policy) -> [String] {
        guard let spellings = policy.fieldSpellings else { return [] }
        let bytes = request.fields.bytes.span
        var names: [String] = []
        for line in request.fields.lines where line.isForwarded && spellings.isLookalike(bytes.extracting(line.name)) {
            names.append(String(decoding: request.fields.bytes[line.name], as: UTF8.self).lowercased())
        }
        return names
    }

    private func path(of request: HTTP1Request) throws(RequestObjection) -> CanonicalPath {
        if request.targetsWholeServer { return .server }
        do throws(PathAmbiguity) {
            return try CanonicalPath(request.path.span)
        } catch {
            throw RequestObjection(reason: .ambiguousPath, detail: error.rawValue)
        }
    }

    /// The answer for the upstream that is open, where that is what the policy would have dialled for this request, too.
    ///
    /// It saves asking for the name's addresses again.
    private func decisionForOpenUpstream(_ policy: Policy) -> Decision? {
        guard let upstream, upstream.line.key.port == facts.port, isOfToday(upstream.line) else { return nil }
        let decision: Decision
        if let address = upstream.address {
            decision = standingDecision(policy, at: address)
        } else {
            // A proxy was told the name: nobody here knows where it leads.
            facts.addresses = nil
            decision = policy.decide(facts)
            // A way that is stated behind it needs to know.
            guard !decision.needsAddresses else { return nil }
        }
        guard let permit = policy.permit(for: decision), borrowUpstream(permit, upstream.line) else { return nil }
        return decision
    }

    /// What the policy decides of the address that is open, asked again only where the answer may be another one.
    private func standingDecision(_ policy: Policy, at address: UpstreamAddress) -> Decision {
        let generation = worker.snapshot.generation
        if let standing, standing.holds(facts, at: address, generation) {
            facts.addresses = standing.addresses
            repetition.standing = standing
            return standing.decision
        }
        let addresses = [address.socket.address]
        facts.addresses = addresses
        let decision = policy.decide(facts)
        standing = StandingDecision(decision, facts, addresses, policy, generation)
        repetition.standing = standing
        return decision
    }

    private func lookUp(
        _ name: HostName,
        isWhole: Bool = false,
        on loop: isolated EventLoop
    ) async -> FoundAddresses {
        guard connection.cutting == nil else { return FoundAddresses() }
        let found = await connection.addressesToJudge(
            of: name,
            isWhole: isWhole,
            port: facts.port,
            near: facts.original,
            on: loop
        )
        note(found)
        return found
    }

    private func note(_ found: FoundAddresses) {
        facts.addresses = found.usable
        // A name that leads to ourselves and nowhere else is ourselves.
        if found.usable.isEmpty, found.hasOwn { facts.isOwnListener = true }
    }

    /// The rest of the addresses that a decision is about, where it has not waited for them.
    func rest(_ decision: Decision) -> AwaitedAddresses? {
        guard connection.judgesHalf, decision.needsAddresses, case .name(let name)? = decision.dial else { return nil }
        return AwaitedAddresses(of: name, for: facts.owner, port: facts.port, near: facts.original) { found in
            var facts = self.facts
            facts.addresses = found.usable
            guard let policy = self.worker.snapshot.policy else { return [] }
            let joined = policy.permit(for: policy.decide(facts), inPlaceOf: decision)?.addresses ?? []
            self.connection.joined = joined
            return joined
        }
    }
}
