import ConnectionJourney
import Testing

@Suite("When memory is given back for clients that have become quiet")
struct QuietCrowdTests {
    private static func add(_ count: Int, to crowd: inout QuietCrowd, at now: UInt64) {
        for _ in 0..<count { crowd.add(at: now) }
    }

    @Test("a few are not worth it, however long it is; a crowd is, behind a lull")
    func least() {
        var crowd = QuietCrowd()
        #expect(crowd.wait(at: 0) == nil)
        Self.add(QuietCrowd.least - 1, to: &crowd, at: 0)
        #expect(crowd.wait(at: 2 * QuietCrowd.longest) == nil)
        Self.add(1, to: &crowd, at: 2 * QuietCrowd.longest)
        #expect(crowd.wait(at: 2 * QuietCrowd.longest) == QuietCrowd.lull)
    }

    @Test("who comes late does not put it off for ever")
    func longest() {
        var crowd = QuietCrowd()
        Self.add(QuietCrowd.least, to: &crowd, at: 7)
        Self.add(QuietCrowd.least, to: &crowd, at: 1_000_000_007)
        #expect(crowd.wait(at: 1_000_000_007) == QuietCrowd.lull)
        #expect(crowd.wait(at: 6 + QuietCrowd.longest) == 1)
        #expect(crowd.wait(at: 7 + QuietCrowd.longest) == 0)
        #expect(crowd.wait(at: 8 + QuietCrowd.longest) == 0)
    }

    @Test("those for whom memory was given back count no more")
    func disperse() {
        var crowd = QuietCrowd()
        Self.add(3 * QuietCrowd.least, to: &crowd, at: 0)
        crowd.disperse()
        #expect(crowd.wait(at: 1) == nil)
        Self.add(QuietCrowd.least - 1, to: &crowd, at: 1)
        #expect(crowd.wait(at: 1) == nil)
        Self.add(1, to: &crowd, at: 2)
        #expect(crowd.wait(at: 2) == QuietCrowd.lull)
    }
}
