/// Reads the heads of HTTP/1 responses, one after the other (RFC 9112, sections 2 to 6).
package struct HTTP1ResponseReader: Sendable {
    private let limits: HTTP1Limits
    private var head = HTTP1HeadProgress<HTTP1StatusLine>()
    /// The head before, unless it is a large one, and what it answered: within a second servers say the same again, and the same
    /// octets mean the same.
    private var last: (response: HTTP1Response, method: HTTP1Answering.Method)?

    package init(limits: HTTP1Limits = HTTP1Limits()) {
        self.limits = limits
    }

    /// Reads a head; `nil` while its end has not come.
    ///
    /// `bytes` begins with the first octet of the message each time, and only grows until there is an answer; what follows
    /// the head (`headBytes` long) is not looked at. After a head it is ready for the next. What it throws, it threw for
    /// any way in which the same octets could have come; the connection must then end.
    package mutating func read(
        _ bytes: Span<UInt8>,
        answering: HTTP1Answering
    ) throws(HTTP1Violation) -> HTTP1Response? {
        if head.isFresh, let last, last.method == answering.method,
            begins(bytes, with: last.response.fields.bytes.span)
        {
            return last.response
        }
        guard let end = try head.read(bytes, limits: limits), let line = head.startLine else { return nil }
        let lines = head.lines
        head = HTTP1HeadProgress()
        let response = try HTTP1Response(
            line,
            lines,
            in: bytes.extracting(0..<end),
            answering: answering.method,
            limits: limits
        )
        if response.isSwitch, !response.switches(to: answering.upgradeNames) { throw .unexpectedSwitch }
        // What it may switch to is said anew each time.
        last =
            response.isSwitch || response.headBytes > limits.recalledHeadBytes ? nil : (response, answering.method)
        return response
    }

    /// Lets go of the head before, while no other comes.
    package mutating func forget() { last = nil }
}
