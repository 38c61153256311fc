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
        append(contentsOf: lineOpening.utf8)
        append(contentsOf: record.kind.rawValue.utf8)
        append(contentsOf: timeOpening.utf8)
        append(timestamp: record.time)
        append(contentsOf: sequenceOpening.utf8)
        append(decimal: sequence)
        append(UInt8(ascii: ","))
        append(contentsOf: record.body)
        append(contentsOf: previousOpening.utf8)
        append(contentsOf: previous)
        append(contentsOf: lineClosing.utf8)
    }
}
