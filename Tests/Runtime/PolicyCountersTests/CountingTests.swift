import Foundation
import PolicyCounters
import Synchronization
import Testing

@Suite("Rates and budgets count")
struct CountingTests {
    @Test("a rate lets as many pass at once as it says, and then evenly", arguments: [1, 2, 3, 7, 100])
    func bucket(amount: Int64) async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        let draw = rate(amount, perSeconds: 60)
        #expect(await counters.passes(draw, of: Int(amount) + 3) == Int(amount))
        folder.advance(seconds: 60 / Double(amount) - 0.001)
        #expect(await counters.passes(draw, of: 1) == 0)
        folder.advance(seconds: 0.002)
        #expect(await counters.passes(draw, of: 2) == 1)
        folder.advance(seconds: 600)
        #expect(await counters.passes(draw, of: Int(amount) + 3) == Int(amount))
    }

    @Test("a refusal by a rate says when to come again")
    func retry() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        #expect(await counters.passes(rate(2, perSeconds: 60), of: 2) == 2)
        #expect(await counters.take(rate(2, perSeconds: 60)).refusal == .exhausted(nanoseconds: 30_000_000_000))
        folder.advance(seconds: 30)
        #expect(await counters.take(rate(2, perSeconds: 60)).taken == 1)
    }

    @Test("a rate whose limit changes keeps what was spent, whether there is more of it or less")
    func otherLimit() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        #expect(await counters.passes(rate(3, perSeconds: 1000), of: 5) == 3)
        #expect(await counters.passes(rate(10, perSeconds: 1000), of: 20) == 7)
        #expect(await counters.take(rate(10, perSeconds: 1000)).refusal == .exhausted(nanoseconds: 100_000_000_000))
        #expect(await counters.passes(rate(4, perSeconds: 1000), of: 5) == 0)
        #expect(await counters.take(rate(4, perSeconds: 1000)).refusal == .exhausted(nanoseconds: 250_000_000_000))
        folder.advance(seconds: 250)
        #expect(await counters.passes(rate(4, perSeconds: 1000), of: 5) == 1)
        folder.advance(seconds: 1000)
        #expect(await counters.passes(rate(1000, perSeconds: 1000), of: 3) == 3)
        // Three of three are spent, and three of a thousand were.
        #expect(await counters.passes(rate(3, perSeconds: 1000), of: 1) == 0)
        let crashed = try folder.open(in: folder.crashed())
        #expect(await crashed.passes(rate(3, perSeconds: 1000), of: 1) == 0)
    }

    @Test("what was taken under another limit is given back whole")
    func giveBackUnderAnotherLimit() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        let one = await counters.take(rate(4, perSeconds: 1000))
        guard case .reserved(let reservation) = one else { return #expect(Bool(false), "\(one)") }
        #expect(await counters.passes(rate(2, perSeconds: 1000), of: 3) == 1)
        counters.giveBack(reservation)
        #expect(await counters.passes(rate(2, perSeconds: 1000), of: 3) == 1)
    }

    @Test("steps of the wall clock change no rate", arguments: [-86_400.0, -1, 1, 86_400])
    func stepped(seconds: Double) async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        #expect(await counters.passes(rate(3, perSeconds: 60), of: 5) == 3)
        folder.world.wall.withLock { $0 += Int64(seconds * 1_000_000) }
        #expect(await counters.passes(rate(3, perSeconds: 60), of: 5) == 0)
        folder.advance(seconds: 20)
        #expect(await counters.passes(rate(3, perSeconds: 60), of: 5) == 1)
    }

    @Test("a rate that was written under a clock that was ahead owes one period at most")
    func putBack() async throws {
        let folder = try CounterFolder()
        let before = try folder.open()
        #expect(await before.passes(rate(3, perSeconds: 60), of: 3) == 3)
        #expect(before.finish(milliseconds: 5000))
        folder.world.wall.withLock { $0 -= 86_400_000_000 }
        let after = try folder.open()
        #expect(await after.passes(rate(3, perSeconds: 60), of: 3) == 0)
        folder.advance(seconds: 61)
        #expect(await after.passes(rate(3, perSeconds: 60), of: 5) == 3)
    }

    @Test("a budget begins anew at midnight, UTC, and not before")
    func day() async throws {
        let folder = try CounterFolder()
        folder.world.wall.withLock { $0 = 1_795_305_600_000_000 - 1_000_000 }
        let counters = try folder.open()
        #expect(await counters.passes(budget(5, perSeconds: 86_400), of: 7) == 5)
        let refusal = await counters.take(budget(5, perSeconds: 86_400)).refusal
        #expect(refusal == .exhausted(nanoseconds: 1_000_000_000))
        folder.advance(seconds: 1)
        #expect(await counters.passes(budget(5, perSeconds: 86_400), of: 7) == 5)
    }

    @Test("a clock that is put back over midnight gives no budget back")
    func midnightAgain() async throws {
        let folder = try CounterFolder()
        folder.world.wall.withLock { $0 = 1_795_305_600_000_000 + 1_000_000 }
        let counters = try folder.open()
        #expect(await counters.passes(budget(5, perSeconds: 86_400), of: 7) == 5)
        folder.world.wall.withLock { $0 -= 7_200_000_000 }
        #expect(await counters.passes(budget(5, perSeconds: 86_400), of: 7) == 0)
    }

    @Test("a budget for ever never comes back, and says so")
    func forEver() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        #expect(await counters.passes(budget(40, perSeconds: nil), of: 50) == 40)
        folder.advance(seconds: 1e9)
        #expect(await counters.take(budget(40, perSeconds: nil)).refusal == .exhausted(nanoseconds: nil))
    }

    @Test("what is given back can be taken again; all of it or nothing is taken")
    func giveBack() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        let one = await counters.take(rate(2, perSeconds: 60), budget(9, perSeconds: nil))
        guard case .reserved(let reservation) = one else { return #expect(Bool(false), "\(one)") }
        counters.giveBack(reservation)
        #expect(await counters.passes(rate(2, perSeconds: 60), of: 3) == 2)
        // The rate refuses, so nothing is taken of the budget either.
        #expect(await counters.take(budget(9, perSeconds: nil), rate(2, perSeconds: 60)).taken == nil)
        #expect(await counters.passes(budget(9, perSeconds: nil), of: 12) == 9)
    }

    @Test("subjects and rules count for themselves")
    func subjects() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        #expect(await counters.passes(rate(2, perSeconds: 60, for: "a"), of: 3) == 2)
        #expect(await counters.passes(rate(2, perSeconds: 60, for: "b"), of: 3) == 2)
    }

    @Test("bytes are taken in pieces, the last of them smaller")
    func pieces() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        var taken: [Int64] = []
        while let piece = await counters.take(bytes(250_000, taking: 100_000)).taken { taken.append(piece) }
        #expect(taken.reduce(0, +) == 250_000)
        #expect(await counters.take(bytes(250_000, taking: 1)).refusal == .exhausted(nanoseconds: nil))
    }

    @Test("where there are too many counters, no further one is made, until others are over")
    func capacity() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open(capacity: 3)
        for host in ["a", "b", "c"] { #expect(await counters.take(rate(1, perSeconds: 1, for: host)).taken == 1) }
        #expect(await counters.take(rate(1, perSeconds: 1, for: "d")).refusal == .tooMany(capacity: 3))
        #expect(await counters.take(rate(1, perSeconds: 1, for: "a")).refusal != .tooMany(capacity: 3))
        folder.advance(seconds: 5)
        #expect(await counters.take(rate(1, perSeconds: 1, for: "d")).taken == 1)
        #expect(counters.numbers.counters <= 3)
    }

    @Test("many threads at once take exactly what there is")
    func threads() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { await counters.passes(budget(1000, perSeconds: nil), of: 300) } }
            return await group.reduce(0, +)
        }
        #expect(taken == 1000)
    }
}
