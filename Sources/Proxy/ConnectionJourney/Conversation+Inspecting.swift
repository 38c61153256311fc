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

    /// What looks at an exchange that a rule lets through; `nil`: nobody does.
    private func inspection(of request: HTTP1Request, _ decision: Decision) -> ExchangeInspection? {
        guard decision.verdict == .allow, looksAtContent(decision),
            let (rule, terms) = worker.snapshot.policy?.terms(behind: decision)
        else { return nil }
        let isEnforced = worker.isEnforcing && !terms.isOnTrial
        var up: [any Inspector] = []
        var down: [any Inspector] = []
        if let most = terms.limits?.requestBytes {
            up.append(SizeLimit(most, denial: Denial(.requestTooLarge, rule: rule), isEnforced: isEnforced))
        }
        if let most = terms.limits?.responseBytes {
            down.append(SizeLimit(most, denial: Denial(.responseTooLarge, rule: rule), isEnforced: isEnforced))
        }
        let unreadable = isEnforced ? Denial(.unreadableContent, rule: rule) : nil
        return ExchangeInspection(
            of: request,
            up: up.isEmpty ? nil : InspectorPanel(up, unreadable: unreadable),
            down: down.isEmpty ? nil : InspectorPanel(down, unreadable: unreadable),
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
        let arrival = await client.readAhead(
            request,
            body,
            limits: worker.settings.http,
            until: loop.now &+ worker.settings.bodyNanoseconds,
            worker.means,
            on: loop
        )
        switch arrival {
        case .seen:
            inspection.isReadAhead = true
            return nil
        case .denied(let denial): return denial
        case .malformed(let violation): return Denial(.malformedRequest, detail: violation.rawValue)
        case .timedOut: return Denial(.unreadableContent, detail: "body_timed_out")
        // The connection is being cut: what was read is lost with it.
        case .interrupted: return Denial(connection.cutting?.reason ?? .draining)
        case .failed: return Denial(.unreadableContent, detail: "client_gone")
        }
    }
}
