import WireFormats

/// Shows the body of a request or an answer to inspectors, decoded; the events of a stream one by one.
///
/// Lives on one loop.
package final class BodyInspection: PassageInspection {
    private let panel: InspectorPanel
    private let direction: MessageDirection
    private let limits: InspectionLimits
    private var state: State
    private var map: PassageMap
    /// Those who look at the body as one message.
    private var ofBody: InspectorGroup
    /// Those who look at the events in it; nobody, where it is no stream of them.
    private var ofEvents: InspectorGroup?
    private var events: ServerSentEventReader
    private let share: InspectionShare
    /// Whoever reads ahead keeps the body, and counts what is held of it.
    package var isKeptElsewhere = false
    /// Sees the octets of a coded body as they come.
    package var watchCoded: ((borrowing Span<UInt8>) -> Void)?
    /// Decoded octets that inspectors have been shown, or that the events among them lie in.
    private var shown: UInt64 = 0

    private enum State {
        case reading(ContentDecoder)
        /// It could not be looked at, and passes all the same.
        case blind
        case denied(Denial)
    }

    /// The body that these fields are of, framed like this.
    package init(
        of fields: HTTP1FieldSection,
        _ framing: HTTP1Framing,
        _ direction: MessageDirection,
        by panel: InspectorPanel,
        limits: InspectionLimits
    ) {
        self.panel = panel
        self.direction = direction
        self.limits = limits
        share = InspectionShare(of: panel.allowance)
        do throws(ContentFault) {
            let decoder = try Self.decoder(fields, limits)
            state = .reading(decoder)
            map = PassageMap(isPlain: decoder.isPlain)
        } catch {
            state = panel.denial(of: error).map { .denied($0) } ?? .blind
            map = PassageMap(isPlain: true)
        }
        events = ServerSentEventReader(eventBytes: limits.eventBytes)
        let areEvents = direction == .down && fields.isEventStream
        ofBody = areEvents ? panel.group(wantingEvents: false) : panel.everybody(holdsParts: true)
        ofEvents = areEvents ? panel.group(wantingEvents: true) : nil
        if ofEvents?.isEmpty ?? true { ofEvents = nil }
        // What says itself that it is too large need not come to be refused.
        if case .length(let count) = framing, map.isPlain, case .reading = state { deny(panel.denial(ofSize: count)) }
    }

    private static func decoder(
        _ fields: HTTP1FieldSection,
        _ limits: InspectionLimits
    ) throws(ContentFault) -> ContentDecoder {
        let codings: [ContentCoding]
        do throws(ContentCodingViolation) {
            codings = try fields.contentCodings(most: limits.codings)
        } catch {
            throw ContentFault(error)
        }
        return try ContentDecoder(codings, limits: limits)
    }

    package var holdsHead: Bool { denial != nil || ofBody.needsWholeMessages }

    /// Why it may not pass, where that is known.
    package var denial: Denial? {
        if case .denied(let denial) = state { denial } else { nil }
    }

    /// What could not be looked at passes unseen.
    package var isBlind: Bool {
        if case .blind = state { true } else { false }
    }

    /// The most octets, as they are sent, that are held back.
    package var heldBytes: Int { limits.heldBytes }

    /// Says that no more of it can be kept, and why; `nil` where it passes all the same.
    package func give(up fault: ContentFault) -> Denial? {
        _ = fail(fault)
        return denial
    }

    package func see(_ octets: borrowing Span<UInt8>) -> Passage {
        switch state {
        case .denied(let denial): return .denied(denial)
        case .blind: return .open(held: 0)
        case .reading(let decoder):
            do throws(ContentFault) {
                try decoder.decode(octets) { piece throws(ContentFault) in try show(piece) }
            } catch {
                return fail(error)
            }
            map.add(octets.count, decoded: decoder.decodedCount)
            if !map.isPlain {
                watchCoded?(octets)
                deny(panel.denial(ofCoded: map.came))
            }
            let passage = settle()
            guard case .open(let held) = passage, !take(held, decoder) else { return passage }
            return fail(.crowded)
        }
    }

    package func seeEnd() -> Passage {
        switch state {
        case .denied(let denial): return .denied(denial)
        case .blind: return .open(held: 0)
        case .reading(let decoder):
            do throws(ContentFault) {
                try decoder.end()
                try showEnd()
            } catch {
                return fail(error)
            }
            // Octets that make nothing, such as a trailer, go with the end.
            if releasable == decoder.decodedCount { map.releaseAll() }
            if case .denied(let denial) = settle() { return .denied(denial) }
            return map.held == 0 ? .open(held: 0) : fail(.heldTooMuch)
        }
    }

    /// Takes what this body keeps in memory: what is held back, what decoders have, and what inspectors gather of a whole body.
    private func take(_ held: Int, _ decoder: ContentDecoder) -> Bool {
        guard !isBlind else { return true }
        let gathered = ofBody.needsWholeMessages ? Int(clamping: decoder.decodedCount) : 0
        return share.take((isKeptElsewhere ? 0 : held) + decoder.memoryBytes + gathered)
    }

    private func fail(_ fault: ContentFault) -> Passage {
        if denial == nil { state = panel.denial(of: fault).map { .denied($0) } ?? .blind }
        _ = share.take(0)
        return denial.map { .denied($0) } ?? .open(held: 0)
    }

    private func settle() -> Passage {
        if let denial { return .denied(denial) }
        map.release(upTo: releasable)
        return map.held > limits.heldBytes ? fail(.heldTooMuch) : .open(held: map.held)
    }

    /// Up to where everybody lets the decoded octets go.
    private var releasable: UInt64 {
        min(ofBody.isEmpty ? shown : ofBody.releasable, ofEvents?.releasable ?? shown)
    }

    // MARK: What is shown

    private func show(_ piece: borrowing Span<UInt8>) throws(ContentFault) {
        guard denial == nil else { return }
        let position = shown + UInt64(piece.count)
        deny(ofBody.inspect(piece, of: InspectedMessage(direction, .body), before: position))
        if ofEvents != nil { try showEvents(piece) }
        shown = position
    }

    private func showEvents(_ piece: borrowing Span<UInt8>) throws(ContentFault) {
        var position = 0
        while position < piece.count, denial == nil {
            let step: ServerSentEventStep
            do throws(ServerSentEventViolation) {
                step = try events.read(piece.extracting(position...))
            } catch {
                throw .eventTooLong
            }
            position += step.consumed
            let place = shown + UInt64(position)
            if let event = step.event {
                show(event, at: place)
            } else if events.isBetweenEvents || ofEvents?.needsWholeMessages == false {
                ofEvents?.release(upTo: place)
            }
        }
    }

    /// Events are shown whole, and what is said at their end is what counts.
    private func show(_ event: ServerSentEvent, at place: UInt64) {
        let message = InspectedMessage(direction, .event(type: event.type))
        let before = ofEvents?.releasable ?? place
        deny(ofEvents?.inspect(event.data.span, of: message, before: before) ?? nil)
        if denial == nil { deny(ofEvents?.inspectEnd(of: message, at: place) ?? nil) }
    }

    private func showEnd() throws(ContentFault) {
        guard denial == nil else { return }
        if !ofBody.isEmpty { deny(ofBody.inspectEnd(of: InspectedMessage(direction, .body), at: shown)) }
        guard ofEvents != nil else { return }
        let last: ServerSentEvent?
        do throws(ServerSentEventViolation) {
            last = try events.end()
        } catch {
            throw .eventTooLong
        }
        if let last { show(last, at: shown) } else { ofEvents?.release(upTo: shown) }
    }

    private func deny(_ denial: Denial?) {
        if let denial, self.denial == nil { state = .denied(denial) }
    }
}
