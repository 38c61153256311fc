/// An event as its stream dispatches it (HTML, section 9.2.6).
package struct ServerSentEvent: Hashable, Sendable {
    /// What `event` said; empty where it said nothing, which means `message`.
    package var type: [UInt8]
    /// The values of its `data` lines with line feeds between them.
    package var data: [UInt8]

    package init(type: [UInt8], data: [UInt8]) {
        self.type = type
        self.data = data
    }
}

/// Why a stream of events is read no further.
package enum ServerSentEventViolation: Error, Hashable, Sendable {
    /// A line is longer than is read.
    case lineTooLong
    /// The data of one event is longer than is read.
    case eventTooLong
}

/// What a reader of events made of some octets.
package struct ServerSentEventStep: Hashable, Sendable {
    /// How many of the octets are done with.
    package var consumed: Int
    /// The event that ends with them, if one does.
    package var event: ServerSentEvent?

    package init(consumed: Int, event: ServerSentEvent?) {
        self.consumed = consumed
        self.event = event
    }
}
