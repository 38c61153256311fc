import AuditTrail
import Foundation
import Testing

@Suite struct StoredRecordTests {
    @Test("every line that is written is read back, with the members that an independent reader finds")
    func everyLine() throws {
        for line in SchemaTests.lines {
            let record = try StoredRecord(line.span)
            let names = record.all.map { line.span.storedCharacters($0.name) }
            #expect(try Set(names) == Set(Sample.parse(line).keys))
            #expect(record.frame.sequence == 41)
            let previous = line.span.storedCharacters(record.frame.previous)
            #expect(previous == String(repeating: "0", count: 64))
        }
    }

    @Test("values are read as they were written; what is not there is nil")
    func values() throws {
        let line = Sample.line(Sample.denied)
        let record = try StoredRecord(line.span)
        let texts = [
            record.text("decision", in: line.span), record.text("destination", "name", in: line.span),
            record.text("authority", in: line.span), record.text("nothing", in: line.span),
            record.text("decision", "name", in: line.span),
        ]
        #expect(texts == ["deny", "pastebin.com", nil, nil, nil])
        let numbers = [
            record.number("destination", "port", in: line.span), record.number("workload", "uid", in: line.span),
            record.number("decision", in: line.span),
        ]
        #expect(numbers == [443, 1000, nil])
        let kinds = RecordKind.allCases.filter { record.frame.isKind($0, in: line.span) }
        #expect(kinds == [.connection])
    }

    @Test("G05: hostile text is read back scalar by scalar, in every kind", arguments: EscapingTests.hostile)
    func hostileText(bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        for line in Sample.lines(everywhere: text).values {
            let record = try StoredRecord(line.span)
            let found = ["detail", "rule", "reason", "version"].compactMap { record.text($0, in: line.span) }
            let isWhole = found.allSatisfy { $0.unicodeScalars.elementsEqual(text.unicodeScalars) }
            #expect(isWhole)
        }
    }

    @Test("one reader reads line after line, and keeps nothing of the one before")
    func readAgain() throws {
        let first = Sample.line(Sample.denied)
        let second = Sample.line(Sample.checkpoint, sequence: 42)
        var record = try StoredRecord(first.span)
        try record.read(second.span)
        #expect(record.frame.sequence == 42)
        let decision = record.text("decision", in: second.span)
        #expect(decision == nil)
        let checkpoint = CheckpointRecord(record, in: second.span)
        #expect(checkpoint == Sample.checkpoint)
    }

    @Test("checkpoints and keys come back as they were written")
    func signatures() throws {
        for key in Sample.keys {
            let line = Sample.line(key)
            let found = try KeyRecord(StoredRecord(line.span), in: line.span)
            #expect(found == key)
        }
    }

    @Test("no beginning of a line is a line, and no line with a byte more")
    func cuts() {
        let line = Sample.line(Sample.denied)
        for count in line.indices {
            #expect(throws: MalformedLine.self) { try StoredRecord(Array(line[..<count]).span) }
        }
        #expect(throws: MalformedLine.self) { try StoredRecord((line + [UInt8(ascii: " ")]).span) }
    }

    @Test(
        "what another program would write is none of ours, even where it means the same",
        arguments: [
            ("\"sni\":\"p", "\"sni\": \"p"), ("\"sni\":\"p", "\"sni\":\"\\/p"), ("\"sni\":\"p", "\"sni\":\"\\n"),
            ("\"sni\":\"p", "\"sni\":\"\\u00E4"), ("\"sni\":\"p", "\"sni\":\"\\u00"),
            ("\"sni\":\"p", "\"sni\":\"\u{7f}"),
            ("\"sni\":\"p", "\"sni\":\"ä"), ("\"port\":443", "\"port\":0443"), ("\"port\":443", "\"port\":4.5"),
            ("\"port\":443", "\"port\":1e3"), ("\"port\":443", "\"port\":"), ("\"port\":443", "\"port\":+1"),
            ("\"authority\":null", "\"authority\":nil"), ("\"authority\":null", "\"authority\":True"),
            ("\"authority\":null", "\"authority\":[1,]"), ("\"authority\":null", "\"authority\":{,}"),
            ("\"authority\":null", "\"authority\":{\"a\"}"), ("\"authority\":null", "\"sni\":null"),
            ("\"authority\":null", "\"previous\":null"), ("\"authority\":null", "\"sequence\":9"),
            (
                "\"authority\":null",
                "\"authority\":" + String(repeating: "[", count: 9) + String(repeating: "]", count: 9)
            ),
        ]
    )
    func notOurs(part: String, replacement: String) {
        let whole = String(decoding: Sample.line(Sample.denied), as: UTF8.self)
        let changed = whole.replacing(part, with: replacement, maxReplacements: 1)
        #expect(changed != whole)
        #expect(throws: MalformedLine.self) { try StoredRecord(Array(changed.utf8).span) }
    }

    @Test("no byte of a line, turned into another, makes a reader trap")
    func anyByte() {
        let line = Sample.line(Sample.connection(everywhere: "\u{1}\"x"))
        for index in line.indices {
            for byte in [0, 0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x2c, 0x3a, 0x75, 0x30, 0xff] as [UInt8] {
                var changed = line
                changed[index] = byte
                guard let record = try? StoredRecord(changed.span) else { continue }
                for member in record.all {
                    _ = changed.span.storedText(member.value)
                    _ = changed.span.storedNumber(member.value)
                }
            }
        }
    }

    @Test("base 64 is read in the one way that it is written", arguments: 0...66)
    func base64(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 89 + 250) }
        let text = String(base64: bytes)
        #expect(text == Data(bytes).base64EncodedString())
        #expect([UInt8](base64: text) == bytes)
        for wrong in [text + "=", text + "A", " " + text, String(text.dropLast())] where wrong != "" {
            #expect([UInt8](base64: wrong) != bytes)
        }
    }

    @Test(
        "of the ways to write the same bytes only one is read",
        arguments: ["QQ=", "QQ", "QR==", "Q===", "QQ==QQ==", "Q-=="]
    )
    func otherBase64(text: String) {
        #expect([UInt8](base64: text) == nil)
    }

    @Test(
        "times are read as RFC 3339 has them",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("2026-11-21T10:15:04.123456Z", 1_795_256_104_123_456),
            ("2026-11-21t10:15:04.1234567z", 1_795_256_104_123_456), ("2026-11-21 10:15:04.5Z", 1_795_256_104_500_000),
            ("2026-11-21T12:15:04+02:00", 1_795_256_104_000_000), ("2026-11-21T04:45:04-05:30", 1_795_256_104_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000), ("2000-02-29", 951_782_400_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999), ("0001-01-01", -62_135_596_800_000_000),
            ("2026-11-21T10:15", nil), ("2026-11-21T10:15:04", nil), ("2026-11-21T24:00:00Z", nil), ("2025-02-29", nil),
            ("1900-02-29", nil), ("2026-13-01", nil), ("2026-00-01", nil), ("2026-01-00", nil), ("", nil), ("10m", nil),
            ("2026-11-21T10:15:04.Z", nil), ("2026-11-21T10:15:04ZZ", nil), ("2026-11-21T10:15:04+2:00", nil),
        ] as [(String, Int64?)]
    )
    func times(text: String, expected: Int64?) {
        #expect(microseconds(rfc3339: text) == expected)
    }
}
