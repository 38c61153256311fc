import NetworkTypes
import Testing
import TrafficCapture

@Suite("The rules as text")
struct RulesetTests {
    private func ruleset(_ arguments: [String]) throws -> Ruleset {
        var settings = CaptureSettings()
        try CaptureArguments(["print"] + arguments).apply(to: &settings)
        return try CapturePlan(settings, systemResolvers: []).ruleset
    }

    private func rules(_ chain: String, _ arguments: [String] = []) throws -> [String] {
        try #require(try ruleset(arguments).chains.first { $0.name == chain }).rules.map(\.text)
    }

    @Test("without grants the capture chain is these lines and no others")
    func capture() throws {
        #expect(
            try rules("cap") == [
                "meta skuid 10880 meta skgid 10880 return",
                "oifname \"lo\" ip daddr 127.0.0.0/8 return",
                "oifname \"lo\" ip6 daddr ::1 return",
                "meta l4proto tcp counter redirect to :15880 comment \"captured\"",
            ]
        )
    }

    @Test("every chain but the capture drops by default, and ends in a rule that counts")
    func closed() throws {
        for chain in try ruleset([]).chains where chain.name != "cap" {
            #expect(chain.dropsByDefault)
            #expect(
                chain.rules.last?.matches == [] && chain.rules.last?.statements == [.count, .drop],
                "\(chain.name)"
            )
        }
    }

    @Test("only declared ports and the health port are in the set of open ports")
    func openPorts() throws {
        let sets = try ruleset(["--inbound-port", "8080", "--inbound-port", "80", "--inbound-port", "15890"]).sets
        #expect(sets.map(\.name) == ["own", "open"])
        #expect(sets[1].ports == [80, 8080, 15890])
    }

    @Test("every loopback exemption asks for the device", arguments: ["cap", "fence"])
    func loopback(chain: String) throws {
        for rule in try rules(chain) where rule.contains("127.0.0.0/8") || rule.contains("dport !=") {
            #expect(rule.hasPrefix("oifname \"lo\" "))
        }
    }

    @Test("no rule lets by on a packet mark, or on a user without its group")
    func noHalfExemption() throws {
        for chain in try ruleset(["--exempt", "1:2"]).chains {
            for rule in chain.rules where rule.statements.contains(.accept) || rule.statements.contains(.leave) {
                #expect(!rule.text.contains("meta mark"))
                let users = rule.text.components("meta skuid"), groups = rule.text.components("meta skgid")
                #expect(users == groups, "\(rule.text)")
            }
        }
    }

    @Test(
        "with TPROXY only what comes back over loopback passes on its packet mark: the last hook refuses the rest first"
    )
    func transparent() throws {
        let flags = ["--mode", "tproxy", "--exempt", "1:2"]
        let mark = "meta mark & 0xffff0000 == 0x70650000"
        #expect(
            try rules("cap", ["--mode", "tproxy"]).suffix(2) == [
                "ct mark 0x70656e01 return",
                "meta l4proto tcp ct direction original meta mark set meta mark & 0xffff ^ 0x70650000",
            ]
        )
        #expect(
            try rules("keep", flags) == [
                "\(mark) meta l4proto tcp dnat ip to ip daddr", "\(mark) meta l4proto tcp dnat ip6 to ip6 daddr",
            ]
        )
        let handover = "iifname \"lo\" \(mark) ct direction original meta l4proto tcp"
        #expect(
            try rules("pre", flags) == [
                "\(handover) ct state new counter comment \"captured\"",
                "\(handover) tcp flags & (syn) == 0x0 socket transparent 1 accept",
                "\(handover) tproxy ip to 127.0.0.1:15880 accept", "\(handover) tproxy ip6 to [::1]:15880 accept",
                "\(handover) counter reject with tcp reset comment \"refused: no daemon\"",
            ]
        )
        let last = "counter drop comment \"refused: not led to the daemon\""
        #expect(
            try rules("out", flags).prefix(4) == [
                "oifname \"lo\" accept", "\(mark) \(last)", "ct mark 0x70656e04 \(last)", "ct mark 0x70656e05 \(last)",
            ]
        )
    }

    @Test("what is let by carries a comment that nft shows")
    func comments() throws {
        let arguments = ["--exempt", "1:2", "--bypass-cidr", "10.0.0.0/8:1", "--dns-server", "10.0.0.10"]
        let text = try ruleset(arguments).text
        for comment in ["dns 10.0.0.10 udp+tcp 53", "bypass tcp 10.0.0.0/8:1", "exempt 1:2"] {
            #expect(text.components("comment \"ungoverned: \(comment)\"") >= 3)
        }
        #expect(text.hasPrefix("table inet penstock\ndelete table inet penstock\ntable inet penstock {\n"))
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
