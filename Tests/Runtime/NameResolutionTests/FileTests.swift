import NameResolution
import NetworkTypes
import Testing

@Suite("The files that a resolver may be given")
struct FileTests {
    @Test("a hosts file collects the addresses of a name, in one spelling, from all its lines")
    func hosts() throws {
        let text = """
            # comment
            192.0.2.1\tA.Test a.test. b.test # comment
            2001:db8::1 a.test
            192.0.2.1 a.test

            """
        let hosts = try HostsFile(parsing: Array(text.utf8))
        #expect(hosts[try HostName("a.test")] == ["192.0.2.1", "2001:db8::1"].compactMap { IPAddress($0) })
        #expect(hosts[try HostName("b.test")]?.count == 1)
        #expect(hosts.count == 2)
    }

    @Test(
        "a line that is not understood is an error, with its number",
        arguments: [
            ("example a.test", HostsFileProblem.Kind.notAnAddress("example")),
            ("fe80::1%eth0 a.test", .notAnAddress("fe80::1%eth0")),
            ("192.0.2.1", .noName),
            ("192.0.2.1 a_b.test", .notAName("a_b.test", .notLDH)),
            ("192.0.2.1 10.0.0.1", .notAName("10.0.0.1", .addressLiteral)),
        ]
    )
    func strictHosts(line: String, kind: HostsFileProblem.Kind) throws {
        do throws(HostsFileProblems) {
            _ = try HostsFile(parsing: Array("192.0.2.9 good.test\n\(line)\nbad\n".utf8))
            Issue.record("the file was taken")
        } catch {
            #expect(error.problems.map(\.line) == [2, 3])
            #expect(error.problems.first?.kind == kind)
        }
    }

    @Test("a hosts file has limits", arguments: [0, 1])
    func hostsLimits(over: Int) throws {
        var limits = HostsFile.Limits()
        limits.lines = 4
        limits.addressesOfName = 3
        let lines = (1...(3 + over)).map { "192.0.2.\($0) a.test\n" }.joined()
        #expect((try? HostsFile(parsing: Array(lines.utf8), limits: limits)) == nil || over == 0)
        let comments = String(repeating: "#\n", count: 3 + over)
        #expect((try? HostsFile(parsing: Array(comments.utf8), limits: limits)) == nil || over == 0)
        if over == 0 { #expect(try HostsFile(parsing: Array(lines.utf8), limits: limits).count == 1) }
    }

    @Test("of resolv.conf the servers are read, three at most, and nothing else")
    func resolverFile() {
        let text = """
            search evil.test
            ; nameserver 192.0.2.66
            nameserver 192.0.2.1 # first
            nameserver\t2001:db8::1
            nameserver fe80::1%eth0
            nameserver
            options rotate ndots:5
            nameserver 0.0.0.0
            nameserver 224.0.0.251
            nameserver ::ffff:10.0.0.1
            nameserver 192.0.2.3
            nameserver 192.0.2.4
            """
        let file = ResolverFile(parsing: Array(text.utf8))
        #expect(file.servers.map(\.description) == ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.3:53"])
        #expect(file.unusableLines == [5, 6, 8, 9, 10])
    }

    @Test(
        "addresses are dialled in turn of their families, IPv6 first",
        arguments: [
            (["192.0.2.1", "192.0.2.2", "2001:db8::1"], ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
            (
                ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"],
                ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]
            ),
            (["192.0.2.2", "192.0.2.1"], ["192.0.2.2", "192.0.2.1"]),
            ([], []),
        ]
    )
    func order(given: [String], expected: [String]) {
        #expect(happyEyeballsOrder(given.compactMap { IPAddress($0) }).map(\.description) == expected)
    }
}
