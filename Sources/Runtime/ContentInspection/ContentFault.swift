import WireFormats

/// Why content cannot be looked at.
package enum ContentFault: String, Error, Hashable, Sendable, CaseIterable {
    /// It has a coding that is not known here.
    case unknownCoding = "unknown_coding"
    /// It has more codings, one over the other, than are undone.
    case tooManyCodings = "too_many_codings"
    /// It is not what its coding says.
    case damaged = "damaged_coding"
    /// It ends before its coding does.
    case cutShort = "coding_cut_short"
    /// Something stands behind the end of its coding.
    case trailingOctets = "octets_behind_coding"
    /// It grows more than is allowed in being decoded.
    case expansion
    /// It is larger, decoded, than is looked at.
    case tooLarge = "decoded_too_large"
    /// There is no memory to decode it.
    case noMemory = "no_memory"
    /// All that is looked into at this time takes as much memory as it may.
    case crowded = "inspection_memory"
    /// One server-sent event, or one line of it, is longer than is looked at.
    case eventTooLong = "event_too_long"
    /// More is to be held back than may be.
    case heldTooMuch = "held_too_much"
    /// It breaks the rules of WebSocket.
    case webSocket = "websocket_malformed"
    /// The protocol was changed to one that is not known here.
    case protocolUnknown = "protocol_unknown"
    /// A WebSocket extension was agreed on that is not known here.
    case webSocketExtension = "websocket_extension"

    init(_ violation: ContentCodingViolation) {
        self =
            switch violation {
            case .unknown: .unknownCoding
            case .tooMany: .tooManyCodings
            }
    }
}
