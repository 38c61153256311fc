/// The first bytes of every line: the version of the schema, and then the kind.
let lineOpening = #"{"v":1,"kind":""#
/// What follows the kind, before the time.
let timeOpening = #"","time":""#
/// What follows the time, before the number.
let sequenceOpening = #"","sequence":"#
/// What follows the body, before the 64 digits of the hash.
let previousOpening = #","previous":"sha256:"#
/// The last bytes of every line, before its newline.
let lineClosing = #""}"#
/// The characters of `2026-11-21T10:15:04.123456Z`.
let timestampLength = 27
/// The characters of a SHA-256 in hexadecimal.
let hashLength = 64

extension [UInt8] {
    /// Appends the line of a record, without its newline.
    ///
    /// `previous` is the SHA-256 of the line before, in 64 lower-case hexadecimal digits.
    package mutating func append(lineOf record: AuditRecord, sequence: UInt64, previous: [UInt8]) {
        var clock = RecordClock()
        append(lineOf: record, sequence: sequence, previous: previous, &clock)
    }

    /// Appends the line of a record, without its newline, where lines follow one another.
    ///
    /// `previous` is the SHA-256 of the line before, in 64 lower-case hexadecimal digits.
    package mutating func append(
        lineOf record: AuditRecord,
        sequence: UInt64,
        previous: [UInt8],
        _ clock: inout RecordClock
    ) {
        append(contentsOf: record.kind.opening)
        clock.append(record.time, to: &self)
        append(decimal: sequence)
        append(UInt8(ascii: ","))
        append(contentsOf: record.body)
        append(contentsOf: beforePrevious)
        append(contentsOf: previous)
        for octet in lineClosing.utf8 { append(octet) }
    }
}

/// `previousOpening`, as it is written: an array is appended for half of what a text takes.
private let beforePrevious = Array(previousOpening.utf8)

extension RecordKind {
    /// What stands before the time in a line of this kind.
    fileprivate var opening: [UInt8] {
        switch self {
        case .connection: Self.connectionOpening
        case .connectionEnd: Self.connectionEndOpening
        case .request: Self.requestOpening
        case .requestEnd: Self.requestEndOpening
        case .check: Self.checkOpening
        case .policy, .lifecycle, .ruleset, .checkpoint, .key: Self.opening(of: self)
        }
    }

    private static let connectionOpening = opening(of: .connection)
    private static let connectionEndOpening = opening(of: .connectionEnd)
    private static let requestOpening = opening(of: .request)
    private static let requestEndOpening = opening(of: .requestEnd)
    private static let checkOpening = opening(of: .check)

    private static func opening(of kind: RecordKind) -> [UInt8] {
        Array((lineOpening + kind.rawValue + timeOpening).utf8)
    }
}

/// Writes the times of lines that follow one another, and what stands behind them: within a second, only the last digits are
/// written anew.
package struct RecordClock: Sendable {
    private var second = Int64.min
    private var text: [UInt8] = []

    package init() {}

    /// Appends a time as `append(timestamp:)` does, and what stands between it and the number; `microseconds` count from
    /// 1970-01-01T00:00:00Z.
    mutating func append(_ microseconds: Int64, to buffer: inout [UInt8]) {
        let (second, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        // Before 1970, and beyond the year 9999, each is reckoned for itself.
        guard second == self.second, fraction >= 0, !text.isEmpty else {
            text.removeAll(keepingCapacity: true)
            text.append(timestamp: microseconds)
            text.append(contentsOf: sequenceOpening.utf8)
            self.second = (0..<253_402_300_800).contains(second) ? second : .min
            buffer += text
            return
        }
        var rest = UInt64(fraction)
        // Seen once as what it is, and not asked for each digit whether it is shared.
        var digits = text.mutableSpan
        for index in (timestampLength - 7..<timestampLength - 1).reversed() {
            digits[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        buffer += text
    }
}
