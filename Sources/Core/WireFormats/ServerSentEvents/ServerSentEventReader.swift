/// Finds the events of a stream in octets as they come, wherever they are split (HTML, section 9.2.6).
///
/// Lines end with CR, LF or both; a byte order mark may stand before the first. It keeps at most one line and the data of one
/// event, each within the limit. It looks at no text: what is no UTF-8 stays what it is.
package struct ServerSentEventReader: Sendable {
    private let limit: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var type: [UInt8] = []
    /// A carriage return came last: a line feed right behind it is of the same line end.
    private var followsReturn = false
    private var isFirstLine = true

    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

    /// Reads lines, and events, of at most `eventBytes` octets.
    package init(eventBytes: Int) {
        limit = eventBytes
    }

    /// True where nothing stands between the event before and what comes next.
    package var isBetweenEvents: Bool { line.isEmpty && !hasData && type.isEmpty }

    /// Reads up to the end of the next event, or all octets where none ends in them.
    package mutating func read(_ bytes: Span<UInt8>) throws(ServerSentEventViolation) -> ServerSentEventStep {
        var start = 0
        if followsReturn, !bytes.isEmpty {
            followsReturn = false
            if bytes[0] == UInt8(ascii: "\n") { start = 1 }
        }
        while start < bytes.count {
            var end = start
            while end < bytes.count, !isLineEnd(bytes[end]) { end += 1 }
            try keep(bytes.extracting(start..<end))
            guard end < bytes.count else { break }
            start = end + 1
            if bytes[end] == UInt8(ascii: "\r") {
                if start == bytes.count {
                    followsReturn = true
                } else if bytes[start] == UInt8(ascii: "\n") {
                    start += 1
                }
            }
            if let event = try endLine() { return ServerSentEventStep(consumed: start, event: event) }
        }
        return ServerSentEventStep(consumed: bytes.count, event: nil)
    }

    /// The event that the stream ends in, though no empty line has ended it; `nil` where there is none.
    ///
    /// A browser drops it. Other readers do not.
    package mutating func end() throws(ServerSentEventViolation) -> ServerSentEvent? {
        if let event = try endLine() { return event }
        return dispatch()
    }

    private mutating func keep(_ part: Span<UInt8>) throws(ServerSentEventViolation) {
        guard part.count <= limit - line.count else { throw .lineTooLong }
        for index in part.indices { line.append(part[index]) }
    }

    private mutating func endLine() throws(ServerSentEventViolation) -> ServerSentEvent? {
        defer {
            line.removeAll(keepingCapacity: line.capacity <= 4096)
            isFirstLine = false
        }
        if isFirstLine, line.starts(with: Self.byteOrderMark) { line.removeFirst(Self.byteOrderMark.count) }
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        let name = line[..<(colon ?? line.endIndex)]
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        // A line that begins with a colon is a comment, and `id` and `retry` are for whoever connects again.
        if name.elementsEqual("data".utf8) {
            guard value.count < limit - data.count else { throw .eventTooLong }
            if hasData { data.append(UInt8(ascii: "\n")) }
            data += value
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            type = Array(value)
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            data = []
            type = []
            hasData = false
        }
        return hasData ? ServerSentEvent(type: type, data: data) : nil
    }
}
