import AgentProtocols
import ContentInspection
import EventLoops
import HTTPExchange
import LinuxBindings
import PolicyEngine
import WireFormats

/// What looks into the content of the request in hand.
extension Conversation {
    /// Judges a request, and what its content says where that must be known first.
    ///
    /// - Returns: An answer that allows, with addresses, or one that refuses; `inspection` looks at what passes then.
    func judgeWithContent(_ request: HTTP1Request, on loop: isolated EventLoop) async -> Decision {
        while true {
            let decision = await judge(request, on: loop)
            let generation = worker.snapshot.generation
            inspection = inspection(of: request, decision)
            guard let inspection else { return decision }
            let objection = await objection(request, inspection, on: loop)
            inspection.hasContinued = hasContinued
            // A policy that was replaced meanwhile judges again; what was read waits unread.
            guard worker.snapshot.generation == generation else { continue }
            guard let objection else { return decision }
            self.inspection = nil
            denial = objection
            detail = objection.detail
            return .refused(objection.reason, rule: objection.rule, port: facts.port)
        }
    }

    /// True where a request that is allowed so must have its content looked at.
    func looksAtContent(_ decision: Decision) -> Bool {
        guard let policy = worker.snapshot.policy, policy.looksAtContent else { return false }
        return policy.terms(behind: decision)?.terms.looksAtContent ?? false
    }

    /// What is asked of the content of a request that is allowed so; `nil`: nothing.
    func contentTerms(behind decision: Decision) -> ContentTerms? {
        guard decision.verdict == .allow, looksAtContent(decision),
            let (rule, terms) = worker.snapshot.policy?.terms(behind: decision), let limits = terms.limits
        else { return nil }
        return ContentTerms(rule: rule, limits: limits, isEnforced: worker.isEnforcing && !terms.isOnTrial)
    }

    /// What looks at an exchange that a rule lets through; `nil`: nobody does.
    private func inspection(of request: HTTP1Request, _ decision: Decision) -> ExchangeInspection? {
        guard decision.verdict == .allow else { return nil }
        guard let terms = contentTerms(behind: decision) else {
            // Somebody must know that the client was told to go on.
            return hasContinued
                ? ExchangeInspection(of: request, up: nil, down: nil, limits: worker.settings.inspection) : nil
        }
        let rule = terms.rule
        let isEnforced = terms.isEnforced
        var up: [any Inspector] = []
        var down: [any Inspector] = []
        if let most = terms.limits.requestBytes {
            up.append(SizeLimit(most, denial: Denial(.requestTooLarge, rule: rule), isEnforced: isEnforced))
        }
        if let most = terms.limits.responseBytes {
            down.append(SizeLimit(most, denial: Denial(.responseTooLarge, rule: rule), isEnforced: isEnforced))
        }
        let unreadable = isEnforced ? Denial(.unreadableContent, rule: rule) : nil
        return ExchangeInspection(
            of: request,
            up: up.isEmpty ? nil : InspectorPanel(up, unreadable: unreadable, within: worker.allowance),
            down: down.isEmpty ? nil : InspectorPanel(down, unreadable: unreadable, within: worker.allowance),
            limits: worker.settings.inspection
        )
    }

    /// What is wrong with a request before anything of it has gone up; `nil`: nothing so far.
    private func objection(
        _ request: HTTP1Request,
        _ inspection: ExchangeInspection,
        on loop: isolated EventLoop
    ) async -> Denial? {
        guard let body = inspection.ofRequest() else { return nil }
        if let denial = body.denial { return denial }
        guard inspection.mustReadAhead else { return nil }
        if let objection = objection(to: await readAhead(request, body, on: loop)) { return objection }
        inspection.isReadAhead = true
        return nil
    }

    /// Finds out what the body of a request calls, which a rule asks for, or that nobody can; the refusal, where there is no
    /// whole request to be judged.
    ///
    /// What was read of it waits unread, whatever it says.
    func readCalls(
        of request: HTTP1Request,
        for decision: Decision,
        on loop: isolated EventLoop
    ) async -> Decision? {
        guard spoken == nil else { return nil }
        let limits = worker.settings.inspection
        let denial = Denial(.unreadableContent, rule: decision.rule)
        var tooLarge = denial
        tooLarge.detail = ContentFault.tooLarge.rawValue
        var found: SpokenCalls?
        var coded: JSONOpening?
        let whole = WholeBody(atMost: limits.heldBytes, tooLarge: tooLarge) { octets, _ in
            found = SpokenCalls(octets, of: request, coded: coded)
            return .release
        }
        let panel = InspectorPanel([whole], unreadable: denial, within: worker.allowance)
        let body = BodyInspection(of: request.fields, request.framing, .up, by: panel, limits: limits)
        body.watchCoded = { octets in
            if coded == nil { coded = JSONOpening(.coded) }
            coded?.read(octets)
        }
        if let denial = body.denial {
            found = .unreadable(denial.detail)
        } else {
            let arrival = await readAhead(request, body, on: loop)
            let objection = objection(to: arrival)
            switch arrival {
            case .seen: break
            // Whether that is a reason to refuse it, the policy says.
            case .denied, .timedOut: found = .unreadable(objection?.detail)
            case .malformed, .interrupted, .failed:
                detail = objection?.detail
                return .refused(objection?.reason ?? .malformedRequest, rule: decision.rule, port: facts.port)
            }
        }
        spoken = found
        detail = found?.detail ?? detail
        return nil
    }

    /// Reads the body of a request before anything of it goes up.
    private func readAhead(
        _ request: HTTP1Request,
        _ body: BodyInspection,
        on loop: isolated EventLoop
    ) async -> AheadArrival {
        hasContinued = hasContinued || (request.expectsContinue && request.framing != .none && client.unreadCount == 0)
        let share = InspectionShare(of: worker.allowance)
        aheadShare = share
        return await client.readAhead(
            request,
            body,
            share,
            limits: worker.settings.http,
            until: loop.now &+ worker.settings.bodyNanoseconds,
            worker.means,
            on: loop
        )
    }

    /// Why a body that was read so goes no further; `nil`: it does.
    private func objection(to arrival: AheadArrival) -> Denial? {
        switch arrival {
        case .seen: nil
        case .denied(let denial): denial
        case .malformed(let violation): Denial(.malformedRequest, detail: violation.rawValue)
        case .timedOut: Denial(.unreadableContent, detail: "body_timed_out")
        // The connection is being cut.
        case .interrupted: Denial(connection.cutting?.reason ?? .draining)
        case .failed: Denial(.unreadableContent, detail: "client_gone")
        }
    }
}
