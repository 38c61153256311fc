/// A start line that knows where it ends.
protocol HTTP1StartLine: Sendable {
    /// Behind the line feed.
    var end: Int { get }
    /// Reads the line from the first octet on; `nil` while its end has not come.
    static func read(_ bytes: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Violation) -> Self?
    /// Whether a blank between a field's name and its colon is left out, or refused (RFC 9112, section 5.1).
    static var takesBlankBeforeColon: Bool { get }
}

/// How far the head of a message was read: its start line, then its fields.
///
/// The first thing that is wrong is thrown, in the order of the octets, however these came; so limits cut before reading.
struct HTTP1HeadProgress<StartLine: HTTP1StartLine>: Sendable {
    private(set) var startLine: StartLine?
    private var startProgress = LineProgress(start: 0)
    private var fields = HTTP1FieldScanner(from: 0)

    var lines: ContiguousArray<HTTP1FieldLine> { fields.lines }
    /// True while nothing of the head was looked at.
    var isFresh: Bool { startLine == nil && startProgress.seen == 0 }

    /// Reads on, to the end of the head; `nil` while it has not come.
    mutating func read(_ bytes: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Violation) -> Int? {
        if startLine == nil {
            startLine = try readStartLine(bytes, most: min(limits.startLineBytes, limits.headBytes), limits: limits)
            guard let startLine else { return nil }
            fields = HTTP1FieldScanner(
                from: startLine.end,
                takesBlankBeforeColon: StartLine.takesBlankBeforeColon
            )
        }
        let isAll = bytes.count >= limits.headBytes
        let head = isAll ? bytes.extracting(0..<limits.headBytes) : bytes
        let end = try fields.read(head, isAll: isAll, most: limits.fields)
        if end == nil, isAll { throw .headTooLong }
        return end
    }

    private mutating func readStartLine(
        _ bytes: Span<UInt8>,
        most: Int,
        limits: HTTP1Limits
    ) throws(HTTP1Violation) -> StartLine? {
        let isAll = bytes.count >= most
        guard isAll || startProgress.isWorthReading(bytes) else {
            startProgress.seen = bytes.count
            return nil
        }
        startProgress.seen = bytes.count
        do throws(HTTP1Violation) {
            let line = try StartLine.read(isAll ? bytes.extracting(0..<most) : bytes, limits: limits)
            if line == nil, isAll { throw .startLineTooLong }
            return line
        } catch {
            guard isAll || startProgress.isDecided(bytes) else { return nil }
            throw error
        }
    }
}
