import ContentInspection
import EventLoops
import HTTPExchange
import PolicyEngine
import WireFormats

/// What the body of the request in hand calls, where a rule asks for it.
extension Conversation {
    /// Reads the body ahead, whole and decoded, and notes what it calls.
    ///
    /// What was read stands unread again: an exchange takes it up as it came.
    ///
    /// - Returns: Why the request is refused without another look at the rules; `nil`: they may be asked again.
    func hearCalls(_ request: HTTP1Request, _ policy: Policy, on loop: isolated EventLoop) async -> Decision? {
        guard request.framing != .none else {
            note(SpokenCalls([], of: request))
            return nil
        }
        let arrival = await readAhead(request, on: loop)
        if let cut = connection.cutting { return policy.refuse(facts, because: cut.reason ?? .draining) }
        switch arrival {
        case .seen: if spoken == nil { note(.unreadable("body_unreadable")) }
        case .denied(let denial): note(.unreadable(denial.detail ?? "body_too_large"))
        case .malformed(let violation):
            detail = violation.rawValue
            return .refused(.malformedRequest, port: facts.port)
        case .timedOut: note(.unreadable("body_timed_out"))
        case .interrupted: return policy.refuse(facts, because: .draining)
        case .failed: note(.unreadable("client_gone"))
        }
        return nil
    }

    private func readAhead(_ request: HTTP1Request, on loop: isolated EventLoop) async -> AheadArrival {
        let limits = worker.settings.inspection
        let tooLarge = Denial(.malformedCall, detail: "body_too_large")
        let whole = WholeBody(atMost: limits.heldBytes, tooLarge: tooLarge) { [weak self] octets, _ in
            self?.note(SpokenCalls(octets, of: request))
            return .release
        }
        let panel = InspectorPanel([whole], unreadable: Denial(.unreadableContent))
        let body = BodyInspection(of: request.fields, request.framing, .up, by: panel, limits: limits)
        if let denial = body.denial { return .denied(denial) }
        return await client.readAhead(
            request,
            body,
            limits: worker.settings.http,
            until: loop.now &+ worker.settings.bodyNanoseconds,
            worker.means,
            on: loop
        )
    }

    private func note(_ found: SpokenCalls) {
        spoken = found
        facts.request?.calls = found.calls
    }
}
