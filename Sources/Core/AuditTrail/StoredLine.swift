/// As much of a line of the file as it takes to go on after a restart.
///
/// It is read as `StoredFrame` is: byte for byte, not as JSON.
package struct StoredLine: Hashable, Sendable {
    /// What a restart has to know of a line.
    package enum Content: Hashable, Sendable {
        /// A connection or a request that was let through, so that an end is owed.
        case allowed(OwedEnd)
        /// The end of one.
        case ended(OwedEnd)
        /// The daemon started here.
        case started
        /// What was cut off before this line has been closed.
        case repaired
        /// A file begins here, and these were open when it did.
        case carried([OwedEnd])
        /// Anything else, newer kinds among them.
        case other
    }

    /// What an end is owed for.
    package enum OwedEnd: Hashable, Sendable {
        case connection(RecordIdentifier)
        case request(RecordIdentifier)

        /// The lower half tells identifiers apart: each is one more than another, or random there.
        package func hash(into hasher: inout Hasher) {
            switch self {
            case .connection(let identifier), .request(let identifier):
                hasher.combine(UInt64(truncatingIfNeeded: identifier.value))
            }
        }
    }

    package let sequence: UInt64
    /// In seconds since 1970-01-01T00:00:00Z; nil where the line has no time.
    package let time: Int64?
    package let content: Content

    /// Reads a line without its newline; nil where it is not one that we have written whole.
    package init?(_ line: borrowing Span<UInt8>) {
        guard let frame = StoredFrame(line) else { return nil }
        sequence = frame.sequence
        time = Int64(timestamp: line.extracting(frame.time))
        guard let kind = RecordKind.allCases.first(where: { frame.isKind($0, in: line) }) else {
            content = .other
            return
        }
        guard let content = line.content(of: kind, at: frame.body.lowerBound) else { return nil }
        self.content = content
    }

    /// The 64 digits that a line has for the one before; nil where it is none of ours.
    package static func previousHash(of line: borrowing Span<UInt8>) -> [UInt8]? {
        guard StoredLine(line) != nil else { return nil }
        let start = line.count - lineClosing.utf8.count - hashLength
        return (start..<start + hashLength).map { line[$0] }
    }

    /// Whether bytes may be the beginning of a line of ours that was cut off.
    ///
    /// After a loss of power a file system may leave zeros where the rest of a line should stand. No crash leaves a carriage
    /// return, which no line of ours holds: somebody has converted the ends of the lines. And none leaves an object that is closed,
    /// unless that is a line of ours with zeros behind it: somebody has changed it.
    package static func mayBeCutOff(_ bytes: borrowing Span<UInt8>) -> Bool {
        guard beginsAsOurs(bytes) else { return false }
        let count = bytes.countWithoutZeros
        guard count == 0 || bytes[count - 1] != UInt8(ascii: "\r") else { return false }
        guard bytes.extracting(..<count).closesObject else { return true }
        return count < bytes.count && StoredLine(bytes.extracting(..<count)) != nil
    }

    /// Whether bytes begin as lines of ours do, as far as they go before zeros at their end.
    package static func beginsAsOurs(_ bytes: borrowing Span<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return false }
        let count = bytes.countWithoutZeros
        var position = 0
        for expected in lineOpening.utf8 {
            guard position < count else { return true }
            guard bytes[position] == expected else { return false }
            position += 1
        }
        return true
    }
}

extension Span<UInt8> {
    /// How many octets there are up to the last that is not zero.
    fileprivate var countWithoutZeros: Int {
        var count = self.count
        while count > 0, self[count - 1] == 0 { count -= 1 }
        return count
    }

    /// Whether the bracket that comes first is closed, outside of texts and before any zero.
    fileprivate var closesObject: Bool {
        var depth = 0
        var isText = false
        var isEscaped = false
        for index in indices {
            let byte = self[index]
            guard byte != 0 else { return false }
            if isText {
                if !isEscaped, byte == UInt8(ascii: "\"") { isText = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isText = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth <= 0 { return true }
            default: break
            }
        }
        return false
    }

    private func takeIdentifier(_ position: inout Int) -> RecordIdentifier? {
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
            guard skip("\",", &position) else {
                _ = skip("\"", &position)
                break
            }
        }
        return identifiers
    }

    /// What the members of a record tell; nil where it is not as one of its kind is written.
    fileprivate func content(of kind: RecordKind, at position: Int) -> StoredLine.Content? {
        switch kind {
        case .connection: decision(at: position) { .connection($0) }
        case .request: decision(at: position) { .request($0) }
        case .connectionEnd: end(at: position) { .connection($0) }
        case .requestEnd: end(at: position) { .request($0) }
        case .lifecycle: lifecycle(at: position)
        case .check, .policy, .ruleset, .checkpoint, .key: .other
        }
    }

    private func decision(
        at position: Int,
        _ owed: (RecordIdentifier) -> StoredLine.OwedEnd
    ) -> StoredLine.Content? {
        var position = position
        guard let identifier = takeIdentifier(&position) else { return nil }
        return skip(#"","decision":"allow","#, &position) ? .allowed(owed(identifier)) : .other
    }

    private func end(at position: Int, _ owed: (RecordIdentifier) -> StoredLine.OwedEnd) -> StoredLine.Content? {
        var position = position
        return takeIdentifier(&position).map { .ended(owed($0)) }
    }

    private func lifecycle(at position: Int) -> StoredLine.Content {
        var position = position
        if skip(#""event":"started","#, &position) { return .started }
        if skip(#""event":"rotated","open":["#, &position) {
            let connections = takeIdentifiers(&position).map { StoredLine.OwedEnd.connection($0) }
            let requests = skip(#"],"open_requests":["#, &position) ? takeIdentifiers(&position) : []
            return .carried(connections + requests.map { .request($0) })
        }
        return skip(#""event":"repaired","#, &position) ? .repaired : .other
    }
}
