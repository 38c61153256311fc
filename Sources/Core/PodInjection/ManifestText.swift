import SourceDocuments

/// The bytes of a manifest, and the lines that they make.
package struct ManifestText: Sendable {
    package let bytes: [UInt8]
    /// How its lines end.
    package let lineBreak: String

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let first = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? 0
        lineBreak = first > 0 && bytes[first - 1] == UInt8(ascii: "\r") ? "\r\n" : "\n"
    }

    /// Where the line of a byte begins.
    func lineStart(of offset: Int) -> Int {
        bytes[..<min(offset, bytes.count)].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    }

    /// Where the next line begins; the end of the text behind the last.
    func nextLine(after offset: Int) -> Int {
        guard offset < bytes.count else { return bytes.count }
        return bytes[offset...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
    }

    /// Where the line begins that follows the last line of a value.
    func nextLine(after node: LayoutNode) -> Int {
        let end = node.range.upperBound
        // A literal or folded scalar ends where the next line begins.
        if end > 0, end <= bytes.count, node.lastBlockScalar != nil, bytes[end - 1] == UInt8(ascii: "\n") { return end }
        return nextLine(after: end)
    }

    /// The column of a byte, counted from 0.
    func column(of offset: Int) -> Int {
        bytes[lineStart(of: offset)..<min(offset, bytes.count)].count { $0 & 0xc0 != 0x80 }
    }

    /// True where only spaces stand before a byte on its line.
    func isFirstOnLine(_ offset: Int) -> Bool {
        // Backwards: a text of one line may be long.
        let before = bytes[..<min(offset, bytes.count)].last { $0 != UInt8(ascii: " ") }
        return before == nil || before == UInt8(ascii: "\n")
    }

    /// How far the line of a byte is indented.
    func indentation(ofLineAt offset: Int) -> Int {
        bytes[lineStart(of: offset)...].prefix { $0 == UInt8(ascii: " ") }.count
    }

    /// Up to where text goes between a dash and the first of an item's keys that stay.
    ///
    /// The key moves up to the dash; where comments stand before it, the break of the line stays, and they stay where they are.
    func placeBehindDash(after last: LayoutNode, before kept: Int) -> Int {
        let next = nextLine(after: last)
        guard next <= kept, bytes[next..<kept].contains(where: { $0 != UInt8(ascii: " ") }) else { return kept }
        return next - lineBreak.utf8.count
    }

    /// Behind a comma that follows the last value in brackets, or behind the value where none does.
    func behindComma(after end: Int) -> Int {
        let isBlank = { (byte: UInt8) in
            [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(byte)
        }
        guard let next = bytes[end...].firstIndex(where: { !isBlank($0) }), bytes[next] == UInt8(ascii: ",") else {
            return end
        }
        return next + 1
    }

    /// True where the last line has no end.
    var endsInsideLine: Bool { !bytes.isEmpty && bytes.last != UInt8(ascii: "\n") }

    /// Lines to put where a line begins, or behind a last line that has no end.
    func insertion(of lines: [String], at offset: Int) -> TextEdit {
        let joined = lines.joined(separator: lineBreak)
        return TextEdit(
            offset..<offset,
            offset == bytes.count && endsInsideLine ? lineBreak + joined : joined + lineBreak
        )
    }
}

extension LayoutNode {
    /// The literal or folded scalar that it ends with.
    var lastBlockScalar: LayoutNode? {
        guard alias == nil else { return nil }
        switch content {
        case .scalar(_, .block): return self
        case .scalar: return nil
        case .sequence(let items, .block): return items.last?.lastBlockScalar
        case .mapping(let entries, .block): return entries.last?.value.lastBlockScalar
        case .sequence, .mapping: return nil
        }
    }
}
