import NetworkTypes
import Testing

@testable import NameResolution

@Suite("What a resolver remembers")
struct CacheTests {
    private let result = ResolutionResult.failed(.noData)

    private func name(_ number: Int) throws -> HostName { try HostName("n\(number).test") }

    @Test("never more names than the capacity, and each at most until it expires", arguments: [0, 1, 4096])
    func bound(capacity: Int) throws {
        var cache = AddressCache(capacity: capacity)
        for number in 0..<(capacity + 500) {
            cache.store(result, for: try name(number), expires: 100, now: 0)
            #expect(cache.count <= capacity)
        }
        let last = try name(capacity + 499)
        #expect(cache.result(for: last, now: 99) == (capacity == 0 ? nil : result))
        #expect(cache.result(for: last, now: 100) == nil)
    }

    @Test("a name in use outlives names that are not")
    func recency() throws {
        var cache = AddressCache(capacity: 4)
        for number in 0..<4 { cache.store(result, for: try name(number), expires: 100, now: 0) }
        for number in 4..<7 {
            #expect(cache.result(for: try name(0), now: 1) == result)
            cache.store(result, for: try name(number), expires: 100, now: 1)
        }
        #expect(cache.result(for: try name(0), now: 1) == result)
        #expect(cache.result(for: try name(1), now: 1) == nil)
    }

    @Test("a full cache of names in use still takes a new one")
    func allInUse() throws {
        var cache = AddressCache(capacity: 3)
        for number in 0..<3 {
            cache.store(result, for: try name(number), expires: 100, now: 0)
            _ = cache.result(for: try name(number), now: 0)
        }
        cache.store(result, for: try name(3), expires: 100, now: 0)
        #expect(cache.result(for: try name(3), now: 0) == result)
        #expect(cache.count == 3)
    }

    @Test(
        "D08: a server's time to live is believed within bounds only",
        arguments: [(UInt32(0), 1000), (1, 1000), (2, 2000), (3, 2000), (86_400, 2000), (UInt32.max, 1000)]
    )
    func timeToLive(seconds: UInt32, milliseconds: Int) throws {
        #expect(try lifetime { $0.reply(answers: [$0.address(seconds: seconds)]) } == milliseconds)
    }

    @Test(
        "an absence is remembered shortly, any other failure for a second at most",
        arguments: [(UInt8(3), 3000), (0, 3000), (2, 1000), (5, 1000)]
    )
    func failures(code: UInt8, milliseconds: Int) throws {
        #expect(try lifetime { $0.reply(code: code) } == milliseconds)
    }

    @Test(
        "one family's addresses are remembered briefly where nobody could say whether the other has any",
        arguments: [(UInt8(0), 2000), (3, 2000), (2, 1000), (5, 1000)]
    )
    func halfFailed(code: UInt8, milliseconds: Int) throws {
        for fails in [true, false] {
            let lifetime = try lifetime {
                $0.isForA == fails ? $0.reply(code: code) : $0.reply(answers: [$0.address(seconds: 300)])
            }
            #expect(lifetime == milliseconds)
        }
    }

    /// How long a name is answered from memory, in milliseconds of a clock that the test moves.
    private func lifetime(_ script: @escaping (Question) -> [UInt8]?) throws -> Int {
        let server = ScriptedServer(script)
        let loop = PollLoop()
        loop.add(server)
        var settings = ResolverSettings(servers: [server.address])
        settings.secondsToLive = 1...2
        settings.negativeSeconds = 3
        let clock = StoppedClock(loop)
        let resolver = try Resolver(settings: settings, host: clock)
        var results = 0
        let ask = { resolver.resolve(try HostName("a.test")) { _ in results += 1 } }
        try ask()
        loop.run(resolver) { results == 1 }
        for milliseconds in stride(from: 0, through: 10_000, by: 500) {
            clock.nowMilliseconds = UInt64(milliseconds)
            try ask()
            guard results == 2 else { return milliseconds }
            results = 1
        }
        return .max
    }
}

/// A host whose time stands still until a test moves it.
private final class StoppedClock: ResolverHost {
    private let loop: PollLoop
    var nowMilliseconds: UInt64 = 0

    init(_ loop: PollLoop) { self.loop = loop }

    func watch(descriptor: Int32, readable: Bool, writable: Bool) {
        loop.watch(descriptor: descriptor, readable: readable, writable: writable)
    }

    func schedule(afterMilliseconds: Int?) { loop.schedule(afterMilliseconds: afterMilliseconds) }
}
