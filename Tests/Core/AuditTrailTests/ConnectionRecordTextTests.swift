import AuditTrail
import Testing

@Suite struct ConnectionRecordTextTests {
    @Test("a record that is like one before it is encoded as for itself", arguments: 0..<200)
    func records(seed: Int) throws {
        var dice = Dice(seed: UInt64(seed))
        let record = dice.connection()
        let limits = dice.limits()
        var text = try #require(ConnectionRecordText(of: record, limits: limits))
        for time in 1...3 {
            var like = record
            like.id = dice.identifier()
            like.client = dice.textOrNil()
            let encoded = text.record(like.id, client: like.client, at: Int64(time))
            let plain = AuditRecord(like, at: Int64(time), limits: limits)
            #expect(encoded.body == plain.body)
            #expect(encoded.kind == plain.kind && encoded.time == plain.time && encoded.turn == plain.turn)
        }
    }

    @Test("an end that is like one before it is encoded as for itself", arguments: 0..<200)
    func ends(seed: Int) throws {
        var dice = Dice(seed: UInt64(seed))
        let record = dice.end()
        let limits = dice.limits()
        var text = ConnectionEndText(of: record, limits: limits)
        for time in 1...3 {
            var like = record
            like.id = dice.identifier()
            let figures = dice.figures()
            like.bytesUp = figures.bytesUp
            like.bytesDown = figures.bytesDown
            like.durationMilliseconds = figures.durationMilliseconds
            like.connectMilliseconds = figures.connectMilliseconds
            let encoded = text.record(like.id, figures, at: Int64(time))
            let plain = AuditRecord(like, at: Int64(time), limits: limits)
            #expect(encoded.body == plain.body)
            #expect(encoded.kind == plain.kind && encoded.time == plain.time && encoded.turn == plain.turn)
        }
    }

    @Test("a record that names no generation of its policy is not taken for others")
    func withoutGeneration() {
        #expect(ConnectionRecordText(of: Sample.denied, limits: .standard) == nil)
    }
}

/// Records at random, the same for the same seed.
private struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    private mutating func next(_ limit: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % limit
    }

    private mutating func text() -> String {
        let texts = [
            "", "x", "a name", "\"\\\u{7}", "\u{202e}ü\u{1f600}", String(repeating: "long ", count: 80), "1.3",
        ]
        return texts[Int(next(UInt64(texts.count)))]
    }

    mutating func textOrNil() -> String? { next(3) == 0 ? nil : text() }

    private mutating func texts() -> [String] { (0..<next(4)).map { _ in text() } }

    private mutating func number() -> UInt64? {
        switch next(4) {
        case 0: nil
        case 1: 0
        case 2: .max
        default: next(1_000_000)
        }
    }

    mutating func identifier() -> RecordIdentifier {
        RecordIdentifier(value: UInt128(next(1 << 30)) << 90 | UInt128(next(1 << 30)))
    }

    mutating func limits() -> RecordLimits {
        next(3) == 0 ? RecordLimits(textBytes: 8, listItems: 1, lineBytes: 4096) : .standard
    }

    mutating func connection() -> ConnectionRecord {
        var record = Sample.denied
        record.id = identifier()
        record.decision = next(2) == 0 ? .allow : .deny
        record.would = next(3) == 0 ? .deny : nil
        record.treatment = Treatment.allCases[Int(next(4))]
        record.rule = textOrNil()
        record.reason = text()
        record.policyHash = textOrNil()
        record.mode = next(2) == 0 ? .audit : .enforce
        record.workload = WorkloadIdentity(
            namespace: textOrNil(),
            pod: textOrNil(),
            serviceAccount: textOrNil(),
            uid: number().map(UInt32.init(truncatingIfNeeded:)),
            address: textOrNil()
        )
        record.capture = next(2) == 0 ? .explicit : .transparent
        record.protocol = next(3) == 0 ? nil : RecordedProtocol.allCases[Int(next(5))]
        record.destination = RecordedDestination(
            name: textOrNil(),
            port: number().map(UInt16.init(truncatingIfNeeded:)),
            original: textOrNil(),
            dialled: textOrNil()
        )
        record.egress = texts()
        record.sni = textOrNil()
        record.authority = textOrNil()
        record.binding = texts()
        record.client = textOrNil()
        record.policyGeneration = number() ?? 7
        record.encryptedHello = next(2) == 0
        record.tlsVersion = textOrNil()
        record.alpn = texts()
        record.detail = textOrNil()
        return record
    }

    mutating func figures() -> ConnectionFigures {
        ConnectionFigures(
            bytesUp: number(),
            bytesDown: number(),
            durationMilliseconds: number(),
            connectMilliseconds: number()
        )
    }

    mutating func end() -> ConnectionEndRecord {
        ConnectionEndRecord(
            id: identifier(),
            outcome: ConnectionOutcome.allCases[Int(next(UInt64(ConnectionOutcome.allCases.count)))],
            closedBy: next(4) == 0 ? nil : ClosingSide.allCases[Int(next(3))],
            reason: textOrNil(),
            rule: textOrNil(),
            dialled: textOrNil(),
            egress: textOrNil(),
            via: textOrNil(),
            detail: textOrNil()
        )
    }
}
