/// Finds the payload of a body, and the end of it, in octets as they come (RFC 9112, sections 6 and 7).
///
/// It takes all that it is given up to the end of the message, so its caller keeps nothing for it; it keeps a few numbers,
/// and of a trailer section at most `limits.trailerBytes`.
package struct HTTP1BodyReader: Sendable {
    /// The message has ended; octets behind it are of the next one.
    package private(set) var isComplete: Bool
    /// The trailers of a chunked body that is complete, if it has any.
    package private(set) var trailers: HTTP1FieldSection?

    package init(_ framing: HTTP1Framing, limits: HTTP1Limits = HTTP1Limits()) {
        isComplete = framing == .none
    }

    /// Reads on: one stretch of payload at most, and how many octets were read.
    ///
    /// It reads at least one octet unless `bytes` is empty or the body is complete. To read all of `bytes`, ask again with
    /// the rest until there is none or `isComplete`.
    package mutating func read(_ bytes: Span<UInt8>) throws(HTTP1Violation) -> HTTP1BodyStep {
        fatalError("to come")
    }

    /// How many octets of payload surely follow right here, for a caller that moves them unread; 0 where that is not known.
    package var plainOctets: UInt64 { fatalError("to come") }

    /// Says that `count` octets of payload, at most `plainOctets`, went by unread.
    package mutating func skip(_ count: UInt64) {
        fatalError("to come")
    }

    /// Says that the stream has ended: sound for `untilClose` alone, which it completes.
    package mutating func inputEnded() throws(HTTP1Violation) {
        fatalError("to come")
    }
}

/// What a body's reader made of some octets.
package struct HTTP1BodyStep: Hashable, Sendable {
    /// Where the payload stands in the octets that were given; may be empty.
    package var payload: Range<Int>
    /// How many of the octets are done with, the payload among them.
    package var consumed: Int
}
