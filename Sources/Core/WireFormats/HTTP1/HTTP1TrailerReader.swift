/// Reads the trailer section behind the last chunk, and keeps it up to a limit (RFC 9112, section 7.1.2).
struct HTTP1TrailerReader: Sendable {
    /// Fields that may not stand here, or are too many, are left out; in a request they are refused.
    private let isOfAnswer: Bool
    private(set) var isComplete = false
    private var bytes: [UInt8] = []
    private var fields: HTTP1FieldScanner

    init(ofAnswer isOfAnswer: Bool) {
        self.isOfAnswer = isOfAnswer
        fields = HTTP1FieldScanner(from: 0, takesBlankBeforeColon: isOfAnswer)
    }

    /// Reads to the end of the section or of the bytes, and says how many octets that were.
    mutating func read(_ more: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Violation) -> Int {
        let before = bytes.count
        for index in 0..<min(more.count, limits.trailerBytes - before) { bytes.append(more[index]) }
        let isAll = bytes.count >= limits.trailerBytes
        let most = isOfAnswer ? .max : limits.trailerFields
        guard let end = try Self.read(&fields, bytes, isAll: isAll, most: most) else {
            if isAll { throw .trailersTooLong }
            return bytes.count - before
        }
        if isOfAnswer { fields.withdrawTrailers(beyond: limits.trailerFields) } else { try forbid() }
        fields.withdraw(.altSvc)
        bytes.removeSubrange(end...)
        isComplete = true
        return end - before
    }

    /// The fields; `nil` where there are none.
    var section: HTTP1FieldSection? {
        fields.lines.isEmpty ? nil : HTTP1FieldSection(bytes: bytes, lines: fields.lines)
    }

    private static func read(
        _ fields: inout HTTP1FieldScanner,
        _ bytes: [UInt8],
        isAll: Bool,
        most: Int
    ) throws(HTTP1Violation) -> Int? {
        do throws(HTTP1Violation) {
            return try fields.read(bytes.span, isAll: isAll, most: most)
        } catch {
            throw error == .fieldsTooMany ? .trailersTooMany : error
        }
    }

    /// Refuses what a recipient could take for a part of the head.
    private mutating func forbid() throws(HTTP1Violation) {
        for line in fields.lines where !line.known.mayBeTrailer { throw .trailerForbidden }
    }
}
