import AuditTrail
import Foundation
import Testing

@Suite struct EscapingTests {
    /// Every byte below 0x80, and what a terminal, a browser or a log viewer may act on.
    static let hostile: [String] =
        (UInt8(0)..<0x80).map { "a" + String(Unicode.Scalar($0)) + "b" } + [
            "\r\n{\"v\":1}", "\"},{\"decision\":\"allow\",\"x\":\"", "\\", "\\\"", "\\u0022",
            "\u{1B}[2J\u{1B}]0;x\u{07}",
            "\u{9B}31m", "\u{80}\u{85}\u{9F}", "\u{2028}\u{2029}", "\u{202E}moc.live",
            "\u{2066}\u{2069}\u{200B}\u{FEFF}",
            "ä", "名前", "😀\u{10FFFF}", "e\u{301}", "\u{FFFD}\u{FFFE}", "\u{D7FF}\u{E000}", "", " ", "null",
            String(decoding: [0xC3, 0x28, 0xFF, 0xED, 0xA0, 0x80] as [UInt8], as: UTF8.self),
        ]

    @Test("G05: hostile text in every field comes back as it was, from a line of printable ASCII", arguments: hostile)
    func everyField(text: String) throws {
        let lines = [
            Sample.line(Sample.connection(everywhere: text)), Sample.line(Sample.end(everywhere: text)),
            Sample.line(PolicyRecord(event: .refused, hashBefore: text, hashAfter: text, problems: [text])),
            Sample.line(LifecycleRecord(event: .repaired, version: text, pid: 1, after: text, detail: text)),
        ]
        for line in lines {
            let foreign = line.filter { !(0x20...0x7E).contains($0) }
            #expect(foreign.isEmpty)
            let found = texts(in: try Sample.parse(line), except: ["v", "kind", "time", "previous", "id", "event"])
            #expect(found.count >= 3)
            // Scalar by scalar: equality of strings would let a normalised text pass.
            let others = found.filter { !$0.unicodeScalars.elementsEqual(text.unicodeScalars) }
            #expect(others.isEmpty)
        }
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

    @Test("G05: a megabyte in every field still makes a line that is read back")
    func megabyte() throws {
        let line = Sample.line(Sample.connection(everywhere: String(repeating: "\0", count: 1 << 20)))
        #expect(line.count < RecordLimits.standard.lineBytes)
        #expect(StoredLine(line.span) != nil)
        #expect(try Sample.parse(line)["kind"] as? String == "connection")
    }

    /// All texts below an object that were not chosen by us.
    private func texts(in object: [String: Any], except ours: Set<String>) -> [String] {
        let closed: Set = ["decision", "would", "treatment", "mode", "capture", "protocol", "outcome", "closed_by"]
        return object.filter { !ours.contains($0.key) && !closed.contains($0.key) }.values.flatMap {
            value -> [String] in
            if let text = value as? String { return [text] }
            if let list = value as? [String] { return list }
            return (value as? [String: Any]).map { texts(in: $0, except: []) } ?? []
        }
    }
}
