import WireFormats

/// What came of reading a head: the head, a reason, or neither yet.
typealias HeadResult<Head> = Result<Head?, HTTP1Violation>

/// Reads a request as it comes in pieces that end at `ends`, and then whole.
func readRequest(
    _ bytes: [UInt8],
    ends: some Sequence<Int> = [],
    limits: HTTP1Limits = HTTP1Limits()
) -> HeadResult<HTTP1Request> {
    var reader = HTTP1RequestReader(limits: limits)
    return readInPieces(bytes, ends: ends) { part throws(HTTP1Violation) in try reader.read(part) }
}

func readRequest(_ text: String, limits: HTTP1Limits = HTTP1Limits()) -> HeadResult<HTTP1Request> {
    readRequest(Array(text.utf8), limits: limits)
}

/// Reads a response as it comes in pieces that end at `ends`, and then whole.
func readResponse(
    _ bytes: [UInt8],
    ends: some Sequence<Int> = [],
    answering: HTTP1Answering = HTTP1Answering(),
    limits: HTTP1Limits = HTTP1Limits()
) -> HeadResult<HTTP1Response> {
    var reader = HTTP1ResponseReader(limits: limits)
    return readInPieces(bytes, ends: ends) { part throws(HTTP1Violation) in
        try reader.read(part, answering: answering)
    }
}

func readResponse(
    _ text: String,
    answering: HTTP1Answering = HTTP1Answering(),
    limits: HTTP1Limits = HTTP1Limits()
) -> HeadResult<HTTP1Response> {
    readResponse(Array(text.utf8), answering: answering, limits: limits)
}

private func readInPieces<Head>(
    _ bytes: [UInt8],
    ends: some Sequence<Int>,
    _ read: (Span<UInt8>) throws(HTTP1Violation) -> Head?
) -> HeadResult<Head> {
    do throws(HTTP1Violation) {
        for end in ends {
            if let head = try read(bytes.span.extracting(0..<end)) { return .success(head) }
        }
        return .success(try read(bytes.span))
    } catch {
        return .failure(error)
    }
}

/// What came of reading a body: its payload, its trailers, how many octets it had, and whether it has ended.
struct BodyResult: Equatable {
    var payload: [UInt8] = []
    var trailers: HTTP1FieldSection?
    var consumed = 0
    var isComplete = false
    var violation: HTTP1Violation?

    var text: String { String(decoding: payload, as: UTF8.self) }
}

/// Reads a body as it comes in pieces that end at `ends`, and then to the end.
func readBody(
    _ bytes: [UInt8],
    _ framing: HTTP1Framing = .chunked,
    ends: some Sequence<Int> = [],
    limits: HTTP1Limits = HTTP1Limits(),
    ofAnswer: Bool = false
) -> BodyResult {
    var reader = HTTP1BodyReader(framing, limits: limits, ofAnswer: ofAnswer)
    var result = BodyResult()
    do throws(HTTP1Violation) {
        for end in Array(ends) + [bytes.count] {
            while result.consumed < end, !reader.isComplete {
                let step = try reader.read(bytes.span.extracting(result.consumed..<end))
                let payload = step.payload
                result.payload += bytes[result.consumed + payload.lowerBound..<result.consumed + payload.upperBound]
                result.consumed += step.consumed
            }
        }
    } catch {
        result.violation = error
        // How far it came in the piece that is broken depends on the pieces.
        result.consumed = 0
        result.payload = []
    }
    result.isComplete = reader.isComplete && result.violation == nil
    result.trailers = reader.trailers
    return result
}

func readBody(_ text: String, _ framing: HTTP1Framing = .chunked, limits: HTTP1Limits = HTTP1Limits()) -> BodyResult {
    readBody(Array(text.utf8), framing, limits: limits)
}

/// All ways to cut `count` octets that are tried: at every octet, and at each octet alone.
func splits(_ count: Int) -> [[Int]] {
    [Array(1..<max(count, 1))] + (1..<max(count, 1)).map { [$0] }
}
