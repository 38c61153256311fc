/// As much of a line of the file as it takes to go on after a restart.
///
/// It is read as `StoredFrame` is: byte for byte, not as JSON.
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
        /// Anything else, newer kinds among them.
        case other
    }

    package let sequence: UInt64
    package let content: Content

    /// Reads a line without its newline; nil where it is not one that we have written whole.
    package init?(_ line: borrowing Span<UInt8>) {
        guard let frame = StoredFrame(line) else { return nil }
        sequence = frame.sequence
        var position = frame.body.lowerBound
        if frame.isKind(.connection, in: line) {
            guard let content = line.connection(at: &position) else { return nil }
            self.content = content
        } else if frame.isKind(.connectionEnd, in: line) {
            guard let identifier = line.takeIdentifier(&position) else { return nil }
            content = .ended(identifier)
        } else {
            content = frame.isKind(.lifecycle, in: line) ? line.lifecycle(at: position) : .other
        }
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

extension Span<UInt8> {
    fileprivate func takeIdentifier(_ position: inout Int) -> RecordIdentifier? {
        guard skip(#""id":""#, &position), count - position >= RecordIdentifier.length else { return nil }
        let text = extracting(position..<position + RecordIdentifier.length)
        position += RecordIdentifier.length
        return RecordIdentifier(text)
    }

    fileprivate func connection(at position: inout Int) -> StoredLine.Content? {
        guard let identifier = takeIdentifier(&position) else { return nil }
        return skip(#"","decision":"allow","#, &position) ? .allowed(identifier) : .other
    }

    fileprivate func lifecycle(at position: Int) -> StoredLine.Content {
        var position = position
        if skip(#""event":"started","#, &position) { return .started }
        return skip(#""event":"repaired","#, &position) ? .repaired : .other
    }
}
