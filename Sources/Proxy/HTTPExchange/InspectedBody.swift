import ContentInspection
import WireFormats

/// A body, or a direction of a tunnel, that somebody looks at: what of it waits for a word, and what may go.
///
/// It holds what was held back, which the inspection bounds, and of a head that waits with it nothing more. Hardly any message has
/// one: it is one reference.
final class InspectedBody {
    let inspection: any PassageInspection
    private var reader: HTTP1BodyReader
    private let writesChunks: Bool
    private let passesTrailers: Bool
    /// What the octets pass through that may go; `nil`: nothing.
    private let stage: (any AnswerStage)?
    /// The head, while it may not go.
    private var head: [UInt8]
    /// Payload that may not go yet.
    private var held: [UInt8] = []
    /// The source has ended, where the body lasts as long as it does.
    private(set) var hasEnded = false

    init(
        _ inspection: any PassageInspection,
        behind head: [UInt8],
        _ framing: HTTP1Framing,
        writesChunks: Bool,
        passesTrailers: Bool,
        through stage: (any AnswerStage)?,
        limits: HTTP1Limits
    ) {
        self.inspection = inspection
        self.head = head
        self.writesChunks = writesChunks && framing == .chunked
        self.passesTrailers = passesTrailers
        self.stage = stage
        reader = HTTP1BodyReader(framing, limits: limits, ofAnswer: passesTrailers)
    }

    /// The body has come whole, and all of it may go.
    var isComplete: Bool { reader.isComplete }

    /// Nothing of it has gone, and not its head either.
    var holdsHead: Bool { !head.isEmpty }

    /// Looks at octets of the body; what may go is appended to `octets`, framed, and it answers how many were of this body.
    func read(
        _ bytes: Span<UInt8>,
        into octets: inout [UInt8],
        _ append: (Range<Int>, inout [UInt8]) -> Void
    ) throws(MessageFailure) -> Int {
        let payload: [Range<Int>]
        let consumed: Int
        do throws(HTTP1Violation) {
            (payload, consumed) = try reader.stretches(of: bytes)
        } catch {
            throw .malformed(error)
        }
        var passage = inspection.see(bytes.extracting(0..<0))
        for stretch in payload {
            if case .denied = passage { break }
            passage = inspection.see(bytes.extracting(stretch))
        }
        for stretch in payload { append(stretch, &held) }
        if reader.isComplete, case .open = passage { passage = inspection.seeEnd() }
        try release(passage, into: &octets)
        return consumed
    }

    /// The source has ended: sound for what lasts as long as it does.
    func end(into octets: inout [UInt8]) throws(MessageFailure) {
        do throws(HTTP1Violation) {
            try reader.inputEnded()
        } catch {
            throw .malformed(error)
        }
        hasEnded = true
        try release(inspection.seeEnd(), into: &octets)
    }

    private func release(_ passage: Passage, into octets: inout [UInt8]) throws(MessageFailure) {
        let keeping: Int
        switch passage {
        case .denied(let denial): throw .denied(denial)
        case .open(let count): keeping = count
        }
        let count = max(held.count - keeping, 0)
        guard count > 0 || reader.isComplete || !inspection.holdsHead else { return }
        octets += head
        head = []
        var piece = Array(held[..<count])
        held.removeSubrange(..<count)
        stage?.pass(&piece)
        if reader.isComplete, let stage { piece += stage.finish() }
        if !piece.isEmpty {
            if writesChunks { HTTP1ChunkWriting.appendStart(of: piece.count, to: &octets) }
            octets += piece
            if writesChunks { HTTP1ChunkWriting.appendEnd(to: &octets) }
        }
        if reader.isComplete, writesChunks {
            let trailers = reader.trailers.map { stage?.pass(trailers: $0) ?? $0 }
            HTTP1ChunkWriting.appendLast(trailers: passesTrailers ? trailers : nil, to: &octets)
        }
    }
}
