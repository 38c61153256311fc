import WireFormats
import ZlibBindings

/// Shows the messages of one direction of a WebSocket connection to inspectors, inflated.
///
/// Lives on one loop.
///
/// Control frames pass unseen. Where messages are needed whole, a message is held from its first frame on, and what stands
/// between its frames with it.
package final class WebSocketInspection: PassageInspection {
    private let panel: InspectorPanel
    private let direction: MessageDirection
    private let limits: InspectionLimits
    private var group: InspectorGroup
    private var reader: WebSocketFrameReader
    private var inflater: MessageInflater?
    private var state = State.reading
    private var message: InspectedMessage
    private var isCompressed = false
    private let share: InspectionShare
    /// Octets that came.
    private var came: UInt64 = 0
    /// What was let go so far ends with a frame.
    package private(set) var hasPassedWholeFrames = true

    private enum State {
        case reading
        /// It could not be looked at, and passes all the same.
        case blind
        case denied(Denial)
    }

    /// One direction; `compression` is what its sender agreed to, if to any.
    package init(
        _ direction: MessageDirection,
        by panel: InspectorPanel,
        compression: WebSocketCompression.Side?,
        limits: InspectionLimits
    ) {
        self.panel = panel
        self.direction = direction
        self.limits = limits
        share = InspectionShare(of: panel.allowance)
        group = panel.everybody(holdsParts: false)
        reader = WebSocketFrameReader(ofClient: direction == .up, allowsCompression: compression != nil)
        inflater = compression.map { MessageInflater($0, limits: limits) }
        message = InspectedMessage(direction, .text)
    }

    /// Both directions of a connection that these heads agreed on; `nil` for one that nobody looks at.
    package static func both(
        offer: HTTP1FieldSection,
        answer: HTTP1FieldSection,
        up upward: InspectorPanel?,
        down downward: InspectorPanel?,
        limits: InspectionLimits
    ) -> (up: WebSocketInspection?, down: WebSocketInspection?) {
        var compression: WebSocketCompression?
        var isKnown = true
        do throws(WebSocketCompression.Violation) {
            compression = try WebSocketCompression.agreed(offer: offer, answer: answer)
        } catch {
            isKnown = false
        }
        guard upward != nil || downward != nil else { return (nil, nil) }
        // Where nobody looks at one direction, somebody has to know where its frames end all the same.
        let nobody = InspectorPanel([], unreadable: nil)
        let up = WebSocketInspection(.up, by: upward ?? nobody, compression: compression?.client, limits: limits)
        let down = WebSocketInspection(.down, by: downward ?? nobody, compression: compression?.server, limits: limits)
        if !isKnown {
            _ = up.fail(.webSocketExtension)
            _ = down.fail(.webSocketExtension)
        }
        return (up, down)
    }

    package var holdsHead: Bool { if case .denied = state { true } else { false } }

    package func see(_ octets: borrowing Span<UInt8>) -> Passage {
        if case .reading = state {
            do throws(ContentFault) {
                try readOn(octets)
            } catch {
                return fail(error)
            }
        }
        return settle()
    }

    package func seeEnd() -> Passage {
        guard case .open(let held) = settle(), held > 0 else { return settle() }
        return fail(.heldTooMuch)
    }

    private func settle() -> Passage {
        switch state {
        case .denied(let denial): return .denied(denial)
        case .blind:
            hasPassedWholeFrames = false
            return .open(held: 0)
        case .reading:
            let held = group.isEmpty ? 0 : Int(clamping: came - min(group.releasable, came))
            if held > limits.heldBytes { return fail(.heldTooMuch) }
            if !share.take(held + (inflater?.memoryBytes ?? 0)) { return fail(.crowded) }
            // Whole messages are let go with their last frame.
            hasPassedWholeFrames = group.needsWholeMessages || (held == 0 && reader.isBetweenFrames)
            return .open(held: held)
        }
    }

    private func fail(_ fault: ContentFault) -> Passage {
        if case .reading = state { state = panel.denial(of: fault).map { .denied($0) } ?? .blind }
        if case .denied(let denial) = state { return .denied(denial) }
        return .open(held: 0)
    }

    private func readOn(_ octets: borrowing Span<UInt8>) throws(ContentFault) {
        let start = came
        came += UInt64(octets.count)
        var payload: [UInt8] = []
        var position = 0
        while true {
            payload.removeAll(keepingCapacity: true)
            let step: WebSocketStep
            do throws(WebSocketViolation) {
                step = try reader.read(octets.extracting(position...), into: &payload)
            } catch {
                throw .webSocket
            }
            position += step.consumed
            try take(step.event, payload, at: start + UInt64(position))
            guard case .reading = state, position < octets.count || step.event != nil else { return }
        }
    }

    private func take(_ event: WebSocketStep.Event?, _ payload: [UInt8], at place: UInt64) throws(ContentFault) {
        switch event {
        case .began(let kind, let isCompressed):
            message = InspectedMessage(direction, kind == .text ? .text : .binary)
            self.isCompressed = isCompressed
            inflater?.begin()
        case .payload:
            guard !group.isEmpty else { return }
            guard isCompressed else { return show(payload.span, at: place) }
            try inflater?.inflate(payload.span) { piece in show(piece, at: place) }
            deny(panel.denial(ofCoded: inflater?.came ?? 0))
        case .ended:
            guard !group.isEmpty else { return }
            if isCompressed { try inflater?.end { piece in show(piece, at: place) } }
            deny(group.inspectEnd(of: message, at: place))
        case .control, .closed, nil:
            if reader.isBetweenMessages || !group.needsWholeMessages { group.release(upTo: place) }
        }
    }

    private func show(_ octets: borrowing Span<UInt8>, at place: UInt64) {
        guard case .reading = state else { return }
        deny(group.inspect(octets, of: message, before: place))
    }

    private func deny(_ denial: Denial?) {
        if let denial, case .reading = state { state = .denied(denial) }
    }
}
