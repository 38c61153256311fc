import SourceDocuments

/// The bytes of a YAML file, without a byte order mark, and where each of them stands.
struct YAMLText {
    let bytes: [UInt8]
    let file: String

    init(_ bytes: [UInt8], file: String) {
        let hasMark = bytes.starts(with: [0xef, 0xbb, 0xbf])
        self.bytes = hasMark ? Array(bytes.dropFirst(3)) : bytes
        self.file = file
    }

    /// The place of a byte: lines and characters before it, counted from 1.
    func location(ofByte offset: Int) -> SourceLocation {
        let before = bytes.prefix(max(offset, 0))
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        // Every octet but the continuation octets of UTF-8 begins a character.
        let column = before[lineStart...].count { $0 & 0xc0 != 0x80 } + 1
        return SourceLocation(file: file, line: line, column: column)
    }

    /// The character at an index that counts characters from 0.
    func character(at index: Int) -> Unicode.Scalar? {
        guard index >= 0 else { return nil }
        return String(decoding: bytes, as: UTF8.self).unicodeScalars.dropFirst(index).first
    }

    /// A line break that only some readers see: NEL, LS, PS, or a carriage return alone.
    var strangeLineBreak: SourceProblem? {
        for (offset, byte) in bytes.enumerated() {
            let name: String
            switch byte {
            case 0x0d where next(after: offset, by: 1) != UInt8(ascii: "\n"): name = "a carriage return alone"
            case 0xc2 where next(after: offset, by: 1) == 0x85: name = "the line break U+0085"
            case 0xe2 where next(after: offset, by: 1) == 0x80 && next(after: offset, by: 2) == 0xa8:
                name = "the line break U+2028"
            case 0xe2 where next(after: offset, by: 1) == 0x80 && next(after: offset, by: 2) == 0xa9:
                name = "the line break U+2029"
            default: continue
            }
            return SourceProblem(
                "\(name) is not allowed",
                at: location(ofByte: offset),
                remedy: "end lines with a line feed"
            )
        }
        return nil
    }

    private func next(after offset: Int, by distance: Int) -> UInt8? {
        offset + distance < bytes.count ? bytes[offset + distance] : nil
    }
}
