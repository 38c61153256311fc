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
            (head + "extends: base\nrules: []", ["4:1: `extends` is not supported yet; remove it"]),
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
                ["5:47: the action `inspect` is not supported yet"]
            ),
            (
                head + "rules:\n  - { name: r, match: { ports: [1] }, action: block }",
                ["5:47: `action` is `block`, expected one of allow, deny, tunnel"]
            ),
            (
                head + "rules:\n  - { name: \"r\\n\", match: { ports: [1] }, action: deny }",
                ["5:13: `name` is no rule name; write at most 128 printable ASCII characters"]
            ),
            (
                head
                    + "rules:\n  - { name: r, match: { ports: [1] }, action: deny, mode: audit, except_tunnels: true }",
                [
                    "5:53: `mode` is not supported yet; remove it",
                    "5:66: `except_tunnels` is not supported yet; remove it",
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
            ("hosts: x.example", ["5:32: `hosts` is a string, expected a list of host names"]),
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
                ["5:33: item 1 of `hosts`, `x_y.example`, is no host name: it holds a character that names do not have"]
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
            ("ports: 443", ["5:32: `ports` is an integer, expected a list of ports"]),
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
                ["5:37: item 1 of `protocols` is `https`, expected one of tls, http, h2c, opaque; did you mean `http`?"]
            ),
            ("workload: {}", ["5:35: the key `uids` is missing"]),
            (
                "workload: { uids: [-1, 4294967295] }",
                [
                    "5:44: item 1 of `uids` is -1, expected 0 to 4294967294",
                    "5:48: item 2 of `uids` is 4294967295, expected 0 to 4294967294",
                ]
            ),
            ("workload: { namespaces: [a] }", ["5:37: `namespaces` is not supported yet; remove it"]),
            ("workload: { service_accounts: [a] }", ["5:37: `service_accounts` is not supported yet; remove it"]),
            (
                "http: { methods: [POST] }, sni: x",
                [
                    "5:25: `http` could meet TLS here, and to look inside needs interception, which is not configured; say `protocols: [http]`",
                    "5:52: `sni` is not supported yet; remove it",
                ]
            ),
            ("time: x", ["5:25: `time` is not supported yet; remove it"]),
            ("rate: x", ["5:25: `rate` is not supported yet; remove it"]),
            ("budget: x", ["5:25: `budget` is not supported yet; remove it"]),
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

    @Test(
        "what is right but probably not meant is a warning",
        arguments: [
            (
                "{ name: a, match: { ports: [1] }, action: allow }, { name: b, match: { ports: [1] }, action: tunnel }",
                ["4:78: the rule is never reached: `a` matches the same; remove one of them"]
            ),
            (
                "{ name: a, match: { ports: [1] }, action: deny }, { name: b, match: { ports: [1] }, action: allow }",
                ["4:77: the rule is never reached: `a` matches the same; remove one of them"]
            ),
            ("{ name: a, match: { ports: [1] }, action: allow }, { name: b, match: { ports: [1] }, action: deny }", []),
            (
                "{ name: a, match: { hosts: [] }, action: allow }",
                ["4:27: `hosts` is an empty list: the rule matches nothing"]
            ),
            (
                "{ name: a, match: { cidrs: [0.0.0.0/1, 128.0.0.0/1, '::/1', '8000::/1'] }, action: allow }",
                [
                    "4:27: the block 128.0.0.0/1 lets the agent reach the cloud metadata service at 169.254.169.254; "
                        + "name narrower blocks, or deny 169.254.169.254/32",
                    "4:27: the block 8000::/1 lets the agent reach the cloud metadata service at fd00:ec2::254; "
                        + "name narrower blocks, or deny fd00:ec2::254/128",
                ]
            ),
            ("{ name: a, match: { cidrs: [169.254.169.254] }, action: allow }", []),
            ("{ name: a, match: { cidrs: [0.0.0.0/0] }, action: deny }", []),
        ] as [(String, [String])]
    )
    func warns(rules: String, expected: [String]) throws {
        let warnings = try load(head + "rules: [\(rules)]").warnings
        #expect(warnings.map { String($0.description.dropFirst("p.yaml:".count)) } == expected)
    }
}
