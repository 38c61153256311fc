/// The parts that every line of ours has, and where they stand in its bytes.
///
/// A line is compared byte for byte with what this module writes, not parsed as JSON. No text can forge what is looked
/// for, because what is looked for has quotes, and quotes inside of texts are escaped.
package struct StoredFrame: Hashable, Sendable {
    /// The characters of the kind, without quotes.
    package let kind: Range<Int>
    /// The characters of the time, without quotes.
    package let time: Range<Int>
    package let sequence: UInt64
    /// The members between `sequence` and `previous`, without a comma at either end.
    package let body: Range<Int>
    /// The 64 digits of the hash of the line before.
    package let previous: Range<Int>

    /// Reads a line without its newline; nil where it is not one that we have written whole.
    package init?(_ line: borrowing Span<UInt8>) {
        var position = 0
        guard line.skip(lineOpening, &position) else { return nil }
        let kindStart = position
        while position < line.count, line[position].isKindCharacter { position += 1 }
        kind = kindStart..<position
        guard line.skip(timeOpening, &position), line.count - position >= timestampLength else { return nil }
        time = position..<position + timestampLength
        position = time.upperBound
        guard line.skip(sequenceOpening, &position), let sequence = line.takeNumber(&position),
            line.skip(",", &position)
        else { return nil }
        self.sequence = sequence
        guard let previous = line.closingHash(from: position) else { return nil }
        body = position..<previous.lowerBound - previousOpening.utf8.count
        self.previous = previous
    }

    /// Whether the line is of this kind.
    package func isKind(_ kind: RecordKind, in line: borrowing Span<UInt8>) -> Bool {
        var position = self.kind.lowerBound
        return line.skip(kind.rawValue, &position) && position == self.kind.upperBound
    }
}

extension UInt8 {
    fileprivate var isKindCharacter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || self == UInt8(ascii: "_")
    }

    var isDigit: Bool { self &- UInt8(ascii: "0") <= 9 }

    /// Lower-case, as everything here is written.
    var isHexadecimal: Bool { isDigit || self &- UInt8(ascii: "a") <= 5 }
}

extension Span<UInt8> {
    /// Goes past a text, or leaves the position where it was.
    func skip(_ text: String, _ position: inout Int) -> Bool {
        let expected = text.utf8.span
        guard position <= count, count - position >= expected.count else { return false }
        for index in expected.indices where self[position + index] != expected[index] { return false }
        position += expected.count
        return true
    }

    /// Goes past a whole number without leading zeros; nil where there is none, or one that is too large.
    func takeNumber(_ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < count, self[position].isDigit {
            let (tens, tooMany) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooMuch) = tens.addingReportingOverflow(UInt64(self[position] - UInt8(ascii: "0")))
            guard !tooMany, !tooMuch else { return nil }
            value = sum
            position += 1
        }
        let digits = position - start
        guard digits > 0, digits == 1 || self[start] != UInt8(ascii: "0") else { return nil }
        return value
    }

    /// Where the hash at the end of the line stands; nil where there is none behind `position`.
    fileprivate func closingHash(from position: Int) -> Range<Int>? {
        let digits = count - lineClosing.utf8.count - hashLength
        var start = digits - previousOpening.utf8.count
        guard start >= position, skip(previousOpening, &start) else { return nil }
        for index in digits..<digits + hashLength where !self[index].isHexadecimal { return nil }
        var end = digits + hashLength
        return skip(lineClosing, &end) ? digits..<digits + hashLength : nil
    }
}
