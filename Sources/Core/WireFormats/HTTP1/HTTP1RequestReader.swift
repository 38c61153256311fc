/// Reads the heads of HTTP/1 requests, one after the other (RFC 9112, sections 2 to 6).
///
/// Between two questions it keeps how far it came, so that a head that comes octet by octet costs no more than one that
/// comes whole.
package struct HTTP1RequestReader: Sendable {
    private let limits: HTTP1Limits
    private var head = HTTP1HeadProgress<HTTP1RequestLine>()
    private var memory = HTTP1HostMemory()
    /// The head before, unless it is a large one: clients that ask the same again are common, and the same octets mean the same.
    private var last: HTTP1Request?

    package init(limits: HTTP1Limits = HTTP1Limits()) {
        self.limits = limits
    }

    /// Reads a head; `nil` while its end has not come.
    ///
    /// `bytes` begins with the first octet of the message each time, and only grows until there is an answer; what follows
    /// the head (`headBytes` long) is not looked at. After a head it is ready for the next. What it throws, it threw for
    /// any way in which the same octets could have come; the connection must then end.
    package mutating func read(_ bytes: Span<UInt8>) throws(HTTP1Violation) -> HTTP1Request? {
        if head.isFresh, let last, begins(bytes, with: last.fields.bytes.span) { return last }
        guard let end = try head.read(bytes, limits: limits), let line = head.startLine else { return nil }
        let lines = head.lines
        head = HTTP1HeadProgress()
        let request = try HTTP1Request(line, lines, in: bytes.extracting(0..<end), memory: &memory, limits: limits)
        last = request.headBytes <= limits.recalledHeadBytes ? request : nil
        return request
    }

    /// Lets go of the head before, while no other comes.
    package mutating func forget() { last = nil }
}
