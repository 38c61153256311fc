import ByteRelay
import ContentInspection
import EventLoops
import LinuxBindings
import WireFormats

/// Why a message did not come through.
enum MessageFailure: Error {
    /// Its source failed.
    case source(SystemCallError)
    /// Its sink failed.
    case sink(SystemCallError)
    /// Its body breaks the framing; a source that ended too early is `messageIncomplete`.
    case malformed(HTTP1Violation)
    /// An inspector denies it.
    case denied(Denial)
}

/// One direction of an exchange: heads as they were written anew, and bodies as their framing says.
///
/// Lives on one loop.
///
/// A body of a stated length, or one that lasts until its source closes, is a flow like any tunnel's. A chunked one is taken
/// apart and framed again, a piece at a time; the next piece is read when the sink has taken the one before. So is whatever
/// an inspection looks at.
final class MessageFlow {
    private let source: HTTPEnd
    private let flow: Flow
    private let limits: HTTP1Limits
    private var framing = HTTP1Framing.none
    private var chunks: HTTP1BodyReader
    /// A client of HTTP/1.0 gets the payload alone.
    private var writesChunks = true
    /// The body that is looked at; `nil`: nobody looks.
    private var inspected: InspectedBody?
    /// The body is read piece by piece, and not left to the flow.
    private var isTakenApart = false
    /// What has come of the body with its head is malformed: neither goes.
    private var isStuck = false
    /// What the message passes through; `nil`: nothing.
    var stage: (any AnswerStage)?
    /// The message has been passed on whole.
    private(set) var isFinished = true
    /// Trailers go on with the body.
    ///
    /// Those of a request do not: they come when it is judged and changed already, and some servers take them for fields of its
    /// head (RFC 9110, section 6.5.1).
    private let passesTrailers: Bool

    /// How many pieces of a chunked body may be read before others get their turn.
    private static let budget = 16

    /// With `keepsRoom`, heads that follow one another are written into the same memory, where `takeRoom` gives it.
    init(from source: HTTPEnd, to sink: HTTPEnd, passesTrailers: Bool, keepsRoom: Bool, limits: HTTP1Limits) {
        self.source = source
        self.passesTrailers = passesTrailers
        self.limits = limits
        flow = Flow(from: source.socket, to: sink.socket, keepsRoom: keepsRoom)
        chunks = HTTP1BodyReader(.none, limits: limits)
    }

    /// No octets, in the memory of the message before where it is free.
    func takeRoom() -> [UInt8] { flow.takeRoom() }

    /// Lets go of memory that only serves the next message while it comes soon.
    func rest() { flow.forgetRoom() }

    /// Octets that the sink has taken, of all messages.
    var moved: UInt64 { flow.moved }

    /// What bounds how many octets go; `nil`: nothing does.
    var meter: (any FlowMeter)? {
        get { flow.meter }
        set { flow.meter = newValue }
    }

    /// Starts on a message: a head, which goes first, and the body behind it.
    ///
    /// What the source has sent of the body already goes with the head, in one piece. An inspection sees the body before it
    /// goes; for a message without one there is none.
    func begin(
        _ head: consuming [UInt8],
        _ framing: HTTP1Framing,
        writesChunks: Bool = true,
        inspection: (any PassageInspection)? = nil
    ) throws(MessageFailure) {
        // Its own, so that what is appended goes into the room that was made for it.
        var octets = head
        isFinished = false
        self.framing = framing
        isTakenApart = false
        isStuck = false
        inspected = nil
        if let inspection, framing != .none {
            return try begin(behind: octets, writesChunks: writesChunks, inspection)
        }
        isTakenApart = framing == .chunked || (stage != nil && framing != .none)
        guard !isTakenApart else { return try beginPieces(behind: octets, framing, writesChunks: writesChunks) }
        switch framing {
        case .none, .chunked:
            flow.begin(octets, thenTaking: 0)
        case .length(let length):
            let waiting = source.takeUnread(atMost: Int(clamping: length))
            octets += waiting
            flow.begin(octets, thenTaking: length - UInt64(waiting.count))
        case .untilClose:
            octets += source.takeUnread()
            flow.begin(octets, thenTaking: nil)
        }
    }

    /// Starts on a body that is read piece by piece.
    private func beginPieces(
        behind head: [UInt8],
        _ framing: HTTP1Framing,
        writesChunks: Bool
    ) throws(MessageFailure) {
        var octets = head
        chunks = HTTP1BodyReader(framing, limits: limits, ofAnswer: passesTrailers)
        self.writesChunks = writesChunks && framing == .chunked
        let waiting = Array(source.takeUnread())
        isStuck = true
        let consumed = try frame(waiting.span, into: &octets) { range, octets in octets += waiting[range] }
        isStuck = false
        source.putBack(waiting[consumed...])
        flow.begin(octets, thenTaking: 0)
    }

    /// Becomes a tunnel's direction: what waits goes first, then all until the source ends, and the end too.
    func becomeTunnel(
        behind head: [UInt8] = [],
        inspection: (any PassageInspection)? = nil
    ) throws(MessageFailure) {
        try begin(head, .untilClose, inspection: inspection)
    }

    /// The head as it goes on.
    func staged(_ response: HTTP1Response) throws(MessageFailure) -> HTTP1Response {
        guard let stage else { return response }
        do throws(HTTP1Violation) {
            return try stage.pass(response)
        } catch {
            throw .malformed(error)
        }
    }

    /// Moves what can be moved now; true where there may be more, and only the turn is over.
    ///
    /// `isLast` is false for a tunnel whose other direction goes on: the sink is then told of the end.
    func pump(_ means: RelayMeans, isLast: Bool = true) throws(MessageFailure) -> Bool {
        guard !isFinished else { return false }
        if inspected != nil { return try pumpInspected(means) }
        return isTakenApart ? try pumpPieces(means, isLast: isLast) : try pumpPlain(means, isLast: isLast)
    }

    /// True where a WebSocket frame of ours may stand next: nothing is on its way, and what went before ends with a frame.
    var isBetweenFrames: Bool {
        guard stage?.isBetweenFrames ?? true, flow.isFinished,
            let inspection = inspected?.inspection as? WebSocketInspection
        else { return false }
        return inspection.hasPassedWholeFrames
    }

    /// True where nothing of the message, not even its head, was let go.
    var holdsHead: Bool { isStuck || inspected?.holdsHead ?? false }

    /// The source has said that it will send no more, or has only stopped.
    var sourceEnded: Bool { flow.sourceEnded }

    /// Gives up on the message; what is held of it is lost.
    func abandon(_ means: RelayMeans) {
        isFinished = true
        inspected = nil
        flow.release(means)
    }

    private func pumpPlain(_ means: RelayMeans, isLast: Bool) throws(MessageFailure) -> Bool {
        let hasMore = try passOn(means, isLast: isLast)
        guard flow.isFinished else { return hasMore }
        if flow.isCutShort { throw .malformed(.messageIncomplete) }
        isFinished = true
        return false
    }

    private func pumpPieces(_ means: RelayMeans, isLast: Bool) throws(MessageFailure) -> Bool {
        for _ in 0..<Self.budget {
            // The source has ended: what is left is the flow's, which tells the sink of the end.
            guard isTakenApart else { return try pumpPlain(means, isLast: isLast) }
            _ = try passOn(means, isLast: true)
            if !flow.isFinished { return false }
            if chunks.isComplete {
                isFinished = true
                return false
            }
            guard source.socket.isReadable else { return false }
            try readPiece(means)
        }
        return true
    }

    private func readPiece(_ means: RelayMeans) throws(MessageFailure) {
        switch source.receive(means) {
        case .failure(let error): throw .source(error)
        case .success(nil): break
        case .success(0?): try endPieces()
        case .success(let count?):
            var octets: [UInt8] = []
            let consumed = try means.buffer.withBytes(0..<count) { bytes throws(MessageFailure) in
                try frame(bytes, into: &octets) { range, octets in means.buffer.append(range, to: &octets) }
            }
            source.keep(consumed..<count, means)
            flow.begin(octets, thenTaking: 0)
        }
    }

    /// The source has ended, which is the end of a body that lasts until then, and of no other.
    private func endPieces() throws(MessageFailure) {
        do throws(HTTP1Violation) {
            try chunks.inputEnded()
        } catch {
            throw .malformed(error)
        }
        isTakenApart = false
        flow.begin(stage?.finish() ?? [], thenTaking: nil)
        // It reads the end once more.
        source.socket.isReadable = true
    }

    /// Takes octets of a body apart, and writes those of a chunked one as chunks of our own; answers how many are done with.
    private func frame(
        _ bytes: Span<UInt8>,
        into octets: inout [UInt8],
        _ append: (Range<Int>, inout [UInt8]) -> Void
    ) throws(MessageFailure) -> Int {
        do throws(HTTP1Violation) {
            let (payload, consumed) = try chunks.stretches(of: bytes)
            if let stage {
                var piece: [UInt8] = []
                for stretch in payload { append(stretch, &piece) }
                stage.pass(&piece)
                if chunks.isComplete { piece += stage.finish() }
                write(piece.count, to: &octets) { $0 += piece }
            } else {
                for stretch in payload { write(stretch.count, to: &octets) { append(stretch, &$0) } }
            }
            if chunks.isComplete, writesChunks { appendEnd(to: &octets) }
            return consumed
        } catch {
            throw .malformed(error)
        }
    }

    /// Writes payload, as a chunk if the body is chunked.
    private func write(_ count: Int, to octets: inout [UInt8], _ append: (inout [UInt8]) -> Void) {
        // A chunk of no octets would be the last.
        guard count > 0 else { return }
        if writesChunks { HTTP1ChunkWriting.appendStart(of: count, to: &octets) }
        append(&octets)
        if writesChunks { HTTP1ChunkWriting.appendEnd(to: &octets) }
    }

    private func appendEnd(to octets: inout [UInt8]) {
        let trailers = chunks.trailers.map { stage?.pass(trailers: $0) ?? $0 }
        HTTP1ChunkWriting.appendLast(trailers: passesTrailers ? trailers : nil, to: &octets)
    }

    // MARK: What is looked at

    private func begin(
        behind head: [UInt8],
        writesChunks: Bool,
        _ inspection: any PassageInspection
    ) throws(MessageFailure) {
        inspected = InspectedBody(
            inspection,
            behind: head,
            framing,
            writesChunks: writesChunks,
            passesTrailers: passesTrailers,
            through: stage,
            limits: limits
        )
        let waiting = Array(source.takeUnread())
        try look(at: waiting.span, append: { range, octets in octets += waiting[range] }) { consumed in
            source.putBack(waiting[consumed...])
        }
    }

    private func pumpInspected(_ means: RelayMeans) throws(MessageFailure) -> Bool {
        for _ in 0..<Self.budget {
            _ = try passOn(means, isLast: true)
            guard flow.isFinished, let body = inspected else { return false }
            if body.isComplete {
                isFinished = true
                return false
            }
            guard source.socket.isReadable else { return false }
            try readInspected(means)
            // What only its source can end, the plain flow does.
            if inspected == nil { return true }
        }
        return true
    }

    private func readInspected(_ means: RelayMeans) throws(MessageFailure) {
        switch source.receive(means) {
        case .failure(let error): throw .source(error)
        case .success(nil): break
        case .success(0?): try endInspected()
        case .success(let count?):
            try means.buffer.withBytes(0..<count) { bytes throws(MessageFailure) in
                try look(at: bytes, append: { means.buffer.append($0, to: &$1) }) { consumed in
                    source.keep(consumed..<count, means)
                }
            }
        }
    }

    private func look(
        at bytes: Span<UInt8>,
        append: (Range<Int>, inout [UInt8]) -> Void,
        keep: (Int) -> Void
    ) throws(MessageFailure) {
        var octets: [UInt8] = []
        guard let consumed = try inspected?.read(bytes, into: &octets, append) else { return }
        keep(consumed)
        flow.begin(octets, thenTaking: 0)
    }

    private func endInspected() throws(MessageFailure) {
        var octets: [UInt8] = []
        try inspected?.end(into: &octets)
        inspected = nil
        flow.begin(octets, thenTaking: nil)
        // It reads the end once more.
        source.socket.isReadable = true
    }

    private func passOn(_ means: RelayMeans, isLast: Bool) throws(MessageFailure) -> Bool {
        do throws(FlowFailure) {
            return try flow.pump(means, isLast: isLast)
        } catch {
            switch error.side {
            case .source: throw .source(error.error)
            case .sink: throw .sink(error.error)
            }
        }
    }
}
