import AuditTrail
import Testing

@Suite struct SegmentNameTests {
    @Test(
        "a name tells when the file was closed and the number of its first line, and is read back",
        arguments: [
            ("audit-20261121T101504Z-000000000041.jsonl", Int64(1_795_256_104), UInt64(41), false),
            ("audit-19700101T000000Z-000000000001.jsonl.zst", 0, 1, true),
            ("audit-20240229T235959Z-18446744073709551615.jsonl.zst", 1_709_251_199, .max, true),
            ("audit-19991231T235959Z-000000000002.jsonl", 946_684_799, 2, false),
        ]
    )
    func readBack(name: String, closed: Int64, first: UInt64, isCompressed: Bool) {
        let segment = SegmentName(stem: "audit", closed: closed, firstSequence: first, isCompressed: isCompressed)
        #expect(segment.text == name)
        #expect(SegmentName(name, stem: "audit") == segment)
    }

    @Test(
        "what is named otherwise is no segment",
        arguments: [
            "audit.jsonl", "audit-.jsonl", "audit-20261121T101504Z-41.jsonl", "audit-20261121T101504Z-000000000041",
            "audit-20261321T101504Z-000000000041.jsonl", "audit-20260230T101504Z-000000000041.jsonl",
            "audit-20261121T101504Z-000000000041.jsonl.gz", "other-20261121T101504Z-000000000041.jsonl",
            "audit-20261121T101504Z-000000000041.jsonl.part", "audit-20261121t101504z-000000000041.jsonl",
            "audit-20261121T101504Z-0000000000041.jsonl", "audit-20261121T101504Z-00000000004\u{661}.jsonl",
            "audit-20261121T101504Z-000000000041-2.jsonl", "../audit-20261121T101504Z-000000000041.jsonl",
        ]
    )
    func others(name: String) {
        #expect(SegmentName(name, stem: "audit") == nil)
    }

    @Test("segments are in the order of their lines, whatever the clock said")
    func order() {
        let early = SegmentName(stem: "audit", closed: 900, firstSequence: 1)
        let late = SegmentName(stem: "audit", closed: 100, firstSequence: 50)
        #expect([late, early].sorted() == [early, late])
    }

    @Test("G06: the lines that a file begins with name what is open, and are read back")
    func carried() {
        let identifiers = (1...3).map { RecordIdentifier(value: UInt128($0)) }
        var record = LifecycleRecord(event: .rotated, version: "1", pid: 1, segment: "x", open: identifiers)
        record.openRequests = [RecordIdentifier(value: 9)]
        #expect(
            StoredLine(Sample.line(record).span)?.content
                == .carried(identifiers.map { .connection($0) } + [.request(RecordIdentifier(value: 9))])
        )
        record.open = []
        record.openRequests = []
        #expect(StoredLine(Sample.line(record).span)?.content == .carried([]))
        record.openRequests = [identifiers[0]]
        #expect(StoredLine(Sample.line(record).span)?.content == .carried([.request(identifiers[0])]))
    }
}
