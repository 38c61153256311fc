extension StoredRecord {
    /// The text of a member; nil where there is none, or where it is no text.
    package func text(_ name: String, in line: borrowing Span<UInt8>) -> String? {
        value(name, in: line).flatMap { line.storedText($0) }
    }

    /// As `text`, of a member of the object that is the value of `name`.
    package func text(_ name: String, _ inner: String, in line: borrowing Span<UInt8>) -> String? {
        guard let value = value(name, inner, in: line) else { return nil }
        return line.storedText(value)
    }

    /// The whole number of a member; nil where there is none.
    package func number(_ name: String, in line: borrowing Span<UInt8>) -> UInt64? {
        guard let value = value(name, in: line) else { return nil }
        return line.storedNumber(value)
    }

    /// As `number`, of a member of the object that is the value of `name`.
    package func number(_ name: String, _ inner: String, in line: borrowing Span<UInt8>) -> UInt64? {
        guard let value = value(name, inner, in: line) else { return nil }
        return line.storedNumber(value)
    }
}

extension Span<UInt8> {
    /// The text of a value; nil where it is none.
    package func storedText(_ value: Range<Int>) -> String? {
        guard value.count >= 2, self[value.lowerBound] == UInt8(ascii: "\"") else { return nil }
        return storedCharacters(value.lowerBound + 1..<value.upperBound - 1)
    }

    /// The characters of a text or a name, which stand between quotes there; what is escaped is read.
    ///
    /// Half a surrogate pair becomes U+FFFD.
    package func storedCharacters(_ range: Range<Int>) -> String {
        if let text = plainCharacters(range) { return text }
        var units: [UInt16] = []
        units.reserveCapacity(range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = self[position]
            position += 1
            guard byte == UInt8(ascii: "\\"), position < range.upperBound else {
                units.append(UInt16(byte))
                continue
            }
            let escaped = self[position]
            position += 1
            guard escaped == UInt8(ascii: "u"), range.upperBound - position >= 4 else {
                units.append(UInt16(escaped))
                continue
            }
            var unit: UInt16 = 0
            for digit in position..<position + 4 { unit = unit << 4 | hexadecimalValue(self[digit]) }
            units.append(unit)
            position += 4
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// The characters where nothing is escaped, which is nearly everywhere.
    private func plainCharacters(_ range: Range<Int>) -> String? {
        for index in range where self[index] == UInt8(ascii: "\\") { return nil }
        guard let text = try? UTF8Span(validating: extracting(range)) else { return nil }
        return String(copying: text)
    }

    /// The whole number of a value; nil where it is none, or below zero.
    package func storedNumber(_ value: Range<Int>) -> UInt64? {
        var position = value.lowerBound
        guard let number = takeNumber(&position), position == value.upperBound else { return nil }
        return number
    }
}

private func hexadecimalValue(_ digit: UInt8) -> UInt16 {
    digit.isDigit ? UInt16(digit - UInt8(ascii: "0")) : UInt16((digit | 0x20) &- UInt8(ascii: "a")) &+ 10
}
