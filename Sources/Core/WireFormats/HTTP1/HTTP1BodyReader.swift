/// Finds the payload of a body, and the end of it, in octets as they come (RFC 9112, sections 6 and 7).
///
/// It takes all that it is given up to the end of the message, so its caller keeps nothing for it; it keeps a few numbers,
/// and of a trailer section at most `limits.trailerBytes`.
package struct HTTP1BodyReader: Sendable {
    private let limits: HTTP1Limits
    private let isOfAnswer: Bool
    private var state: State
    /// The trailers of a chunked body that is complete, if it has any.
    package private(set) var trailers: HTTP1FieldSection?

    /// ```
    /// length ──────────────────────────────────────────┐
    /// untilClose ──────────────────────────(end)───────┤
    /// chunkLine ─(0)──> trailers ──────────────────────┴─> complete
    ///   ^   └──(n)──> chunk ──> chunkEnd ─┐
    ///   └─────────────────────────────────┘
    /// ```
    private enum State: Sendable {
        /// So many octets are to come, at least one.
        case length(UInt64)
        case untilClose
        case chunkLine(HTTP1ChunkLine)
        /// So many octets of the chunk are to come, at least one.
        case chunk(UInt64)
        /// The line end behind a chunk; whether its carriage return has come.
        case chunkEnd(hasReturn: Bool)
        case trailers(HTTP1TrailerReader)
        case complete
    }

    /// What can be read in one way alone, and is written anew behind us, is passed over in an answer and refused in a request.
    package init(_ framing: HTTP1Framing, limits: HTTP1Limits = HTTP1Limits(), ofAnswer isOfAnswer: Bool = false) {
        self.limits = limits
        self.isOfAnswer = isOfAnswer
        state =
            switch framing {
            case .none, .length(0): .complete
            case .length(let length): .length(length)
            case .chunked: .chunkLine(HTTP1ChunkLine(ofAnswer: isOfAnswer))
            case .untilClose: .untilClose
            }
    }

    private var nextChunk: State { .chunkLine(HTTP1ChunkLine(ofAnswer: isOfAnswer)) }

    /// The message has ended; octets behind it are of the next one.
    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// Reads on: one stretch of payload at most, and how many octets were read.
    ///
    /// It reads at least one octet unless `bytes` is empty or the body is complete. To read all of `bytes`, ask again with
    /// the rest until there is none or `isComplete`.
    package mutating func read(_ bytes: Span<UInt8>) throws(HTTP1Violation) -> HTTP1BodyStep {
        // Framing is passed over until there is payload, so that a chunk is one step.
        var start = 0
        while start < bytes.count, !isComplete, plainOctets == 0 {
            start += try readFraming(bytes.extracting(start..<bytes.count))
        }
        let count = Int(clamping: min(plainOctets, UInt64(bytes.count - start)))
        skip(UInt64(count))
        return HTTP1BodyStep(payload: start..<start + count, consumed: start + count)
    }

    /// How many octets of payload surely follow right here, for a caller that moves them unread; 0 where that is not known.
    package var plainOctets: UInt64 {
        switch state {
        case .length(let rest), .chunk(let rest): rest
        case .untilClose: .max
        case .chunkLine, .chunkEnd, .trailers, .complete: 0
        }
    }

    /// Says that `count` octets of payload, at most `plainOctets`, went by unread.
    package mutating func skip(_ count: UInt64) {
        precondition(count <= plainOctets, "nobody moves more octets than there are")
        switch state {
        case .length(let rest): state = count == rest ? .complete : .length(rest - count)
        case .chunk(let rest): state = count == rest ? .chunkEnd(hasReturn: false) : .chunk(rest - count)
        case .untilClose, .chunkLine, .chunkEnd, .trailers, .complete: break
        }
    }

    /// Says that the stream has ended: sound for `untilClose` alone, which it completes.
    package mutating func inputEnded() throws(HTTP1Violation) {
        switch state {
        case .untilClose: state = .complete
        case .complete: break
        case .length, .chunkLine, .chunk, .chunkEnd, .trailers: throw .messageIncomplete
        }
    }

    /// Reads what is no payload, one state's worth, and says how many octets that were.
    private mutating func readFraming(_ bytes: Span<UInt8>) throws(HTTP1Violation) -> Int {
        switch state {
        case .chunkLine(var line):
            let count = try line.read(bytes, most: limits.chunkLineBytes)
            if !line.isComplete {
                state = .chunkLine(line)
            } else {
                state = line.isLast ? .trailers(HTTP1TrailerReader(ofAnswer: isOfAnswer)) : .chunk(line.size)
            }
            return count
        case .chunkEnd(let hasReturn):
            guard bytes[0] == UInt8(ascii: hasReturn ? "\n" : "\r") else { throw .chunkEnd }
            state = hasReturn ? nextChunk : .chunkEnd(hasReturn: true)
            return 1
        case .trailers(var reader):
            // Taken out while it is read, so that what it holds is not copied.
            state = .complete
            let count = try reader.read(bytes, limits: limits)
            if reader.isComplete { trailers = reader.section } else { state = .trailers(reader) }
            return count
        case .length, .untilClose, .chunk, .complete:
            return 0
        }
    }
}

/// What a body's reader made of some octets.
package struct HTTP1BodyStep: Hashable, Sendable {
    /// Where the payload stands in the octets that were given; may be empty.
    package var payload: Range<Int>
    /// How many of the octets are done with, the payload among them; the payload is the last of them.
    package var consumed: Int
}
