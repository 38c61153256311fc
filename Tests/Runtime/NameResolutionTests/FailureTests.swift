import NameResolution
import NetworkTypes
import Testing

private let six = IPAddress.v6(IPv6Address(high: 0x2001_0db8 << 32, low: 7))
private let four = IPAddress.v4(IPv4Address(192, 0, 2, 7))

@Suite("A resolver whose server misbehaves")
struct FailureTests {
    private let loop = PollLoop()

    private func makeResolver(
        _ change: (inout ResolverSettings) -> Void = { _ in },
        script: @escaping (Question) -> [UInt8]?
    ) throws -> (Resolver, ScriptedServer) {
        let server = ScriptedServer(script)
        loop.add(server)
        var settings = ResolverSettings(servers: [server.address])
        settings.timeoutMilliseconds = 60
        change(&settings)
        return (try Resolver(settings: settings, host: loop), server)
    }

    @Test("a silent server times out after as many tries as the settings say, whatever the environment says")
    func timeout() throws {
        let (resolver, server) = try makeResolver { _ in nil }
        let start = loop.nowMilliseconds
        #expect(try loop.resolve("a.test", with: resolver) == .failed(.timedOut))
        #expect(loop.nowMilliseconds - start < 2000)
        #expect(server.questions.count == 4)
    }

    @Test("the deadline ends a lookup that its servers would keep waiting")
    func deadline() throws {
        let (resolver, _) = try makeResolver {
            $0.timeoutMilliseconds = 60_000
            $0.deadlineMilliseconds = 100
        } script: { _ in
            nil
        }
        #expect(try loop.resolve("a.test", with: resolver) == .failed(.timedOut))
    }

    @Test("a server that is not there is a failure, and soon")
    func nobodyThere() throws {
        let resolver = try Resolver(settings: ResolverSettings(servers: [nobody]), host: loop)
        let start = loop.nowMilliseconds
        #expect(try loop.resolve("a.test", with: resolver) == .failed(.unreachable))
        #expect(loop.nowMilliseconds - start < 1000)
    }

    @Test(
        "a server's refusal is a failure",
        arguments: [UInt8(1), 2, 4, 5]
    )
    func refusal(code: UInt8) throws {
        let (resolver, _) = try makeResolver { $0.reply(code: code) }
        guard case .failed(let failure) = try loop.resolve("a.test", with: resolver) else {
            Issue.record("a refusal became an answer")
            return
        }
        #expect([.serverFailure, .refused, .unreachable].contains(failure))
    }

    @Test("whoever asks only whether there is a server hears its refusal, and a server that is not there is none")
    func heardRefusal() throws {
        let (refusing, _) = try makeResolver {
            $0.hearsRefusals = true
        } script: {
            $0.reply(code: 5)
        }
        #expect(try loop.resolve("a.test", with: refusing) == .failed(.refused))
        var settings = ResolverSettings(servers: [nobody])
        settings.hearsRefusals = true
        let nobody = try Resolver(settings: settings, host: loop)
        #expect(try loop.resolve("a.test", with: nobody) == .failed(.unreachable))
    }

    @Test(
        "one family is enough: the other may be absent, fail or never answer",
        arguments: [UInt8?](arrayLiteral: 0, 2, 3, nil)
    )
    func oneFamily(code: UInt8?) throws {
        for wantsA in [true, false] {
            let (resolver, _) = try makeResolver { question in
                if question.isForA == wantsA { return question.reply(answers: [question.address()]) }
                return code.map { question.reply(code: $0) }
            }
            let start = loop.nowMilliseconds
            #expect(try loop.resolve("a.test", with: resolver) == .addresses([wantsA ? four : six]))
            #expect(loop.nowMilliseconds - start < 1000)
        }
    }

    @Test("the family that came late is there for the next asker")
    func lateFamily() throws {
        var silence = 1
        let (resolver, _) = try makeResolver { question in
            if !question.isForA, silence > 0 {
                silence -= 1
                return nil
            }
            return question.reply(answers: [question.address()])
        }
        #expect(try loop.resolve("a.test", with: resolver) == .addresses([four]))
        loop.run(resolver) { loop.interests.isEmpty }
        #expect(try loop.resolve("a.test", with: resolver) == .addresses([six, four]))
    }

    @Test("who needs both families waits for the one that is late")
    func wholeAnswer() throws {
        var silence = 1
        let (resolver, _) = try makeResolver {
            $0.timeoutMilliseconds = 500
        } script: { question in
            if !question.isForA, silence > 0 {
                silence -= 1
                return nil
            }
            return question.reply(answers: [question.address()])
        }
        let name = try HostName("a.test")
        #expect(try loop.resolve("a.test", with: resolver) == .addresses([four]))
        #expect(resolver.isHalf(name) && resolver.known(name) == .addresses([four]))
        var whole: ResolutionResult?
        resolver.resolveWhole(name) { whole = $0 }
        loop.run(resolver) { whole != nil }
        #expect(whole == .addresses([six, four]) && resolver.known(name) == whole)
        #expect(!resolver.isHalf(name))
    }

    @Test("where the other family never answers, the deadline of the lookup ends the wait for it")
    func wholeAnswerDeadline() throws {
        let (resolver, _) = try makeResolver {
            $0.timeoutMilliseconds = 60_000
            $0.deadlineMilliseconds = 300
        } script: {
            $0.isForA ? $0.reply(answers: [$0.address()]) : nil
        }
        let name = try HostName("a.test")
        #expect(try loop.resolve("a.test", with: resolver) == .addresses([four]))
        var whole: ResolutionResult?
        let start = loop.nowMilliseconds
        resolver.resolveWhole(name) { whole = $0 }
        loop.run(resolver) { whole != nil }
        #expect(whole == .addresses([four]) && !resolver.isHalf(name))
        #expect(loop.nowMilliseconds - start < 1000)
    }

    @Test(
        "B13: records of another owner are not taken",
        arguments: ["evil.test", "b.a.test", "test"]
    )
    func unrelatedOwner(owner: String) throws {
        let (resolver, _) = try makeResolver { $0.reply(answers: [$0.address(owner: wireName(owner))]) }
        #expect(try loop.resolve("a.test", with: resolver) == .failed(.noData))
    }

    @Test("B12: addresses of every kind come back as they are, to be judged where they are dialled")
    func specialAddresses() throws {
        let (resolver, _) = try makeResolver { question in
            question.isForA
                ? question.reply(answers: [question.record(type: 1, data: [169, 254, 169, 254])]) : question.reply()
        }
        let metadata = IPAddress.v4(IPv4Address(169, 254, 169, 254))
        #expect(try loop.resolve("a.test", with: resolver) == .addresses([metadata]))
    }

    @Test("malformed replies are failures, never a trap", arguments: malformedReplies.indices)
    func malformed(index: Int) throws {
        let (resolver, _) = try makeResolver { malformedReplies[index]($0) }
        guard case .failed = try loop.resolve("a.test", with: resolver) else {
            Issue.record("a malformed reply became an answer")
            return
        }
    }

    @Test("two thousand damaged replies are answered or failed, never a trap")
    func damaged() throws {
        var generator = SplitMix(state: 42)
        let (resolver, server) = try makeResolver {
            $0.timeoutMilliseconds = 5
            $0.tries = 1
        } script: { question in
            let alias = question.record(type: 5, data: [1, 98, 0xc0, 12])
            var reply = question.reply(answers: [
                alias, question.address(owner: [1, 98, 0xc0, 12]), question.address(),
            ])
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                reply[Int.random(in: 2..<reply.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            return Array(reply.prefix(Int.random(in: 2...reply.count, using: &generator)))
        }
        var answered = 0
        for number in 0..<1000 where try loop.resolve("n\(number).test", with: resolver) != nil { answered += 1 }
        #expect(answered == 1000)
        #expect(server.questions.count >= 2000)
    }

    @Test("shutting down answers everybody who waits, closes every socket, and answers so from then on")
    func shutDown() throws {
        let (resolver, _) = try makeResolver { _ in nil }
        var results: [ResolutionResult] = []
        for number in 0..<5 { resolver.resolve(try HostName("n\(number).test")) { results.append($0) } }
        #expect(!loop.interests.isEmpty)
        resolver.shutDown()
        #expect(results == Array(repeating: .failed(.shutDown), count: 5))
        #expect(loop.interests.isEmpty)
        #expect(try loop.resolve("later.test", with: resolver) == .failed(.shutDown))
    }

    @Test("a resolver that is let go with questions open closes its sockets and calls nobody")
    func letGo() throws {
        var calls = 0
        var resolver: Resolver? = try makeResolver { _ in nil }.0
        resolver?.resolve(try HostName("a.test")) { _ in calls += 1 }
        #expect(!loop.interests.isEmpty)
        resolver = nil
        #expect(loop.interests.isEmpty)
        #expect(calls == 0)
    }

    @Test("G07: nobody asks for so many names at a time that none are left for others")
    func overload() throws {
        let (resolver, server) = try makeResolver {
            $0.maximumLookups = 8
        } script: { _ in
            nil
        }
        var results: [ResolutionResult] = []
        // One may have as many as are left for all others: of eight four, then of four two, then of two one.
        for (number, asker) in [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4].enumerated() {
            resolver.resolve(try HostName("n\(number).test"), for: asker) { results.append($0) }
        }
        #expect(results == Array(repeating: .failed(.overloaded), count: 4))
        // What is asked for already costs nobody anything.
        resolver.resolve(try HostName("n0.test"), for: 4) { results.append($0) }
        #expect(results.count == 4)
        loop.run(resolver) { results.count == 12 }
        #expect(Set(server.questions.map(\.section)).count == 14)
        for number in 0..<4 { resolver.resolve(try HostName("m\(number).test"), for: 1) { results.append($0) } }
        #expect(results.count == 12)
    }

    @Test("a resolver without a server is refused")
    func noServer() {
        #expect(throws: ResolverError.noServers) {
            try Resolver(settings: ResolverSettings(servers: []), host: loop)
        }
    }
}

/// What a broken or hostile server may send.
private let malformedReplies: [@Sendable (Question) -> [UInt8]] = [
    { $0.identity },
    { $0.identity + [0x81, 0x80, 0, 1, 0] },
    { Array($0.reply(answers: [$0.address()]).dropLast(2)) },
    { Array($0.reply(answers: [$0.address()]).prefix(20)) },
    { $0.reply(answers: [$0.address()], count: 65535) },
    { $0.reply(answers: [], count: 1) },
    { $0.reply(answers: [$0.record(type: $0.isForA ? 1 : 28, data: [1, 2], length: 2)]) },
    { $0.reply(answers: [$0.record(type: $0.isForA ? 1 : 28, data: [1, 2, 3, 4], length: 60000)]) },
    // A pointer to itself, one to beyond the message, and two that point at each other.
    { $0.reply(answers: [$0.address(owner: [0xc0, UInt8(12 + $0.section.count)])]) },
    { $0.reply(answers: [$0.address(owner: [0xff, 0xff])]) },
    {
        $0.reply(answers: [$0.address(owner: [0xc0, UInt8(14 + $0.section.count), 0xc0, UInt8(12 + $0.section.count)])])
    },
    // An alias of itself; one that leads nowhere.
    { $0.reply(answers: [$0.record(type: 5, data: [0xc0, 12])]) },
    { $0.reply(answers: [$0.record(type: 5, data: wireName("elsewhere.test"))]) },
    // The answer to another question, or with another number, or of another class.
    { $0.reply(answers: [$0.address()], section: wireName("b.test") + $0.section.suffix(4)) },
    { $0.identity.map { $0 ^ 255 } + $0.reply(answers: [$0.address()]).dropFirst(2) },
    { $0.reply(answers: [[0xc0, 12, 0, $0.isForA ? 1 : 28, 0, 3] + $0.address().dropFirst(6)]) },
    { $0.identity + Array(repeating: 255, count: 500) },
]

/// A generator that gives the same numbers every time.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
