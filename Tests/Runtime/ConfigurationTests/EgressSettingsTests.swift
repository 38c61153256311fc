import Configuration
import Foundation
import NetworkTypes
import PolicyEngine
import SourceDocuments
import Testing

@Suite("The ways out of the configuration")
struct EgressSettingsTests {
    private func read(_ ways: String) throws(SourceProblems) -> [EgressName: EgressSettings] {
        try DaemonConfiguration.read(Array("egress: { \(ways) }".utf8), file: "penstock.yaml").egress
    }

    private func problems(_ ways: String) -> String {
        do throws(SourceProblems) {
            _ = try read(ways)
            return ""
        } catch {
            return error.problems.map(\.description).joined(separator: "\n")
        }
    }

    @Test("every key is taken")
    func everyKey() throws {
        let ways = try read(
            """
            corporate: { http_connect: { address: "proxy.corp.example:3128", credentials: /etc/penstock/proxy,
              tls: { trust: [system, /etc/penstock/corp.pem], name: proxy.corp.example }, resolve: local } },
            tor: { socks5: { address: "127.0.0.1:9050" } },
            six: { socks5: { address: "[2001:db8::7]:1080", resolve: proxy }, mark: "0x10" },
            second: { bind: { address: [192.0.2.7, "2001:db8::7"], interface: eth1 } },
            one: { bind: { address: 192.0.2.7 } },
            nowhere: { blackhole: {} }
            """
        )
        func way(_ text: String) throws -> EgressSettings {
            let name = try #require(EgressName(text))
            return try #require(ways[name])
        }
        let corporate = try #require(try way("corporate").proxy)
        #expect(corporate.dialect == .httpConnect)
        #expect(corporate.host == .name(try HostName("proxy.corp.example")))
        #expect(corporate.port == 3128)
        #expect(corporate.credentials == "/etc/penstock/proxy")
        #expect(corporate.tls?.trust == [.system, .file("/etc/penstock/corp.pem")])
        #expect(corporate.tls?.name == .name(try HostName("proxy.corp.example")))
        #expect(try way("corporate").kind == .here)
        #expect(try way("tor").kind == .there)
        #expect(try way("six").proxy?.host == IPAddress("2001:db8::7").map { .address($0) })
        #expect(try way("six").mark == 16)
        #expect(try way("second").bind?.addresses.count == 2)
        #expect(try way("second").bind?.interface == "eth1")
        #expect(try way("second").kind == .here)
        #expect(try way("one").bind?.addresses.map { "\($0)" } == ["192.0.2.7"])
        #expect(try way("nowhere").kind == .nowhere)
    }

    @Test(
        "a mistake is named with what to do about it",
        arguments: [
            ("direct: { mark: 1 }", "`direct` is built in"),
            ("Corp: { mark: 1 }", "this is no name of a way out"),
            ("a: {}", "say `http_connect`, `socks5`, `bind`, `mark` or `blackhole`"),
            ("a: { http_connect: { address: \"p:1\" }, blackhole: {} }", "cannot be `http_connect` and `blackhole`"),
            ("a: { blackhole: {}, mark: 1 }", "a blackhole dials nothing"),
            ("a: { blackhole: { b: c } }", "unknown key `b`"),
            ("a: { http_connect: {} }", "the key `address` is missing"),
            ("a: { http_connect: { address: proxy.example } }", "expected a host and a port"),
            ("a: { http_connect: { address: \"proxy.example:0\" } }", "expected a host and a port"),
            ("a: { http_connect: { address: \"2001:db8::7:3128\" } }", "expected a host and a port"),
            ("a: { http_connect: { address: \"0x7f.1:3128\" } }", "the host is no name"),
            ("a: { http_connect: { address: \"p.example:1\", resolve: there } }", "expected one of proxy, local"),
            ("a: { http_connect: { address: \"p.example:1\", credentials: here } }", "expected an absolute path"),
            ("a: { socks5: { address: \"p.example:1\", tls: {} } }", "SOCKS5 is not spoken in TLS"),
            ("a: { bind: {} }", "name an `address` or an `interface`"),
            ("a: { bind: { address: [192.0.2.1, 192.0.2.2] } }", "more than one of IPv4"),
            ("a: { bind: { interface: \"a/b\" } }", "is no name of an interface"),
            ("a: { mark: 0 }", "expected 1 to 4294967295"),
            ("a: { mark: \"0x100000000\" }", "`mark` is `0x100000000`, expected 1 to 4294967295, or \"0x1\""),
            ("a: { mark: \"16\" }", "`mark` is `16`, expected 1 to 4294967295"),
            ("a: { bind: { address: 0.0.0.0 } }", "`address` is 0.0.0.0, from which nothing can be sent"),
            ("a: { bind: { address: [192.0.2.1, \"::\"] } }", "is ::, from which nothing can be sent"),
            ("a: { bind: { address: 224.0.0.1 } }", "write an address that this machine has"),
            ("a: { mrk: 1 }", "did you mean `mark`?"),
        ]
    )
    func mistakes(ways: String, expected: String) {
        #expect(problems(ways).contains(expected), "\(problems(ways))")
    }

    @Test("a mark by which TPROXY leads connections to the daemon is refused where it does, and only there")
    func loopingMark() throws {
        func problems(_ mark: String, tproxy: Bool = true) -> [String] {
            let text = "listen: { transparent: { tproxy: \(tproxy) } }\negress:\n  a: { mark: \(mark) }"
            do throws(SourceProblems) {
                _ = try DaemonConfiguration.read(Array(text.utf8), file: "penstock.yaml")
                return []
            } catch {
                return error.problems.map(\.description)
            }
        }
        for mark in ["\"0x70650000\"", "\"0x70650010\"", "1885667328"] {
            let found = problems(mark)
            #expect(found.count == 1 && found[0].hasPrefix("penstock.yaml:3:14: `mark` is 0x7065"), "\(found)")
            #expect(found.first?.contains("choose a mark whose upper 16 bits are others") == true, "\(found)")
            #expect(problems(mark, tproxy: false) == [])
        }
        #expect(problems("\"0x7064ffff\"") == [])
    }

    @Test(
        "credentials are user:password on one line; what is none, or written by all, is an error that tells nothing of it"
    )
    func credentials() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "penstock-egress-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/login"
        let ways = try read("a: { socks5: { address: \"p.example:1\", credentials: \(path) } }")
        let name = try #require(EgressName("a"))
        func load(_ text: String, mode: Int = 0o400) throws -> LoadedLogins {
            try? FileManager.default.removeItem(atPath: path)
            try Data(text.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return try loadLogins(ways)
        }
        let login = try #require(try load("me:pass:word\r\n").logins[name])
        #expect(login.user == Array("me".utf8))
        #expect(login.password == Array("pass:word".utf8))
        #expect("\(login)" == "(credentials)")
        #expect(!"\(try load("me:secret-word"))".contains("secret-word"))
        for wrong in [
            "", "me", ":secret-word", "me:", "me:secret-word\nmore", String(repeating: "u", count: 256) + ":p",
        ] {
            do {
                _ = try load(wrong)
                Issue.record("`\(wrong)` was taken")
            } catch {
                #expect("\(error)".contains("`user:password`") && !"\(error)".contains("secret-word"))
            }
        }
        #expect(try load("me:word", mode: 0o444).warnings.first?.contains("may be read by every user") == true)
        #expect(throws: ConfigurationError.self) { _ = try load("me:word", mode: 0o666) }
    }
}
