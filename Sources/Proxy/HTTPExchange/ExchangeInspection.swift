import ContentInspection
import WireFormats

/// What looks at one exchange: at its request, at its answer, and at what both sides say behind a change to WebSocket.
///
/// Lives on one loop.
package final class ExchangeInspection {
    private let request: HTTP1Request
    private let upward: InspectorPanel?
    private let downward: InspectorPanel?
    private let limits: InspectionLimits
    /// Its inspectors have seen all of the request's body.
    package var isReadAhead = false
    /// We have told the client to go on with its body.
    package var hasContinued = false

    /// Inspectors of what goes up and of what comes down; `nil` where nobody looks.
    package init(
        of request: HTTP1Request,
        up: InspectorPanel?,
        down: InspectorPanel?,
        limits: InspectionLimits
    ) {
        self.request = request
        upward = up
        downward = down
        self.limits = limits
    }

    /// What looks at the request's body, where it was not read ahead; each time anew.
    package func ofRequest() -> BodyInspection? {
        guard !isReadAhead, let upward else { return nil }
        return BodyInspection(of: request.fields, request.framing, .up, by: upward, limits: limits)
    }

    /// The request must be read whole before it is decided.
    package var mustReadAhead: Bool { upward?.needsWholeMessages ?? false }

    /// What looks at the answer's body.
    func ofAnswer(_ response: HTTP1Response) -> BodyInspection? {
        downward.map { BodyInspection(of: response.fields, response.framing, .down, by: $0, limits: limits) }
    }

    /// What looks at both directions behind a change of the protocol; `nil` where nobody looks at one.
    func behindSwitch(
        _ response: HTTP1Response
    ) throws(MessageFailure) -> (up: (any PassageInspection)?, down: (any PassageInspection)?) {
        guard request.asksForWebSocket, response.switchesToWebSocket else {
            for panel in [upward, downward] {
                if let denial = panel?.denial(of: .protocolUnknown) { throw .denied(denial) }
            }
            return (nil, nil)
        }
        let both = WebSocketInspection.both(
            offer: request.fields,
            answer: response.fields,
            up: upward,
            down: downward,
            limits: limits
        )
        // What nobody can look at is refused while the client may still be answered.
        let nothing: [UInt8] = []
        for inspection in [both.up, both.down] {
            if case .denied(let denial)? = inspection?.see(nothing.span) { throw .denied(denial) }
        }
        return (both.up, both.down)
    }

    /// What inspectors noted so far.
    package var findings: Findings {
        var findings = upward?.findings ?? Findings()
        if let downward { findings.add(downward.findings) }
        return findings
    }
}
