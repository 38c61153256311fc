import AuditTrail
import Foundation
import Testing

@Suite struct EscapingTests {
    /// Every byte in the middle of a text, and what a terminal, a browser or a log viewer may act on, as it comes from
    /// the wire.
    static let hostile: [[UInt8]] =
        (UInt8.min...UInt8.max).map { [UInt8(ascii: "a"), $0, UInt8(ascii: "b")] }
        + (UInt8.min...UInt8.max).map { [$0] }
        + [
            "\r\n{\"v\":1}", "\"},{\"decision\":\"allow\",\"x\":\"", "\\", "\\\"", "\\u0022",
            "\u{1B}[2J\u{1B}]0;x\u{07}",
            "\u{9B}31m", "\u{80}\u{85}\u{9F}", "\u{2028}\u{2029}", "\u{202E}moc.live",
            "\u{2066}\u{2069}\u{200B}\u{FEFF}",
            "ä", "名前", "😀\u{10FFFF}", "e\u{301}", "\u{FFFD}\u{FFFE}", "\u{D7FF}\u{E000}", "", " ", "null",
        ].map { Array($0.utf8) }
        + [
            // A bad continuation, a byte that never stands, the halves of a surrogate pair, an overlong slash, too high.
            [0xC3, 0x28], [0xFF], [0xED, 0xA0, 0x80], [0xED, 0xB0, 0x80], [0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80],
            [0xC0, 0xAF], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F, 0x98],
        ]

    @Test(
        "G05: hostile bytes in every field of every kind come back as they were, from one line of printable ASCII",
        arguments: hostile
    )
    func everyField(bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        for line in Sample.lines(everywhere: text).values {
            let isPrintable = line.allSatisfy { (0x20...0x7E).contains($0) }
            #expect(isPrintable)
            let found = texts(in: try Sample.parse(line))
            #expect(found.count >= 3)
            // Scalar by scalar: equality of strings would let a normalised text pass.
            let isWhole = found.allSatisfy { $0.unicodeScalars.elementsEqual(text.unicodeScalars) }
            #expect(isWhole)
        }
    }

    @Test("every kind of record is among the hostile lines, and each of its texts is")
    func everyKind() throws {
        let lines = Sample.lines(everywhere: "x")
        // Nothing in a checkpoint or a key comes from the wire.
        #expect(Set(lines.keys) == Set(RecordKind.allCases).subtracting([.checkpoint, .key]))
        let counts = try lines.mapValues { texts(in: try Sample.parse($0)).count }
        #expect(
            counts == [
                .connection: 18, .connectionEnd: 4, .request: 16, .requestEnd: 4, .check: 15, .policy: 10,
                .lifecycle: 3, .ruleset: 4,
            ]
        )
    }

    @Test("what is no UTF-8 is written as U+FFFD, and nothing around it is lost")
    func replacement() throws {
        let text = String(decoding: [0x2F, 0xC3, 0x28, 0xFF, 0x2F] as [UInt8], as: UTF8.self)
        let line = Sample.line(Sample.request(everywhere: text))
        #expect(try Sample.parse(line)["path"] as? String == "/\u{FFFD}(\u{FFFD}/")
    }

    @Test("a text as long as the limit is whole; one byte more and it is cut, with an ellipsis that counts")
    func textLimit() throws {
        let limits = RecordLimits(textBytes: 10, listItems: 2, lineBytes: 1000)
        func sni(_ text: String) throws -> String? {
            var record = Sample.denied
            record.sni = text
            return try Sample.parse(Sample.line(record, limits: limits))["sni"] as? String
        }
        #expect(try sni("0123456789") == "0123456789")
        #expect(try sni("01234567890") == "0123456\u{2026}")
        #expect(try sni("\"\"\"\"\"\"\"\"\"\"") == "\"\"\"\"\"\"\"\"\"\"")
        #expect(try sni("012345ä6789") == "012345\u{2026}")
        #expect(try sni("ééééé") == "ééééé")
    }

    @Test("a list keeps as many entries as the limit says")
    func listLimit() throws {
        let limits = RecordLimits(textBytes: 100, listItems: 2, lineBytes: 1000)
        for (count, kept) in [(0, 0), (1, 1), (2, 2), (3, 2)] {
            var record = Sample.denied
            record.binding = Array(repeating: "sni", count: count)
            let object = try Sample.parse(Sample.line(record, limits: limits))
            #expect((object["binding"] as? [String])?.count == kept)
        }
    }

    @Test("G05: a megabyte in every field still makes a line that is read back, cut where the limit says")
    func megabyte() throws {
        let limits = RecordLimits.standard
        let kept = String(repeating: "\0", count: limits.textBytes - 3) + "\u{2026}"
        for (kind, line) in Sample.lines(everywhere: String(repeating: "\0", count: 1 << 20)) {
            let isEnd = kind == .connectionEnd || kind == .requestEnd
            #expect(line.count < (isEnd ? RecordLimits.endBytes : limits.lineBytes))
            #expect(StoredLine(line.span) != nil)
            let object = try Sample.parse(line)
            #expect(object["kind"] as? String == kind.rawValue)
            // What is set aside for the end of a connection is less than the limit of a text.
            let isCut = texts(in: object).allSatisfy { isEnd ? kept.hasPrefix($0) && $0.count <= 128 : $0 == kept }
            #expect(isCut)
        }
    }

    /// All texts of a line that were not chosen by us.
    private func texts(in object: [String: Any]) -> [String] {
        let ours: Set = [
            "v", "kind", "time", "previous", "id", "connection", "event", "decision", "would", "treatment", "mode",
            "capture", "protocol", "scheme", "outcome", "closed_by", "address",
        ]
        return object.filter { !ours.contains($0.key) }.values.flatMap { value -> [String] in
            if let text = value as? String { return [text] }
            if let list = value as? [String] { return list }
            return (value as? [String: Any]).map { texts(in: $0) } ?? []
        }
    }
}
