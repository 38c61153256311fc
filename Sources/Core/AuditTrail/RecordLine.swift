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
        append(contentsOf: lineOpening.utf8)
        append(contentsOf: record.kind.rawValue.utf8)
        append(contentsOf: timeOpening.utf8)
        clock.append(record.time, to: &self)
        append(contentsOf: sequenceOpening.utf8)
        append(decimal: sequence)
        append(UInt8(ascii: ","))
        append(contentsOf: record.body)
        append(contentsOf: previousOpening.utf8)
        append(contentsOf: previous)
        append(contentsOf: lineClosing.utf8)
    }
}

/// Writes the times of lines that follow one another: within a second, only the last digits are written anew.
package struct RecordClock: Sendable {
    private var second = Int64.min
    private var text: [UInt8] = []

    package init() {}

    /// Appends a time as `append(timestamp:)` does; `microseconds` count from 1970-01-01T00:00:00Z.
    mutating func append(_ microseconds: Int64, to buffer: inout [UInt8]) {
        let (second, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        // Before 1970, and beyond the year 9999, each is reckoned for itself.
        guard second == self.second, fraction >= 0, !text.isEmpty else {
            text.removeAll(keepingCapacity: true)
            text.append(timestamp: microseconds)
            self.second = (0..<253_402_300_800).contains(second) ? second : .min
            buffer += text
            return
        }
        var rest = UInt64(fraction)
        for index in (timestampLength - 7..<timestampLength - 1).reversed() {
            text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        buffer += text
    }
}
