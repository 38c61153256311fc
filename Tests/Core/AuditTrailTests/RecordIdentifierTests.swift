import AuditTrail
import Testing

/// Gives the same numbers over and over.
private struct Fixed: RandomNumberGenerator {
    var value: UInt64
    mutating func next() -> UInt64 { value }
}

@Suite struct RecordIdentifierTests {
    @Test("the time stands in the first ten characters, as in a ULID")
    func timePart() {
        var sequence = IdentifierSequence(random: Fixed(value: 0))
        let text = sequence.next(at: 1_469_918_176_385_999).description
        #expect(text == "01ARYZ6S410000000000000000")
    }

    @Test("the random part fills the rest")
    func randomPart() {
        var sequence = IdentifierSequence(random: Fixed(value: .max))
        #expect(sequence.next(at: 1_469_918_176_385_000).description == "01ARYZ6S41ZZZZZZZZZZZZZZZZ")
    }

    @Test("identifiers increase within a millisecond, when the clock goes back, and as texts")
    func order() {
        var sequence = IdentifierSequence(random: SystemRandomNumberGenerator())
        let times: [Int64] = [5_000_000, 5_000_001, 5_000_999, 5_001_000, 4_000_000, 0, -7, 5_001_500, 9_000_000, .max]
        let identifiers = times.map { sequence.next(at: $0) }
        for (earlier, later) in zip(identifiers, identifiers.dropFirst()) {
            #expect(earlier < later)
            #expect(earlier.description < later.description)
        }
    }

    @Test("a record begins with its identifier, as it is written alone")
    func inRecord() {
        var values: [UInt128] = [0, 1, .max, 1 << 127, 1 << 120, 1 << 80, 1 << 40, (1 << 40) - 1]
        // Every digit in every place.
        for place in 0..<26 { for digit in UInt128(0)..<32 { values.append(digit << (5 * UInt128(place))) } }
        for _ in 1...100 { values.append(.random(in: 0 ... .max)) }
        for value in values {
            var record = Sample.denied
            record.id = RecordIdentifier(value: value)
            let text = String(decoding: AuditRecord(record, at: 1).body.prefix(33), as: UTF8.self)
            #expect(text == #""id":"\#(record.id)""#)
        }
    }

    @Test("reading gives back what was written", arguments: [0, 1, 31, 32, UInt128.max, 1 << 80, 1 << 127])
    func roundTrip(value: UInt128) {
        let identifier = RecordIdentifier(value: value)
        #expect(identifier.description.utf8.count == RecordIdentifier.length)
        #expect(RecordIdentifier(Array(identifier.description.utf8).span) == identifier)
    }

    @Test(
        "anything else is not read",
        arguments: [
            "", "01ARYZ6S41000000000000000", "01ARYZ6S4100000000000000000", "81ARYZ6S410000000000000000",
            "01ARYZ6S41000000000000000I", "01ARYZ6S41000000000000000L", "01ARYZ6S41000000000000000O",
            "01ARYZ6S41000000000000000U", "01aryz6s410000000000000000", "01ARYZ6S41000000000000000\"",
        ]
    )
    func rejected(text: String) {
        #expect(RecordIdentifier(Array(text.utf8).span) == nil)
    }
}
