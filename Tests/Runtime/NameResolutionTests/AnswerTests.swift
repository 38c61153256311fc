import NameResolution
import NetworkTypes
import Testing

private let records = [
    "--host-record=both.test,192.0.2.1,2001:db8::1,60",
    "--host-record=six.test,2001:db8::6,60",
    "--host-record=short,192.0.2.99",
    "--txt-record=nodata.test,text",
    "--cname=alias.test,both.test,60",
]

@Suite("A resolver with a real server", .serialized)
struct AnswerTests {
    private let server: NameServer
    private let loop = PollLoop()

    init() throws {
        let many = (1...60).map { "2001:db8::\(String($0, radix: 16)) many.test" }
        let huge = (1...200).map { "192.0.2.\($0) huge.test" }
        server = try NameServer(records, hosts: (many + huge).joined(separator: "\n") + "\n")
    }

    private func makeResolver(_ change: (inout ResolverSettings) -> Void = { _ in }) throws -> Resolver {
        var settings = ResolverSettings(servers: [server.address])
        change(&settings)
        return try Resolver(settings: settings, host: loop)
    }

    @Test(
        "a name resolves to the addresses of both families, through an alias too",
        arguments: [
            ("both.test", ["2001:db8::1", "192.0.2.1"]),
            ("alias.test", ["2001:db8::1", "192.0.2.1"]),
            ("six.test", ["2001:db8::6"]),
        ]
    )
    func addresses(name: String, expected: [String]) throws {
        let result = try loop.resolve(name, with: try makeResolver())
        #expect(result == .addresses(expected.compactMap { IPAddress($0) }))
    }

    @Test(
        "a name that does not exist, or has no address, fails as what it is",
        arguments: [("absent.test", ResolutionFailure.notFound), ("nodata.test", .noData)]
    )
    func absence(name: String, expected: ResolutionFailure) throws {
        #expect(try loop.resolve(name, with: try makeResolver()) == .failed(expected))
    }

    @Test("D08: an answer too large for a datagram is fetched over TCP")
    func truncation() throws {
        let expected = Set((1...60).compactMap { IPAddress("2001:db8::\(String($0, radix: 16))") })
        guard case .addresses(let addresses) = try loop.resolve("many.test", with: try makeResolver()) else {
            Issue.record("many.test has no addresses")
            return
        }
        #expect(Set(addresses) == expected)
    }

    @Test("D08: of a huge record set no more than 64 addresses are taken")
    func hugeAnswer() throws {
        guard case .addresses(let addresses) = try loop.resolve("huge.test", with: try makeResolver()) else {
            Issue.record("huge.test has no addresses")
            return
        }
        #expect(addresses.count == 64)
    }

    @Test("a server is reached over IPv6")
    func serverOverIPv6() throws {
        let resolver = try makeResolver { $0.servers = [server.addressSix] }
        #expect(
            try loop.resolve("six.test", with: resolver)
                == .addresses([.v6(IPv6Address(high: 0x2001_0db8 << 32, low: 6))])
        )
    }

    @Test("however many wait for a name, it is asked for once")
    func singleFlight() throws {
        let resolver = try makeResolver()
        var results: [ResolutionResult] = []
        for _ in 0..<50 { resolver.resolve(try HostName("both.test")) { results.append($0) } }
        #expect(results.isEmpty)
        loop.run(resolver) { results.count == 50 }
        #expect(Set(results).count == 1)
        #expect(server.questions.sorted() == ["A both.test", "AAAA both.test"])
    }

    @Test(
        "a name that is remembered is not asked for again, whether it exists or not",
        arguments: ["both.test", "absent.test"]
    )
    func cached(name: String) throws {
        let resolver = try makeResolver()
        let first = try loop.resolve(name, with: resolver)
        var second: ResolutionResult?
        resolver.resolve(try HostName(name)) { second = $0 }
        #expect(second == first)
        #expect(server.questions.count == 2)
    }

    @Test("who is answered may ask again from within the answer")
    func reentrance() throws {
        let resolver = try makeResolver()
        let next = try HostName("six.test")
        var result: ResolutionResult?
        resolver.resolve(try HostName("both.test")) { _ in resolver.resolve(next) { result = $0 } }
        loop.run(resolver) { result != nil }
        #expect(result == .addresses([.v6(IPv6Address(high: 0x2001_0db8 << 32, low: 6))]))
    }

    @Test("a name of the hosts file wins over DNS and is not asked for there")
    func hostsFile() throws {
        let hosts = try HostsFile(parsing: Array("198.51.100.4 both.test absent.test\n".utf8))
        let resolver = try makeResolver { $0.hosts = hosts }
        let expected = ResolutionResult.addresses([.v4(IPv4Address(198, 51, 100, 4))])
        #expect(try loop.resolve("both.test", with: resolver) == expected)
        #expect(try loop.resolve("absent.test", with: resolver) == expected)
        #expect(try loop.resolve("six.test", with: resolver) != expected)
        #expect(server.questions.sorted() == ["A six.test", "AAAA six.test"])
    }

    @Test("G11: neither aliases nor search domains nor options of the environment steer a question")
    func environment() throws {
        // The environment aliases `short` to both.test, and searches `test`, where absent names would be looked for.
        let resolver = try makeResolver()
        #expect(try loop.resolve("short", with: resolver) == .addresses([.v4(IPv4Address(192, 0, 2, 99))]))
        #expect(try loop.resolve("absent", with: resolver) != nil)
        #expect(try loop.resolve("six", with: resolver) != nil)
        #expect(Set(server.questions) == ["A short", "AAAA short", "A absent", "AAAA absent", "A six", "AAAA six"])
    }

    @Test("G11: the environment cannot make the servers take turns")
    func noRotation() throws {
        let second = try NameServer(records)
        let resolver = try makeResolver { $0.servers.append(second.address) }
        for number in 0..<6 { _ = try loop.resolve("name\(number).test", with: resolver) }
        #expect(server.questions.count == 12)
        #expect(second.questions.isEmpty)
    }

    @Test("the second server is asked when the first is not there")
    func secondServer() throws {
        let silent = ScriptedServer { _ in nil }
        for first in [nobody, silent.address] {
            let resolver = try makeResolver {
                $0.servers.insert(first, at: 0)
                $0.timeoutMilliseconds = 100
            }
            #expect(
                try loop.resolve("six.test", with: resolver)
                    == .addresses([.v6(IPv6Address(high: 0x2001_0db8 << 32, low: 6))])
            )
        }
    }
}
