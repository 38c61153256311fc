import Testing

@Suite("penstock policy explain")
struct PolicyExplainTests {
    private static let rules = """
        { name: no-paste, match: { hosts: ["*.pastebin.com", pastebin.com] }, action: deny }
        { name: no-block, match: { cidrs: [198.51.100.0/24] }, action: deny }
        { name: api, match: { hosts: [api.example] }, action: allow }
        { name: ssh, match: { cidrs: [203.0.113.0/24], ports: [22] }, action: allow }
        { name: user, match: { hosts: [user.example], workload: { uids: [1000] } }, action: allow }
        { name: no-admin, match: { protocols: [http], http: { paths: [/admin/*] } }, action: deny }
        { name: web, match: { hosts: [web.example], protocols: [http], http: { methods: [GET], paths: [/v1/*], headers: { x-a: [b] } } }, action: allow }
        """

    /// Runs `explain` over the rules above.
    private func explain(_ words: [String], mode: String = "enforce") throws -> Ending {
        let folder = try Folder(["p.yaml": policy(Self.rules, mode: mode)])
        return try run(["policy", "explain", "p.yaml"] + words, in: folder)
    }

    @Test("an allowed name: decision first, then treatment, reason, rule, what is dialled, and the policy's hash")
    func allowed() throws {
        let said = try explain(["--host", "API.example.", "--port", "443"])
        #expect(said.status == 0)
        #expect(
            said.lines.dropLast() == [
                "decision: allow", "treatment: tunnel", "reason: rule_allow", "rule: api (p.yaml:9:13)",
                "matched: api, allow, p.yaml:9:13",
                "nearest: no-admin, deny, p.yaml:12:13: `protocols` has http, not tls",
                "protocol: tls",
                "name: api.example", "original: unknown", "dial: api.example:443", "address: unchecked",
                "note: no address was given (--addr): rules with `cidrs` alone were not compared", "mode: enforce",
                "policy: test",
            ],
            "\(said)"
        )
        #expect(said.lines.last?.wholeMatch(of: /policy_hash: sha256:[0-9a-f]{64}/) != nil)
    }

    @Test(
        "it answers as the data path does",
        arguments: [
            ("--host pastebin.com --port 443", "deny", "rule_deny", "no-paste"),
            ("--host other.example --port 443", "deny", "default_deny", "none"),
            ("--host api.example --port 8443", "deny", "default_deny", "none"),
            // The original destination is what the agent's own lookup gave it.
            ("--host api.example --port 443 --addr 198.51.100.1", "deny", "rule_deny", "no-block"),
            (
                "--host 203.0.113.9 --sni api.example --port 443 --addr 198.51.100.1", "deny", "denied_address",
                "no-block"
            ),
            ("--host 203.0.113.9 --sni api.example --port 443 --addr 10.0.0.1", "deny", "special_address", "api"),
            ("--host api.example --port 443 --addr 203.0.113.1", "allow", "rule_allow", "api"),
            ("--host 203.0.113.9 --port 22 --protocol opaque", "allow", "rule_allow", "ssh"),
            ("--host 203.0.113.9 --port 22", "allow", "rule_allow", "ssh"),
            ("--host ssh.example --port 22 --protocol opaque --addr 203.0.113.9", "allow", "rule_allow", "ssh"),
            ("--host api.example --port 443 --protocol opaque --addr 203.0.113.9", "deny", "default_deny", "none"),
            ("--host [2001:db8::1] --port 443", "deny", "default_deny", "none"),
            ("--host user.example --port 443 --uid 1000", "allow", "rule_allow", "user"),
            ("--host user.example --port 443 --uid 1001", "deny", "default_deny", "none"),
            ("--host user.example --port 443", "deny", "default_deny", "none"),
            ("--host api.example --port 80 --protocol http", "deny", "undetermined", "no-admin"),
            ("--host api.example --port 80 --protocol http --path /x", "allow", "rule_allow", "api"),
            ("--host api.example --port 80 --protocol http --path /admin/x", "deny", "rule_deny", "no-admin"),
            ("--host api.example --port 80 --protocol http --path /%61dmin/x", "deny", "rule_deny", "no-admin"),
            ("--host api.example --port 80 --protocol http --path //admin/x", "deny", "ambiguous_path", "none"),
            ("--host api.example --port 80 --protocol http --path /a%2fb", "deny", "ambiguous_path", "none"),
            ("--host web.example --port 80 --protocol http --path /v1/", "deny", "undetermined", "none"),
            ("--host web.example --port 80 --protocol http --path /v1/ --method PUT", "deny", "default_deny", "none"),
            (
                "--host web.example --port 80 --protocol http --path /v1/ --method GET --header=X-A:b", "allow",
                "rule_allow", "web"
            ),
            (
                "--host web.example --port 80 --protocol http --path /v1/ --method GET --header=x-b:c", "deny",
                "default_deny", "none"
            ),
            ("--host pastebin.com --port 80 --protocol http", "deny", "rule_deny", "no-paste"),
            // As the daemon answers such requests.
            (
                "--host web.example --port 80 --protocol http --path /v1/ --method get", "deny", "ambiguous_method",
                "none"
            ),
            (
                "--host web.example --port 80 --protocol http --path /v1/ --method GET --header=X_A:b", "deny",
                "ambiguous_field", "none"
            ),
            ("--host api.example --port 80 --protocol http --path * --method OPTIONS", "allow", "rule_allow", "api"),
            ("--host api.example --port 80 --protocol http --path * --method GET", "deny", "malformed_request", "none"),
            (
                "--host api.example --port 80 --protocol http --path / --method CONNECT", "deny", "proxy_in_capture",
                "none"
            ),
        ]
    )
    func answers(words: String, decision: String, reason: String, rule: String) throws {
        let said = try explain(words.split(separator: " ").map(String.init))
        #expect(said.status == 0)
        #expect(said.lines.first == "decision: \(decision)", "\(said)")
        #expect(said.lines.contains("reason: \(reason)"), "\(said)")
        let winner = said.lines.first { $0.hasPrefix("rule: ") } ?? ""
        #expect(winner == "rule: \(rule)" || winner.hasPrefix("rule: \(rule) (p.yaml:"), "\(said)")
        let matched = said.lines.contains { $0.hasPrefix("matched: \(rule), ") }
        #expect(matched == (rule != "none" && reason != "undetermined"), "\(said)")
    }

    @Test("`--call none` stands alone")
    func noneBesideCalls() throws {
        let request = ["--host", "api.example", "--port", "80", "--protocol", "http", "--path", "/"]
        let mixed = try explain(request + ["--call", "none", "--call", "ping"])
        #expect(mixed.status == 64)
        #expect(mixed.errors.contains("--call `none` stands alone: a body calls something, or nothing"), "\(mixed)")
        #expect(try explain(request + ["--call", "none"]).status == 0)
    }

    @Test(
        "a query that no request line carries is refused as the daemon refuses it",
        arguments: [
            ("v=a b", "has a space or a control character"), ("v=\u{1}", "has a space or a control character"),
            ("v=\u{7f}", "has a space or a control character"), ("v=1#f", "has a `#`"),
            ("v=é", "has characters outside ASCII"),
        ]
    )
    func unsendableQuery(query: String, fault: String) throws {
        let said = try explain(
            ["--host", "api.example", "--port", "80", "--protocol", "http", "--path", "/", "--query", query]
        )
        #expect(said.lines.contains("decision: deny"), "\(said)")
        #expect(said.lines.contains("reason: malformed_request"), "\(said)")
        let because = "because: the query \(fault), which no request line carries: encode it"
        #expect(said.lines.contains(because), "\(said)")
    }

    @Test(
        "of what does not match, the nearest is named, with its place and the first reason why",
        arguments: [
            ("--host api.example --port 8443", "api, allow, p.yaml:9:13: `ports` has 80, 443, not 8443"),
            ("--host apy.example --port 443", "api, allow, p.yaml:9:13: `hosts` has api.example, not apy.example"),
            (
                "--host 203.0.113.9 --port 2222 --protocol opaque",
                "ssh, allow, p.yaml:10:13: `ports` has 22, not 2222"
            ),
            ("--host 192.0.2.1 --port 22", "ssh, allow, p.yaml:10:13: `cidrs` has 203.0.113.0/24, not 192.0.2.1"),
            ("--host user.example --port 443 --uid 5", "user, allow, p.yaml:11:13: `workload.uids` has 1000, not 5"),
            (
                "--host user.example --port 443",
                "user, allow, p.yaml:11:13: `workload.uids` has 1000, and what is there is not known"
            ),
            ("--host web.example --port 443", "web, allow, p.yaml:13:13: `protocols` has http, not tls"),
            (
                "--host web.example --port 80 --protocol http --method PUT --path /v1/a --header X-A:b",
                "web, allow, p.yaml:13:13: `http.methods` has GET, not PUT"
            ),
            (
                "--host web.example --port 80 --protocol http --method GET --path /v2 --header X-A:b",
                "web, allow, p.yaml:13:13: `http.paths` has /v1/*, not /v2"
            ),
            (
                "--host web.example --port 80 --protocol http --method GET --path /v1/ --header X-A:c",
                "web, allow, p.yaml:13:13: `http.headers` has x-a: b, not the headers that were given"
            ),
        ]
    )
    func nearest(words: String, line: String) throws {
        let said = try explain(words.split(separator: " ").map(String.init))
        #expect(said.lines.contains("nearest: \(line)"), "\(said)")
    }

    @Test("every rule that matches is named in the order of the policy, and those that ask for what is unknown")
    func matches() throws {
        let words = ["--host", "pastebin.com", "--port", "80", "--protocol", "http", "--addr", "198.51.100.1"]
        let said = try explain(words)
        let told = said.lines.filter { $0.hasPrefix("matched: ") || $0.hasPrefix("undetermined: ") }
        #expect(
            told == [
                "matched: no-paste, deny, p.yaml:7:13", "matched: no-block, deny, p.yaml:8:13",
                "undetermined: no-admin, deny, p.yaml:12:13: `http.paths` is not known",
            ],
            "\(said)"
        )
        let byAddress = try explain(
            ["--host", "203.0.113.9", "--sni", "api.example", "--port", "443"] + ["--addr", "198.51.100.1"]
        )
        #expect(byAddress.lines.contains("matched: no-block, deny, p.yaml:8:13, by address"), "\(byAddress)")
        #expect(byAddress.lines.contains("matched: api, allow, p.yaml:9:13"), "\(byAddress)")
    }

    @Test(
        "B03: a name that is none is a denial with reason malformed_name, in either mode",
        arguments: [
            "api..example", "0177.0.0.1", "127.1", "a_b.example", "api.example:443", "-a.example", "ä.example",
        ],
        ["enforce", "audit"]
    )
    func malformedNames(name: String, mode: String) throws {
        let said = try explain(["--host=\(name)", "--port", "443"], mode: mode)
        #expect(said.status == 0)
        #expect(Array(said.lines.prefix(3)) == ["decision: deny", "treatment: refuse", "reason: malformed_name"])
        #expect(said.lines.contains { $0.hasPrefix("because: '\(name)' is no host name: ") })
        #expect(said.lines.contains("address: unchecked"))
    }

    @Test("of several addresses it says which may be dialled, and why the others may not")
    func addresses() throws {
        let said = try explain(
            ["--host", "203.0.113.9", "--sni", "api.example", "--port", "443"]
                + ["--addr", "203.0.113.1", "--addr", "10.0.0.1", "--addr", "198.51.100.7"]
        )
        #expect(
            said.lines.filter { $0.hasPrefix("address: ") } == [
                "address: 203.0.113.1 may be dialled",
                "address: 10.0.0.1 may not be dialled (special_address, rule api)",
                "address: 198.51.100.7 may not be dialled (denied_address, rule no-block)",
            ]
        )
        #expect(said.lines.first == "decision: allow")
    }

    @Test(
        "why a special address is refused is said as it is",
        arguments: [
            (
                ["--host", "::ffff:10.0.0.1", "--sni", "a.localhost"],
                "an IPv4 address dressed as IPv6 is never dialled, whatever `cidrs` name: ask for 10.0.0.1"
            ),
            (
                ["--host", "b.example", "--addr", "::ffff:203.0.113.7"],
                "an IPv4 address dressed as IPv6 is never dialled, whatever `cidrs` name: ask for 203.0.113.7"
            ),
            (
                ["--host", "a.localhost"],
                "`localhost` and the names below it are told to no proxy, and `w` is one"
            ),
            (
                ["--host", "b.example", "--addr", "10.0.0.1"],
                "a special address is reached only where the rule's own `cidrs` name it"
            ),
        ]
    )
    func specialAddresses(words: [String], because: String) throws {
        let rules = """
            { name: a, match: { hosts: [a.localhost], ports: [443] }, action: allow, egress: w }
            { name: b, match: { hosts: [b.example], ports: [443] }, action: allow }
            """
        let folder = try Folder([
            "p.yaml": policy(rules), "c.yaml": "egress: { w: { http_connect: { address: \"192.0.2.1:3128\" } } }\n",
        ])
        let said = try run(["policy", "explain", "p.yaml", "--config", "c.yaml", "--port", "443"] + words, in: folder)
        #expect(said.lines.contains("reason: special_address"), "\(said)")
        #expect(said.lines.contains("because: \(because)"), "\(said)")
    }

    @Test("mode audit lets through and says what enforce would do")
    func auditMode() throws {
        let said = try explain(["--host", "pastebin.com", "--port", "443"], mode: "audit")
        #expect(Array(said.lines.prefix(2)) == ["decision: allow", "would: deny"])
        let words = ["--host", "api.example", "--port", "80", "--protocol", "http", "--path", "/admin/x"]
        #expect(Array(try explain(words, mode: "audit").lines.prefix(2)) == ["decision: allow", "would: deny"])
    }

    @Test("a request is shown as it was judged, and what is missing is named")
    func requests() throws {
        let http = ["--host", "web.example", "--port", "80", "--protocol", "http"]
        let whole = try explain(http + ["--method", "GET", "--path", "/%76%31/a", "--header", "X-A: b"])
        #expect(
            Array(whole.lines.prefix(8)) == [
                "decision: allow", "treatment: http", "reason: rule_allow", "rule: web (p.yaml:13:13)",
                "matched: web, allow, p.yaml:13:13",
                "nearest: no-admin, deny, p.yaml:12:13: `http.paths` has /admin/*, not /v1/a",
                "protocol: http", "name: web.example",
            ],
            "\(whole)"
        )
        #expect(whole.lines.contains("method: GET"))
        #expect(whole.lines.contains("path: /v1/a"))
        let part = try explain(http + ["--path", "/v1/a"])
        #expect(
            part.lines.contains("because: a rule asks for what is not known; say --method, --header"),
            "\(part)"
        )
        #expect(part.lines.contains("method: unknown"))
        let ambiguous = try explain(http + ["--path", "/a/../b"])
        #expect(
            ambiguous.lines.contains("because: the path has a segment `.` or `..`; servers differ in what that means"),
            "\(ambiguous)"
        )
        #expect(ambiguous.lines.contains("path: /a/../b"))
    }

    @Test(
        "a query that could be read in several ways is said to be the reason",
        arguments: ["b=1;a=1", "a=%zz", "%2561=1", "a=%c0%b1"]
    )
    func ambiguousQuery(query: String) throws {
        let rules = """
            { name: all, match: { hosts: [web.example], protocols: [http] }, action: allow }
            { name: d, match: { hosts: [web.example], protocols: [http], http: { query: { a: ['1'] } } }, action: deny }
            """
        let folder = try Folder(["p.yaml": policy(rules)])
        let words = ["--host", "web.example", "--port", "80", "--protocol", "http", "--method", "GET", "--path", "/"]
        let said = try run(["policy", "explain", "p.yaml", "--query", query] + words, in: folder)
        let expected = [
            "reason: ambiguous_query",
            "because: servers could read the query in more than one way, and the rule asks for it",
            "rule: d (p.yaml:8:13)",
            "undetermined: d, deny, p.yaml:8:13: `http.query` could hold: servers differ in what the query means",
        ]
        #expect(expected.filter { !said.lines.contains($0) } == [], "\(said)")
    }

    @Test(
        "what cannot be asked is a matter of usage",
        arguments: [
            (["--host", "a.example", "--port", "443", "--sni", "b.example"], "--sni goes with --host ADDRESS"),
            (["--host", "a.example", "--port", "22", "--protocol", "opaque"], "opaque carries no name"),
            (
                ["--host", "203.0.113.1", "--sni", "a", "--port", "80", "--protocol", "http"],
                "--sni is said in TLS only"
            ),
            (["--host", "a.example", "--port", "443", "--addr", "localhost"], "--addr 'localhost' is no IP address"),
            (["--host", "a.example", "--port", "443", "--uid", "4294967295"], "--uid '4294967295' is no user number"),
            (
                ["--host", "a.example", "--port", "443", "--method", "GET"],
                "--method inside TLS is read only by a daemon with `interception.authority`: add --intercept, or say "
                    + "--protocol http"
            ), (["--host", "a.example", "--port", "443", "--path", "/"], "--path inside TLS is read only by a daemon"),
            (
                ["--host", "192.0.2.1", "--port", "443", "--protocol", "h2c", "--path", "/", "--intercept"],
                "--path goes with --protocol http, or tls"
            ),
            (
                ["--host", "a.example", "--port", "80", "--protocol", "http", "--method", "G T"],
                "--method 'G T' is no method"
            ),
            (
                ["--host", "a.example", "--port", "80", "--protocol", "http", "--path", "/a?b"],
                "--path goes without the query"
            ),
            (
                ["--host", "a.example", "--port", "80", "--protocol", "http", "--header", "x"],
                "--header 'x' is no header; write 'Name: value'"
            ),
            (
                ["--host", "a.example", "--port", "80", "--protocol", "http", "--call", "tools/call"],
                "--call 'tools/call' is no call; write a method such as tools/list, or `tools/call` and the name of the tool"
            ),
            (["--host", "a.example", "--port", "443", "--call", "ping"], "--call inside TLS is read only by a daemon"),
            (["--host", "a.example", "--port", "443", "--protocol", "tsl"], "did you mean 'tls'?"),
        ]
    )
    func misuse(words: [String], complaint: String) throws {
        let said = try explain(words)
        #expect(said.status == 64)
        #expect(said.output.isEmpty)
        #expect(said.errors.contains(complaint), "\(said)")
    }

    @Test("a policy that does not load answers nothing: 1 where it is wrong, 66 where it cannot be read")
    func noPolicy() throws {
        let folder = try Folder(["p.yaml": "rules: 1\n"])
        let wrong = try penstock("policy", "explain", "p.yaml", "--host", "a.example", "--port", "443", in: folder)
        #expect(wrong.status == 1)
        #expect(wrong.output.isEmpty)
        #expect(wrong.errors.hasPrefix("p.yaml:1:"), "\(wrong)")
        #expect(wrong.errors.hasSuffix("penstock: p.yaml does not load, so there is no answer\n"))
        let missing = try penstock("policy", "explain", "none", "--host", "a.example", "--port", "443", in: folder)
        #expect(missing.status == 66)
        #expect(missing.errors.hasPrefix("penstock: none: open: No such file or directory (2)"))
    }
}
