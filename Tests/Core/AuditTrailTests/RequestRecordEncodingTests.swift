import AuditTrail
import Testing

@Suite struct RequestRecordEncodingTests {
    /// Each differs from the sample in one thing, and some in what every request has of its own.
    private static let requests: [RequestRecord] = {
        let changes: [(inout RequestRecord) -> Void] = [
            { _ in },
            { $0.id = RecordIdentifier(value: 9) },
            { $0.connection = RecordIdentifier(value: 8) },
            { $0.decision = .deny },
            { $0.would = nil },
            { $0.treatment = .refuse },
            { $0.rule = nil },
            { $0.reason = "another" },
            { $0.policy = RecordedPolicy(hash: nil, mode: .audit) },
            { $0.workload = WorkloadIdentity(namespace: nil, pod: "other", serviceAccount: nil, uid: 1) },
            { $0.scheme = .https },
            { $0.method = nil },
            { $0.authority = "other.example" },
            { $0.path = nil },
            { $0.message = nil },
            { $0.message?.isBatch = false },
            { $0.message?.calls[0].tool = nil },
            { $0.path = "/\u{202e}\"\\\u{7f}" },
            { $0.path = String(repeating: "ü", count: 5000) },
            { $0.hasQuery.toggle() },
            { $0.destination = RecordedDestination(name: "other.example", port: 1) },
            { $0.binding = [] },
            { $0.detail = nil },
        ]
        return changes.map { change in
            var record = Sample.request(everywhere: "x")
            change(&record)
            return record
        }
    }()

    private static let ends: [RequestEndRecord] = {
        let changes: [(inout RequestEndRecord) -> Void] = [
            { _ in },
            { $0.id = RecordIdentifier(value: 9) },
            { $0.connection = nil },
            { $0.outcome = .reset },
            { $0.status = 404 },
            { $0.closedBy = nil },
            { $0.reason = nil },
            { $0.rule = nil },
            { $0.bytesUp = 0 },
            { $0.bytesDown = nil },
            { $0.durationMilliseconds = 1_234_567 },
            { $0.dialled = nil },
            { $0.detail = nil },
        ]
        return changes.map { change in
            var record = Sample.requestEnd(everywhere: "x")
            change(&record)
            return record
        }
    }()

    @Test("a record is encoded as for itself, whatever record came before it on the connection")
    func anyOrder() {
        let encoding = RequestRecordEncoding()
        for before in Self.requests {
            for record in Self.requests {
                _ = encoding.encode(before, at: 1)
                let encoded = encoding.encode(record, at: 2)
                let plain = AuditRecord(record, at: 2)
                #expect(encoded.body == plain.body)
                #expect(encoded.kind == plain.kind && encoded.time == plain.time && encoded.turn == plain.turn)
            }
        }
    }

    @Test("an end is encoded as for itself, whatever end came before it on the connection")
    func anyOrderOfEnds() {
        let encoding = RequestRecordEncoding()
        for before in Self.ends {
            for record in Self.ends {
                _ = encoding.encode(before, at: 1)
                _ = encoding.encode(Sample.request(everywhere: "y"), at: 1)
                let encoded = encoding.encode(record, at: 2)
                let plain = AuditRecord(record, at: 2)
                #expect(encoded.body == plain.body)
                #expect(encoded.kind == plain.kind && encoded.time == plain.time && encoded.turn == plain.turn)
            }
        }
    }

    @Test("a record that has but identifier and path of its own is encoded as for itself, whatever was let through")
    func again() {
        for decision in [Decision.allow, .deny] {
            let encoding = RequestRecordEncoding()
            #expect(encoding.encodeAgain(RecordIdentifier(value: 1), path: "/", at: 1) == nil)
            var record = Sample.request(everywhere: "x")
            record.message = nil
            record.decision = decision
            _ = encoding.encode(record, at: 1)
            for (number, path) in ["/", "/\u{202e}\"", "/", String(repeating: "ü", count: 5000)].enumerated() {
                record.id = RecordIdentifier(value: UInt128(number + 2))
                record.path = path
                let plain = AuditRecord(record, at: 2)
                let encoded = encoding.encodeAgain(record.id, path: path, at: 2)
                #expect(encoded?.body == plain.body && encoded?.turn == plain.turn)
                #expect(encoded?.kind == plain.kind && encoded?.time == plain.time)
            }
        }
    }

    @Test("an end that has but identifier and figures of its own is encoded as for itself")
    func endAgain() {
        let encoding = RequestRecordEncoding()
        func encode(_ end: RequestEndRecord) -> AuditRecord? {
            encoding.encodeEndAgain(
                end.id,
                bytesUp: end.bytesUp ?? 0,
                bytesDown: end.bytesDown ?? 0,
                durationMilliseconds: end.durationMilliseconds ?? 0,
                at: 2
            )
        }
        var end = Sample.requestEnd(everywhere: "x")
        #expect(encode(end) == nil)
        _ = encoding.encode(end, at: 1)
        for number in [0, 9, 10, UInt64.max] {
            end.id = RecordIdentifier(value: UInt128(number) + 7)
            (end.bytesUp, end.bytesDown, end.durationMilliseconds) = (number, number / 2, number / 3)
            let plain = AuditRecord(end, at: 2)
            let encoded = encode(end)
            #expect(encoded?.body == plain.body && encoded?.turn == plain.turn)
            #expect(encoded?.kind == plain.kind && encoded?.time == plain.time)
        }
    }

    @Test("a record that has but its identifier of its own leaves the ones before as they were")
    func nothingOfItsOwn() {
        let encoding = RequestRecordEncoding()
        var record = Sample.request(everywhere: "x")
        record.message = nil
        _ = encoding.encode(record, at: 1)
        var (given, expected): ([[UInt8]?], [[UInt8]?]) = ([], [])
        // The same path time and again, one that only looks like another, and the end of one.
        for (number, path) in ["/a", "/a", "/a", "/\u{e9}", "/e\u{301}", "/\u{c5}", "/\u{212b}", "/a", "/a", "/"]
            .enumerated()
        {
            record.id = RecordIdentifier(value: UInt128(number) << 90 + 31)
            record.path = path
            given.append(encoding.encodeAgain(record.id, path: path, at: 2)?.body)
            expected.append(AuditRecord(record, at: 2).body)
        }
        #expect(given == expected)
        // What somebody still has is not written over, and what nobody has any more is.
        given = []
        for number in 1...3 {
            record.id = RecordIdentifier(value: UInt128(number))
            #expect(encoding.encodeAgain(record.id, path: "/", at: 2)?.body == AuditRecord(record, at: 2).body)
        }
    }

    @Test("a record in full stands between two that are alike, and nothing of it is taken for theirs")
    func fullBetween() {
        let encoding = RequestRecordEncoding()
        var record = Sample.request(everywhere: "x")
        record.message = nil
        record.path = "/"
        var end = Sample.requestEnd(everywhere: "x")
        for text in ["x", "y", "x"] {
            record.reason = text
            end.dialled = text
            _ = encoding.encode(record, at: 1)
            _ = encoding.encode(end, at: 1)
            for number in 1...3 {
                (record.id, end.id) = (RecordIdentifier(value: UInt128(number)), RecordIdentifier(value: 9))
                #expect(encoding.encodeAgain(record.id, path: "/", at: 2)?.body == AuditRecord(record, at: 2).body)
                let encoded = encoding.encodeEndAgain(
                    end.id,
                    bytesUp: end.bytesUp ?? 0,
                    bytesDown: end.bytesDown ?? 0,
                    durationMilliseconds: end.durationMilliseconds ?? 0,
                    at: 2
                )
                #expect(encoded?.body == AuditRecord(end, at: 2).body)
            }
        }
    }

    @Test("the limit of a text holds for what is remembered, too")
    func limits() {
        let limits = RecordLimits(textBytes: 8, listItems: 1, lineBytes: 4096)
        let encoding = RequestRecordEncoding(limits: limits)
        for text in ["short", "much longer than eight", "much longer than eight"] {
            let record = Sample.request(everywhere: text)
            #expect(encoding.encode(record, at: 2).body == AuditRecord(record, at: 2, limits: limits).body)
        }
    }

    @Test("lines that follow one another tell each time as one line alone does")
    func times() {
        let times: [Int64] = [
            1_700_000_000_999_999, 1_700_000_001_000_000, 1_700_000_001_000_001, 1_700_000_001_123_456, 0, 999_999,
            1_000_000, -1, -1_000_000, -1, .min, .max, 253_402_300_799_999_999, 253_402_300_800_000_000,
            253_402_300_800_000_001, 5,
        ]
        var clock = RecordClock()
        for time in times {
            let record = AuditRecord(Sample.request(everywhere: "x"), at: time)
            var together: [UInt8] = []
            together.append(lineOf: record, sequence: 1, previous: Sample.previous, &clock)
            var alone: [UInt8] = []
            alone.append(lineOf: record, sequence: 1, previous: Sample.previous)
            #expect(together == alone)
            var stamp: [UInt8] = []
            stamp.append(timestamp: time)
            #expect(String(decoding: together, as: UTF8.self).contains(String(decoding: stamp, as: UTF8.self)))
        }
    }
}
