import EventLoops
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import PolicyEngine
import Synchronization
import TLSInterception
import Telemetry
import Testing

/// A mint that is closed with the value, and its clock.
private final class Bed: Sendable {
    let mint: LeafMint

    init(_ wish: AuthorityWish = AuthorityWish(), _ change: (inout LeafMintLimits) -> Void = { _ in }) throws {
        var limits = LeafMintLimits()
        change(&limits)
        let clock = Clock()
        self.clock = clock
        mint = try LeafMint(
            authority: try Authority.ephemeral(wish, at: now),
            limits: limits,
            wall: { clock.seconds.withLock { $0 } },
            steady: { clock.steady.withLock { $0 ?? monotonicNanoseconds() } }
        )
    }

    let clock: Clock

    final class Clock: Sendable {
        let seconds = Mutex(now)
        /// Nanoseconds that the rate of leaves goes by; nil: the machine's.
        let steady = Mutex<UInt64?>(nil)
    }

    deinit { mint.stop() }

    /// One that makes a leaf in each second of a clock that stands still; that of the first second is made.
    static func still(_ change: (inout LeafMintLimits) -> Void = { _ in }) async throws -> Bed {
        let bed = try Bed {
            $0.leavesPerSecond = 1
            $0.burst = 1
            change(&$0)
        }
        bed.clock.steady.withLock { $0 = monotonicNanoseconds() }
        _ = try await bed.mint.leaf(for: try host("first.test"), asker: nil)
        return bed
    }

    /// Has a user ask for names, until each is known to wait.
    ///
    /// It asks twice for what nobody else waits for: who asks again is counted, and only where the name waits already.
    func queue(_ names: [CertifiedName], for user: UInt32, asks: Int = 2) async throws {
        for name in names {
            let before = mint.metrics.shared.value
            for _ in 0..<asks { Task { [mint] in _ = try? await mint.leaf(for: name, asker: .user(user)) } }
            while mint.metrics.shared.value == before { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    /// Has the clock go on by seconds, until a leaf was made in each.
    func pass(seconds: Int) async throws {
        for _ in 0..<seconds {
            let before = mint.metrics.minted.value
            clock.steady.withLock { $0 = ($0 ?? 0) + 1_000_000_000 }
            while mint.metrics.minted.value == before { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    func made(of names: [CertifiedName]) -> [Int] { names.indices.filter { mint.ready(for: names[$0]) != nil } }

    /// Asks for each of the names at once; how many got a leaf, and what the others got.
    func ask(_ names: [CertifiedName]) async -> [Result<Leaf, LeafMintError>] {
        let mint = mint
        return await withTaskGroup(of: Result<Leaf, LeafMintError>.self) { group in
            for name in names {
                group.addTask {
                    do throws(LeafMintError) {
                        return .success(try await mint.leaf(for: name, asker: nil))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var all: [Result<Leaf, LeafMintError>] = []
            for await result in group { all.append(result) }
            return all
        }
    }
}

private func names(_ count: Int, _ label: String = "n") throws -> [CertifiedName] {
    try (0..<count).map { try host("\(label)\($0).test") }
}

@Suite("The mint of leaves")
struct LeafMintTests {
    @Test("an authority whose time is over while it signs is told of, until another takes its place")
    func expired() throws {
        let bed = try Bed(AuthorityWish(days: 1))
        #expect(bed.mint.expired == nil)
        bed.clock.seconds.withLock { $0 += 86_401 }
        #expect(bed.mint.expired == now + 86_400)
        bed.mint.replace(try Authority.ephemeral(AuthorityWish(days: 2), at: now))
        #expect(bed.mint.expired == nil)
    }

    @Test("a name that many ask for at once is made once, and all have the same leaf and the same key")
    func oneMintForAName() async throws {
        let bed = try Bed()
        let all = try names(20)
        let results = await bed.ask((0..<50).flatMap { _ in all })
        let leaves = results.compactMap { try? $0.get() }
        #expect(leaves.count == 1000)
        #expect(Set(leaves.map(\.certificate)).count == 20)
        #expect(bed.mint.metrics.minted.value == 20)
        #expect(bed.mint.metrics.reused.value + bed.mint.metrics.shared.value <= 980)
        #expect(Set(leaves.compactMap { try? $0.key.pem() }).count == 1)
        #expect(bed.mint.ready(for: all[0]) != nil)
    }

    @Test("G07: what is kept is bounded, and the leaf longest unused goes first")
    func bounded() async throws {
        let bed = try Bed { $0.leaves = 3 }
        let all = try names(4)
        for name in all.prefix(3) { _ = try await bed.mint.leaf(for: name, asker: nil) }
        _ = bed.mint.ready(for: all[0])
        _ = try await bed.mint.leaf(for: all[3], asker: nil)
        #expect(bed.mint.ready(for: all[0]) != nil)
        #expect(bed.mint.ready(for: all[1]) == nil)
        #expect(bed.mint.ready(for: all[2]) != nil && bed.mint.ready(for: all[3]) != nil)
        #expect(bed.mint.metrics.kept.value == 3 && bed.mint.metrics.evicted.value == 1)
    }

    @Test("G07: a flood of new names is made at the bounded rate, refused beyond the queue, and a known name is served")
    func flood() async throws {
        let bed = try Bed {
            $0.leavesPerSecond = 100
            $0.burst = 10
            $0.waitingNames = 80
        }
        let known = try host("known.test")
        _ = try await bed.mint.leaf(for: known, asker: nil)
        let start = monotonicNanoseconds()
        let results = await bed.ask(try names(2000))
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        let made = results.count { (try? $0.get()) != nil }
        #expect(Double(made) <= 10 + 100 * seconds + 1, "\(made) in \(seconds) s")
        #expect(made >= 40 && made < 2000)
        #expect(Int(bed.mint.metrics.busy.value) == 2000 - made)
        #expect(seconds >= 0.25)
        #expect(bed.mint.ready(for: known) != nil)
    }

    @Test("G07: those who ask have turns, also for a name that another asks for last", .timeLimit(.minutes(1)))
    func turns() async throws {
        let bed = try await Bed.still()
        let flood = try names(4, "flood")
        let other = try names(3, "other")
        try await bed.queue(flood, for: 1)
        try await bed.queue(Array(other.prefix(2)), for: 2)
        try await bed.queue([flood[3]], for: 3, asks: 1)
        try await bed.pass(seconds: 3)
        #expect(bed.made(of: flood) == [0, 3] && bed.made(of: other) == [0])
        try await bed.pass(seconds: 2)
        #expect(bed.made(of: flood) == [0, 1, 3] && bed.made(of: other) == [0, 1])
        try await bed.pass(seconds: 1)
        #expect(bed.made(of: flood) == [0, 1, 2, 3])
        // What was made in another's turn has no turn any more.
        try await bed.queue([other[2]], for: 2)
        try await bed.pass(seconds: 1)
        #expect(bed.made(of: other) == [0, 1, 2])
    }

    @Test("G07: nobody may have more names waiting than are left for all others", .timeLimit(.minutes(1)))
    func shares() async throws {
        let bed = try await Bed.still { $0.waitingNames = 8 }
        let flood = try names(8, "flood")
        let other = try names(4, "other")
        try await bed.queue(Array(flood.prefix(4)), for: 1)
        await #expect(throws: LeafMintError.busy) { try await bed.mint.leaf(for: flood[4], asker: .user(1)) }
        try await bed.queue(Array(other.prefix(2)), for: 2)
        await #expect(throws: LeafMintError.busy) { try await bed.mint.leaf(for: other[2], asker: .user(2)) }
        try await bed.queue([other[3]], for: 3)
        #expect(bed.mint.metrics.busy.value == 2)
        // What was made is nobody's any more.
        try await bed.pass(seconds: 7)
        #expect(bed.made(of: flood) == [0, 1, 2, 3] && bed.made(of: other) == [0, 1, 3])
        try await bed.queue(Array(flood.suffix(4)), for: 1)
    }

    @Test("G10: a leaf is under 24 hours long, is made anew before it ends, and after the clock was set back")
    func renewal() async throws {
        let bed = try Bed()
        let name = try host("a.test")
        let first = try await bed.mint.leaf(for: name, asker: nil).certificate
        #expect(first.notBefore == now - 600 && first.notAfter - first.notBefore < 86_400)
        bed.clock.seconds.withLock { $0 = first.notAfter - 3600 }
        #expect(bed.mint.ready(for: name)?.certificate == first)
        bed.clock.seconds.withLock { $0 += 1 }
        #expect(bed.mint.ready(for: name) == nil)
        let second = try await bed.mint.leaf(for: name, asker: nil).certificate
        #expect(second != first)
        bed.clock.seconds.withLock { $0 = now }
        #expect(try await bed.mint.leaf(for: name, asker: nil).certificate != second)
        #expect(bed.mint.metrics.kept.value == 1)
    }

    @Test("after a rotation new leaves are the new root's; whoever has an old leaf keeps it")
    func rotation() async throws {
        let bed = try Bed()
        let name = try host("a.test")
        let old = try await bed.mint.leaf(for: name, asker: nil)
        let next = try Authority.ephemeral(AuthorityWish(name: "Next"), at: now)
        #expect(bed.mint.replace(next))
        #expect(bed.mint.metrics.kept.value == 0)
        let new = try await bed.mint.leaf(for: name, asker: nil)
        #expect(new.authority == next.certificate && new.certificate != old.certificate)
        #expect(!bed.mint.replace(next))
        #expect(bed.mint.ready(for: name)?.certificate == new.certificate)
        #expect(old.certificate.isValid(at: now) && old.certificate.belongs(to: old.key))
    }

    @Test("what cannot be made is refused by name: outside the constraints, under an expired root, after the end")
    func refusals() async throws {
        let bed = try Bed(AuthorityWish(permitted: [try HostName("example.com")], days: 1))
        await #expect(throws: LeafMintError.notPermitted) {
            try await bed.mint.leaf(for: try host("a.test"), asker: nil)
        }
        bed.clock.seconds.withLock { $0 += 86_401 }
        await #expect(throws: LeafMintError.authorityExpired) {
            try await bed.mint.leaf(for: try host("example.com"), asker: nil)
        }
        #expect(bed.mint.metrics.failed.value == 2)
        bed.mint.stop()
        await #expect(throws: LeafMintError.stopped) {
            try await bed.mint.leaf(for: try host("b.example.com"), asker: nil)
        }
        var text = MetricsText()
        bed.mint.metrics.write(to: &text)
        #expect(text.text.contains("penstock_leaf_requests_total{outcome=\"failed\"} 2"))
    }
}
