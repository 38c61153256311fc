/// What a WebSocket connection carries beside control frames (RFC 6455, section 5.6).
package enum WebSocketMessageKind: Hashable, Sendable {
    case text
    case binary
}

/// What a frame begins with (RFC 6455, section 5.2).
package enum WebSocketOpcode: UInt8, Hashable, Sendable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// Why frames are read no further.
package enum WebSocketViolation: String, Error, Hashable, Sendable, CaseIterable {
    /// A bit is set that no extension was agreed on for.
    case reservedBit = "reserved_bit"
    /// No such opcode is known.
    case opcode
    /// What a client sends is masked, and this is not.
    case maskMissing = "mask_missing"
    /// What a server sends is not masked, and this is.
    case maskUnexpected = "mask_unexpected"
    /// A length is written longer than it must be.
    case lengthNotMinimal = "length_not_minimal"
    /// A length is above 2^63 - 1.
    case lengthInvalid = "length_invalid"
    /// A control frame is longer than 125 octets.
    case controlTooLong = "control_too_long"
    /// A control frame is fragmented.
    case controlFragmented = "control_fragmented"
    /// A continuation with nothing to continue, or another message inside one that has not ended.
    case fragmentOutOfPlace = "fragment_out_of_place"
    /// A close frame holds one octet, a code that may not be sent, or a text that is no UTF-8.
    case closeMalformed = "close_malformed"
    /// Something comes behind a close frame.
    case afterClose = "after_close"
    /// A message is longer, as it is sent, than is read.
    case messageTooLong = "message_too_long"
    /// A message is in more fragments than are read.
    case fragmentsTooMany = "fragments_too_many"
}

/// How much of a WebSocket message is read before it is refused.
package struct WebSocketLimits: Hashable, Sendable {
    /// The most octets of a message, as they are sent, over all of its fragments.
    package var messageBytes: UInt64 = 1 << 36
    /// The most fragments of a message.
    package var fragments = 1_048_576

    package init() {}
}

/// What a reader of frames made of some octets.
package struct WebSocketStep: Hashable, Sendable {
    /// How many of the octets are done with.
    package var consumed: Int
    /// What they came to.
    package var event: Event?

    /// What stands in a direction of a connection.
    package enum Event: Hashable, Sendable {
        /// A message begins.
        case began(WebSocketMessageKind, isCompressed: Bool)
        /// Octets of the message's payload came, and stand unmasked behind those that were there.
        case payload
        /// The message is whole.
        case ended
        /// A ping or a pong is whole.
        case control(WebSocketOpcode)
        /// The direction is closed; the code, where there is one.
        case closed(UInt16?)
    }
}
