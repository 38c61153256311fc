import NetworkTypes
import PolicyEngine
import SourceDocuments
import Testing

private let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\n"

/// The complaints about a text, without the file's name.
private func complaints(_ yaml: String) -> [String] {
    do throws(SourceProblems) {
        return ["loaded: \(try load(yaml).policy)"]
    } catch {
        return error.problems.map { String($0.description.dropFirst("p.yaml:".count)) }
    }
}

/// The complaints about a `match`, whose text begins at column 25 of line 5.
private func complaints(match: String) -> [String] {
    complaints(head + "rules:\n  - { name: r, match: { \(match) }, action: allow }\n")
}

@Suite struct PolicyLoadingTests {
    @Test("every key of the language lands where it belongs")
    func loads() throws {
        let (policy, warnings) = try load(
            """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: research-agent
            mode: audit
            default: allow
            rules:
              - name: one
                match:
                  hosts: ["*.Example.COM", xn--bcher-kva.example.]
                  cidrs: [203.0.113.0/24, "2001:db8::7"]
                  ports: [443, 8000-8100]
                  protocols: [tls, opaque]
                  workload: { uids: [0, 4294967294] }
                action: tunnel
              - { name: two, match: { ports: [25] }, action: deny }
            """
        )
        #expect(warnings.isEmpty)
        #expect(policy.name == "research-agent")
        #expect(policy.mode == .audit)
        #expect(policy.defaultAction == .allow)
        #expect(policy.hash == "sha256:test")
        let match = RuleMatch(
            hosts: [.below(try HostName("example.com")), .exact(try HostName("xn--bcher-kva.example"))],
            cidrs: [try CIDR("203.0.113.0/24"), try CIDR("2001:db8::7/128")],
            ports: [443...443, 8000...8100],
            protocols: [.tls, .opaque],
            uids: [0, 4_294_967_294]
        )
        #expect(policy.rules.map(\.name.text) == ["one", "two"])
        #expect(policy.rules.map(\.action) == [.tunnel, .deny])
        #expect(policy.rules.map(\.match) == [match, RuleMatch(ports: [25...25])])
    }

    @Test("what a rule asks of requests is read in the form that requests are judged in")
    func loadsRequests() throws {
        let policy = try load(
            """
            \(head)rules:
              - name: api
                match:
                  protocols: [http]
                  http:
                    methods: [POST, PURGE, purge]
                    paths: [/v1/%6dessages, /v1/*, /*, "/a%2A", /caf%c3%a9/*]
                    headers: { X-Tenant: [one, "a b"], accept: [c] }
                action: allow
              - { name: d, match: { protocols: [http], http: { headers: { ACCEPT: [x] } } }, action: deny }
            """
        ).policy
        let match = policy.rules.first?.match.http
        #expect(match?.methods?.map(\.text) == ["POST", "PURGE", "purge"])
        #expect(
            try match?.paths == [
                .exact(CanonicalPath("/v1/messages")), .below(CanonicalPath("/v1/")), .below(CanonicalPath("/")),
                .exact(CanonicalPath("/a*")), .below(CanonicalPath("/caf%C3%A9/")),
            ]
        )
        #expect(
            match?.fields == [
                FieldMatch(name: "x-tenant", values: [Array("one".utf8), Array("a b".utf8)]),
                FieldMatch(name: "accept", values: [Array("c".utf8)]),
            ]
        )
        #expect(policy.askedFields == ["accept", "x-tenant"])
        #expect(policy.rules.first?.ports == nil)
    }

    @Test("a rule about requests that names hosts holds on 80 and 443, as any that allows a name")
    func requestPorts() throws {
        let match = "match: { hosts: [x.test], protocols: [http], http: { methods: [GET] } }"
        let rules = try load(
            head + "rules: [{ name: a, \(match), action: allow }, { name: d, \(match), action: deny }]"
        )
        #expect(rules.policy.rules.map(\.ports) == [[80...80, 443...443], nil])
    }

    @Test("`http` belongs into a match")
    func misplacedHTTP() {
        #expect(
            complaints(head + "rules:\n  - { name: r, match: { ports: [1] }, http: {}, action: deny }")
                == ["5:39: `http` does not belong here; write it under `match`"]
        )
    }

    @Test("without a word about them, the mode is enforce and the default is deny")
    func defaults() throws {
        let policy = try load(head + "rules: []").policy
        #expect(policy.mode == .enforce)
        #expect(policy.defaultAction == .deny)
    }

    @Test(
        "a mistake in a document is named with its place and a remedy",
        arguments: [
            ("", ["1:1: no document was found, expected a policy"]),
            ("[]", ["1:1: the document is a list, expected a mapping"]),
            (
                "{}",
                [
                    "1:1: the key `apiVersion` is missing", "1:1: the key `kind` is missing",
                    "1:1: the key `name` is missing", "1:1: the key `rules` is missing",
                ]
            ),
            (
                "apiVersion: penstock/v2\nkind: Policy\nname: x\nrules: []",
                [
                    "1:13: `apiVersion` is `penstock/v2`, expected penstock/v1; did you mean `penstock/v1`?",
                    "2:7: `kind` is `Policy`, expected EgressPolicy",
                ]
            ),
            (head + "mode: off\nrules: []", ["4:7: `mode` is `off`, expected one of enforce, audit"]),
            (
                head + "default: denny\nrules: []",
                ["4:10: `default` is `denny`, expected one of allow, deny; did you mean `deny`?"]
            ),
            (
                head + "rules:",
                ["4:7: `rules` is empty, expected a list of mappings; give it a value, or remove the key"]
            ),
            (head + "rule: []\nrules: []", ["4:1: unknown key `rule`; did you mean `rules`?"]),
            (
                head + "extends: 7\nrules: []",
                [
                    "4:10: `extends` is an integer, expected the path of a policy file, or a list of them; write it in quotes if it is text"
                ]
            ),
            (
                head + "rules:\n  - {}",
                [
                    "5:5: the key `name` is missing", "5:5: the key `match` is missing",
                    "5:5: the key `action` is missing",
                ]
            ),
            (
                head + "rules:\n  - { name: r, match: {}, action: deny }",
                [
                    "5:23: `match` is an empty mapping, which would match every connection; name what it matches, or use `default`"
                ]
            ),
            (
                head + "rules:\n  - { name: r, match: { ports: [1] }, action: inspect }",
                ["5:47: the action `inspect` needs interception, which is not configured; write `allow`"]
            ),
            (
                head + "rules:\n  - { name: r, match: { ports: [1] }, action: block }",
                ["5:47: `action` is `block`, expected one of allow, deny, tunnel, inspect; did you mean `deny`?"]
            ),
            (
                head + "rules:\n  - { name: \"r\\n\", match: { ports: [1] }, action: deny }",
                ["5:13: `name` is no rule name; write at most 128 printable ASCII characters"]
            ),
            (
                head
                    + "rules:\n  - { name: r, match: { ports: [1] }, action: deny, mode: audit, except_tunnels: true }",
                [
                    "5:66: `except_tunnels` is for a `deny` with `http` or `mcp`: this one does not look inside, and denies tunnels like everything else; remove it"
                ]
            ),
            (
                head
                    + "rules:\n  - { name: r, match: { ports: [1] }, action: deny }\n  - { name: r, match: { ports: [2] }, action: deny }",
                [
                    "6:13: the rule name `r` is taken, first at p.yaml:5:13; give the rule a name of its own: records know it by that"
                ]
            ),
            (
                head + "mode: audit\nrules: []\n---\n" + head + "mode: enforce\nrules: []",
                ["10:7: `mode` is `enforce` here and `audit` at p.yaml:4:7; say it once"]
            ),
            (
                head + "default: allow\nrules: []\n---\n" + head + "default: deny\nrules: []",
                ["10:10: `default` is `deny` here and `allow` at p.yaml:4:10; say it once"]
            ),
        ] as [(String, [String])]
    )
    func namesMistakes(yaml: String, expected: [String]) {
        #expect(complaints(yaml) == expected)
    }

    @Test(
        "a mistake in a match is named with its place and a remedy",
        arguments: [
            ("pots: [1]", ["5:25: unknown key `pots`; did you mean `ports`?"]),
            (
                "hosts: x.example",
                ["5:32: `hosts` is a string, expected a list of host names; put it in brackets, as a list of one"]
            ),
            (
                "hosts: [10]",
                ["5:33: item 1 of `hosts` is an integer, expected a host name; write it in quotes if it is text"]
            ),
            (
                "hosts: [10.0.0.1]",
                [
                    "5:33: item 1 of `hosts`, `10.0.0.1`, is no host name: its last label is a number; use `cidrs` for addresses"
                ]
            ),
            (
                "hosts: ['0x7f.1']",
                [
                    "5:33: item 1 of `hosts`, `0x7f.1`, is no host name: its last label is a number; use `cidrs` for addresses"
                ]
            ),
            (
                "hosts: ['::1']",
                ["5:33: item 1 of `hosts`, `::1`, is no host name: it holds a colon; use `cidrs` for addresses"]
            ),
            (
                "hosts: ['[::1]']",
                ["5:33: item 1 of `hosts`, `[::1]`, is no host name: it holds a colon; use `cidrs` for addresses"]
            ),
            (
                "hosts: [10.0.0.0/8]",
                [
                    "5:33: item 1 of `hosts`, `10.0.0.0/8`, is no host name: it holds a character that names do not have; use `cidrs` for addresses"
                ]
            ),
            (
                "hosts: ['x.example:443']",
                [
                    "5:33: item 1 of `hosts`, `x.example:443`, is no host name: it holds a colon; write the port under `ports`"
                ]
            ),
            (
                "hosts: ['https://x.example/']",
                [
                    "5:33: item 1 of `hosts`, `https://x.example/`, is no host name: it holds a colon; write the host name alone, without scheme and path"
                ]
            ),
            (
                "hosts: [bücher.example]",
                [
                    "5:33: item 1 of `hosts`, `bücher.example`, is no host name: it holds a character that names do not have; write its A-label (xn--…)"
                ]
            ),
            (
                "hosts: [x_y.example]",
                [
                    "5:33: item 1 of `hosts`, `x_y.example`, is no host name: it holds a character that names do not have; write letters, digits, hyphens and dots; whoever asks for a name with an underscore is refused"
                ]
            ),
            (
                "hosts: ['*']",
                [
                    "5:33: item 1 of `hosts`, `*`, is no host name: the asterisk does not stand alone in front; write `*.example.com` for every name below example.com; leave out `hosts` for any"
                ]
            ),
            (
                "hosts: ['a.*.example']",
                [
                    "5:33: item 1 of `hosts`, `a.*.example`, is no host name: the asterisk does not stand alone in front; write `*.example.com` for every name below example.com; leave out `hosts` for any"
                ]
            ),
            (
                "hosts: [a..example]",
                [
                    "5:33: item 1 of `hosts`, `a..example`, is no host name: a label is empty, longer than 63 characters, or begins or ends with a hyphen"
                ]
            ),
            (
                "hosts: [\"x\\0.example\"]",
                ["5:33: item 1 of `hosts`, `x\u{fffd}.example`, is no host name: it holds a control character"]
            ),
            (
                "cidrs: [10.0.0.1/8]",
                [
                    "5:33: item 1 of `cidrs`, `10.0.0.1/8`, has bits set behind its prefix; write 10.0.0.0/8 for the block, or the address alone"
                ]
            ),
            (
                "cidrs: ['2001:db8::1/32']",
                [
                    "5:33: item 1 of `cidrs`, `2001:db8::1/32`, has bits set behind its prefix; write 2001:db8::/32 for the block, or the address alone"
                ]
            ),
            (
                "cidrs: [10.0.0.0/33]",
                [
                    "5:33: item 1 of `cidrs`, `10.0.0.0/33`, has no prefix length of its family; write 0 to 32 for IPv4, 0 to 128 for IPv6"
                ]
            ),
            (
                "cidrs: [x.example]",
                ["5:33: item 1 of `cidrs`, `x.example`, is no address block; use `hosts` for names"]
            ),
            (
                "cidrs: [10.1]",
                [
                    "5:33: `10.1` is a floating-point number, which no key takes; write it in plain decimal, or in quotes if it is text"
                ]
            ),
            (
                "cidrs: ['10.1']",
                [
                    "5:33: item 1 of `cidrs`, `10.1`, is no address block; write a block such as 203.0.113.0/24 or 2001:db8::/32"
                ]
            ),
            (
                "ports: 443",
                ["5:32: `ports` is an integer, expected a list of ports; put it in brackets, as a list of one"]
            ),
            ("ports: [0]", ["5:33: item 1 of `ports` is 0, expected 1 to 65535"]),
            ("ports: [65536]", ["5:33: item 1 of `ports` is 65536, expected 1 to 65535"]),
            (
                "ports: ['443']",
                ["5:33: item 1 of `ports` is a string, expected a port or a range such as 8000-8100; write 443"]
            ),
            ("ports: [90-80]", ["5:33: item 1 of `ports`, `90-80`, ends before it begins; write 80-90"]),
            ("ports: [https]", ["5:33: item 1 of `ports` is `https`, expected a port or a range such as 8000-8100"]),
            ("ports: [1-2-3]", ["5:33: item 1 of `ports` is `1-2-3`, expected a port or a range such as 8000-8100"]),
            (
                "ports: [1-65536]",
                ["5:33: item 1 of `ports` is `1-65536`, expected a port or a range such as 8000-8100"]
            ),
            (
                "ports: [~]",
                [
                    "5:33: item 1 of `ports` is empty, expected a port or a range such as 8000-8100; give it a value, or remove the key"
                ]
            ),
            (
                "protocols: [https]",
                ["5:37: item 1 of `protocols` is `https`, expected one of tls, http, h2c, opaque; did you mean `tls`?"]
            ),
            (
                "workload: {}",
                [
                    "5:35: `workload` is an empty mapping, which would match every workload; name `uids`, `namespaces`, `service_accounts` or `addresses`, or remove it"
                ]
            ),
            (
                "workload: { addresses: 10.88.0.2 }",
                [
                    "5:48: `addresses` is a string, expected a list of address blocks; put it in brackets, as a list of one"
                ]
            ),
            (
                "workload: { addresses: [10.88.0.2/24] }",
                [
                    "5:49: item 1 of `addresses`, `10.88.0.2/24`, has bits set behind its prefix; write 10.88.0.0/24 for the "
                        + "block, or the address alone"
                ]
            ),
            (
                "workload: { uids: [-1, 4294967295] }",
                [
                    "5:44: item 1 of `uids` is -1, expected 0 to 4294967294",
                    "5:48: item 2 of `uids` is 4294967295, expected 0 to 4294967294",
                ]
            ),
            (
                "workload: { namespaces: [A, 'b*'], service_accounts: [c_d] }",
                [
                    "5:50: item 1 of `namespaces`, `A`, is no name that Kubernetes gives; write lower-case letters, digits, hyphens and dots; patterns are not known here",
                    "5:53: item 2 of `namespaces`, `b*`, is no name that Kubernetes gives; write lower-case letters, digits, hyphens and dots; patterns are not known here",
                    "5:79: item 1 of `service_accounts`, `c_d`, is no name that Kubernetes gives; write lower-case letters, digits, hyphens and dots; patterns are not known here",
                ]
            ),
            (
                "http: { methods: [POST] }, sni: x",
                [
                    "5:25: `http` could meet TLS here, and to look inside needs interception, which is not configured; say `protocols: [http]`",
                    "5:57: `sni` is `x`, expected one of present, absent",
                ]
            ),
            (
                "http: { methods: [POST] }, protocols: [http, tls]",
                [
                    "5:25: `http` could meet TLS here, and to look inside needs interception, which is not configured; say `protocols: [http]`"
                ]
            ),
            (
                "http: { methods: [POST] }, protocols: [htpp]",
                ["5:64: item 1 of `protocols` is `htpp`, expected one of tls, http, h2c, opaque; did you mean `http`?"]
            ),
            (
                "http: { methods: [POST] }, protocols: http",
                ["5:63: `protocols` is a string, expected a list of protocols; put it in brackets, as a list of one"]
            ),
            (
                "protocols: [http], http: {}",
                [
                    "5:50: `http` is an empty mapping, which would match every request; name `methods`, `paths`, `headers` or `query`, or remove it"
                ]
            ),
            ("protocols: [http], http: x", ["5:50: `http` is a string, expected a mapping"]),
            ("protocols: [http], http: { path: [/] }", ["5:52: unknown key `path`; did you mean `paths`?"]),
            (
                "protocols: [http], http: { methods: GET }",
                ["5:61: `methods` is a string, expected a list of methods; put it in brackets, as a list of one"]
            ),
            (
                "protocols: [http], http: { methods: [get, 1, 'G T'] }",
                [
                    "5:62: item 1 of `methods` is `get`, which is no method: case counts, and a request that says it is refused; write GET",
                    "5:67: item 2 of `methods` is an integer, expected a method such as GET; write it in quotes if it is text",
                    "5:70: item 3 of `methods` is no method; write a name such as GET",
                ]
            ),
            (
                "protocols: [http], http: { paths: [v1, '/a**', '/***', '*', '/a//b', '/%2F', '/a?b'] }",
                [
                    "5:60: item 1 of `paths` does not begin with a slash; write the path from its first slash on, without scheme and host",
                    "5:64: item 2 of `paths` has asterisks that mean nothing together; write `*` for a part of a segment and `**` for any number of segments, at most 16 of them; an asterisk that is meant is %2A",
                    "5:72: item 3 of `paths` has asterisks that mean nothing together; write `*` for a part of a segment and `**` for any number of segments, at most 16 of them; an asterisk that is meant is %2A",
                    "5:80: item 4 of `paths` does not begin with a slash; write the path from its first slash on, without scheme and host",
                    "5:85: item 5 of `paths` has two slashes in a row; leave it out: requests for such paths are refused",
                    "5:94: item 6 of `paths` has an encoded slash, %2F; leave it out: requests for such paths are refused",
                    "5:102: item 7 of `paths` has a query, which is no part of the path; leave it out; keys of a query stand under `query`",
                ]
            ),
            (
                "protocols: [http], http: { paths: ['/é', '/a b', '/100%', '/../a'] }",
                [
                    "5:60: item 1 of `paths` has a character outside ASCII that is not encoded; write it percent-encoded (é is %C3%A9)",
                    "5:66: item 2 of `paths` has a space or a control character; write a space as %20",
                    "5:74: item 3 of `paths` has a percent sign without two hexadecimal digits; write a percent sign as %25",
                    "5:83: item 4 of `paths` has a segment `.` or `..`; leave it out: requests for such paths are refused",
                ]
            ),
            (
                "protocols: [http], http: { headers: {} }",
                [
                    "5:61: `headers` is an empty mapping, which would match every request; name a header, or remove it"
                ]
            ),
            (
                "protocols: [http], http: { headers: { Host: [a], TE: [a], 'x y': [a], X-A: [a], x-a: [b] } }",
                [
                    "5:63: the header `Host` is judged as the name of the connection; use `hosts`",
                    "5:74: the header `TE` is about the connection and not forwarded as it came; remove it",
                    "5:83: `x y` is no header name",
                    "5:105: the header `x-a` is there twice: case does not count in names; remove one of them",
                ]
            ),
            (
                "protocols: [http], http: { headers: { x-a: b, x-b: [1, ' b', 'é'] } }",
                [
                    "5:68: `x-a` is a string, expected a list of values, or `present`; put it in brackets, as a list of one",
                    "5:77: item 1 of `x-b` is an integer, expected a value; write it in quotes if it is text",
                    "5:80: item 2 of `x-b` is no value that a header could have; write printable ASCII without spaces around it",
                    "5:86: item 3 of `x-b` is no value that a header could have; write printable ASCII without spaces around it",
                ]
            ),
            (
                "time: x",
                ["5:31: `time` is a string, expected a list of mappings; put it in brackets, as a list of one"]
            ),
            ("rate: x", ["5:25: `rate` does not belong here; write it beside `action`"]),
            ("budget: x", ["5:25: `budget` does not belong here; write it beside `action`"]),
            ("ports: [1], alpn: x", ["5:37: `alpn` is not supported yet; remove it"]),
        ] as [(String, [String])]
    )
    func namesMistakesInMatches(match: String, expected: [String]) {
        #expect(complaints(match: match) == expected)
    }

    @Test("all mistakes of all documents are reported at once, in the order of the text")
    func collects() {
        let yaml =
            head + """
                mode: x
                rules:
                  - { name: a, match: { ports: [0], hots: [] }, action: y }
                ---
                kind: EgressPolicy
                rules: 7
                """
        #expect(
            complaints(yaml).map { $0.split(separator: " ")[0] }
                == ["4:7:", "6:33:", "6:37:", "6:57:", "8:1:", "8:1:", "9:8:"]
        )
    }

    @Test("the rules of several documents follow one another")
    func concatenates() throws {
        let policy = try load(
            """
            \(head)mode: enforce
            default: allow
            rules: [{ name: a, match: { ports: [1] }, action: deny }]
            ---
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: second
            default: allow
            rules: [{ name: b, match: { ports: [2] }, action: deny }]
            """
        ).policy
        #expect(policy.name == "test")
        #expect(policy.rules.map(\.name.text) == ["a", "b"])
        #expect(policy.defaultAction == .allow)
    }
}
