/// As much of a line of the file as it takes to go on after a restart.
///
/// Lines are compared byte for byte with what this module writes; they are not parsed as JSON. No text can forge what is
/// looked for, because what is looked for has quotes, and quotes inside of texts are escaped.
package struct StoredLine: Hashable, Sendable {
    /// What a restart has to know of a line.
    package enum Content: Hashable, Sendable {
        /// A connection that was let through, so that an end is owed.
        case allowed(RecordIdentifier)
        /// A connection's end.
        case ended(RecordIdentifier)
        /// The daemon started here.
        case started
        /// What was cut off before this line has been closed.
        case repaired
        /// A file begins here, and these were open when it did.
        case carried([RecordIdentifier])
        /// Anything else, newer kinds among them.
        case other
    }

    package let sequence: UInt64
    /// In seconds since 1970-01-01T00:00:00Z; nil where the line has no time.
    package let time: Int64?
    package let content: Content

    /// Reads a line without its newline; nil where it is not one that we have written whole.
    package init?(_ line: borrowing Span<UInt8>) {
        var position = 0
        guard line.skip(lineOpening, &position) else { return nil }
        let kind = position
        while position < line.count, line[position].isKindCharacter { position += 1 }
        let kindEnd = position
        guard line.skip(timeOpening, &position) else { return nil }
        guard line.count - position >= timestampLength else { return nil }
        time = Int64(timestamp: line.extracting(position..<position + timestampLength))
        position += timestampLength
        guard line.skip(sequenceOpening, &position), let sequence = line.takeNumber(&position),
            line.skip(",", &position), line.endsInHash(from: position)
        else { return nil }
        self.sequence = sequence
        var start = kind
        if line.skip(RecordKind.connection.rawValue, &start), start == kindEnd {
            guard let content = line.connection(at: &position) else { return nil }
            self.content = content
            return
        }
        start = kind
        if line.skip(RecordKind.connectionEnd.rawValue, &start), start == kindEnd {
            guard let identifier = line.takeIdentifier(&position) else { return nil }
            content = .ended(identifier)
            return
        }
        start = kind
        let isLifecycle = line.skip(RecordKind.lifecycle.rawValue, &start) && start == kindEnd
        content = isLifecycle ? line.lifecycle(at: position) : .other
    }

    /// The 64 digits that a line has for the one before; nil where it is none of ours.
    package static func previousHash(of line: borrowing Span<UInt8>) -> [UInt8]? {
        guard StoredLine(line) != nil else { return nil }
        let start = line.count - lineClosing.utf8.count - hashLength
        return (start..<start + hashLength).map { line[$0] }
    }

    /// Whether bytes may be the beginning of a line of ours that was cut off.
    ///
    /// After a loss of power a file system may leave zeros where the rest of a line should stand.
    package static func mayBeCutOff(_ bytes: borrowing Span<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return false }
        var count = bytes.count
        while count > 0, bytes[count - 1] == 0 { count -= 1 }
        var position = 0
        for expected in lineOpening.utf8 {
            guard position < count else { return true }
            guard bytes[position] == expected else { return false }
            position += 1
        }
        return true
    }
}

extension UInt8 {
    fileprivate var isKindCharacter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || self == UInt8(ascii: "_")
    }

    fileprivate var isHexadecimal: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}

extension Span<UInt8> {
    /// Goes past a text, or leaves the position where it was.
    fileprivate func skip(_ text: String, _ position: inout Int) -> Bool {
        let expected = text.utf8.span
        guard position <= count, count - position >= expected.count else { return false }
        for index in expected.indices where self[position + index] != expected[index] { return false }
        position += expected.count
        return true
    }

    fileprivate func takeNumber(_ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < count, self[position].isDigit {
            let (tens, tooMany) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooMuch) = tens.addingReportingOverflow(UInt64(self[position] - UInt8(ascii: "0")))
            guard !tooMany, !tooMuch else { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }

    fileprivate func takeIdentifier(_ position: inout Int) -> RecordIdentifier? {
        guard skip(#""id":""#, &position), count - position >= RecordIdentifier.length else { return nil }
        let text = extracting(position..<position + RecordIdentifier.length)
        position += RecordIdentifier.length
        return RecordIdentifier(text)
    }

    /// The rest of a list of identifiers.
    fileprivate func takeIdentifiers(_ position: inout Int) -> [RecordIdentifier] {
        var identifiers: [RecordIdentifier] = []
        while skip("\"", &position), count - position >= RecordIdentifier.length,
            let identifier = RecordIdentifier(extracting(position..<position + RecordIdentifier.length))
        {
            identifiers.append(identifier)
            position += RecordIdentifier.length
            guard skip("\",", &position) else { break }
        }
        return identifiers
    }

    fileprivate func connection(at position: inout Int) -> StoredLine.Content? {
        guard let identifier = takeIdentifier(&position) else { return nil }
        return skip(#"","decision":"allow","#, &position) ? .allowed(identifier) : .other
    }

    fileprivate func lifecycle(at position: Int) -> StoredLine.Content {
        var position = position
        if skip(#""event":"started","#, &position) { return .started }
        if skip(#""event":"rotated","open":["#, &position) { return .carried(takeIdentifiers(&position)) }
        return skip(#""event":"repaired","#, &position) ? .repaired : .other
    }

    fileprivate func endsInHash(from position: Int) -> Bool {
        let digits = count - lineClosing.utf8.count - hashLength
        var start = digits - previousOpening.utf8.count
        guard start >= position, skip(previousOpening, &start) else { return false }
        for index in digits..<digits + hashLength where !self[index].isHexadecimal { return false }
        var end = digits + hashLength
        return skip(lineClosing, &end)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
