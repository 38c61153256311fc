import PolicyEngine
import Testing

@Suite("The pace of decisions, beyond as many users as are remembered")
struct DecisionPacerTests {
    private static let second: UInt64 = 1_000_000_000
    /// As many as are remembered before those are forgotten whose bucket is full.
    private static let remembered: UInt32 = 1024
    /// Decisions a second.
    private static let rate = 10

    /// How many turns one after the other a bucket gives at once.
    private func turns(_ pacer: DecisionPacer, _ bucket: DecisionPacer.Bucket, now: UInt64) -> Int {
        (0..<100).count { _ in pacer.turn(in: bucket, now: now, patience: 0) != nil }
    }

    /// Has as many others come as make the pacer look for whom it can forget; each takes a turn.
    private func crowd(_ pacer: inout DecisionPacer, from first: UInt32 = 1, now: UInt64) {
        for user in first..<first + Self.remembered {
            _ = pacer.turn(of: .user(user), now: now, patience: 0)
        }
    }

    @Test("a full bucket that is held is forgotten, says so, and its user gets another with the same turns")
    func forgotten() {
        var pacer = DecisionPacer(perSecond: Self.rate)
        let held = pacer.bucket(of: .user(0), now: 0)
        #expect(turns(pacer, held, now: 0) == Self.rate + 1)
        // It fills in that time, and theirs do not.
        let later = 5 * Self.second
        crowd(&pacer, now: later)
        #expect(held.isForgotten)
        let next = pacer.bucket(of: .user(0), now: later)
        #expect(next !== held && !next.isForgotten)
        #expect(turns(pacer, next, now: later) == Self.rate + 1)
        // Of the next, the pace goes on: nothing is given twice.
        let again = pacer.bucket(of: .user(0), now: later)
        #expect(again === next && turns(pacer, again, now: later) == 0)
    }

    @Test("a bucket from which turns were taken is remembered: nobody gets his turns back by a crowd")
    func remembered() {
        var pacer = DecisionPacer(perSecond: Self.rate)
        let held = pacer.bucket(of: .user(0), now: 0)
        #expect(turns(pacer, held, now: 0) == Self.rate + 1)
        for round: UInt32 in 0..<2 { crowd(&pacer, from: 1 + round * Self.remembered, now: 0) }
        #expect(!held.isForgotten)
        #expect(pacer.bucket(of: .user(0), now: 0) === held)
        #expect(turns(pacer, held, now: 0) == 0)
        // A tenth of a second is one decision of ten.
        #expect(turns(pacer, held, now: Self.second / 10) == 1)
    }

    @Test("a bucket that nobody has taken a turn of may be forgotten at once, and is not kept from its user")
    func untouched() {
        var pacer = DecisionPacer(perSecond: Self.rate)
        let held = pacer.bucket(of: .user(0), now: 0)
        crowd(&pacer, now: 0)
        #expect(held.isForgotten)
        let next = pacer.bucket(of: .user(0), now: 0)
        #expect(next !== held)
        #expect(turns(pacer, next, now: 0) == Self.rate + 1)
    }

    @Test("users whose owner is not known share one bucket, also over being forgotten")
    func unknownOwners() {
        var pacer = DecisionPacer(perSecond: Self.rate)
        let held = pacer.bucket(of: nil, now: 0)
        crowd(&pacer, now: 0)
        #expect(held.isForgotten)
        let next = pacer.bucket(of: nil, now: 0)
        #expect(turns(pacer, next, now: 0) == Self.rate + 1)
        #expect(pacer.turn(of: nil, now: 0, patience: 0) == nil)
    }
}
