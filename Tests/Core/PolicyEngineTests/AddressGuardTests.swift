import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

@Suite struct AddressGuardTests {
    /// One address of every special range, in the ways it can be written.
    static let special = [
        "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "169.254.170.2", "169.254.170.23",
        "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.0.1", "192.0.0.1",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fe80::1", "fec0::1",
        "ff02::1", "::ffff:203.0.113.7", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a9fe:a9fe::1",
        "2001::1", "2001:db8::5efe:a9fe:a9fe",
    ]

    @Test("C01 C02 C03 C04: a name never leads to a special address that no cidrs name", arguments: special)
    func guardsNames(special: String) throws {
        let byName = try policy("{ name: a, match: { hosts: [x.example] }, action: allow }")
        #expect(
            byName.decide(try facts("x.example", addresses: [special])).summary == "deny special_address by a"
        )
        let mixed = byName.decide(try facts("x.example", addresses: [special, "203.0.113.9"]))
        #expect(mixed.summary == "allow rule_allow by a, dial x.example 203.0.113.9:443")
        let byDefault = try policy("", default: "allow")
        #expect(byDefault.decide(try facts("x.example", addresses: [special])).summary == "deny special_address")
    }

    @Test("C01 C02 C03 C04: a special original destination is refused in phase one already", arguments: special)
    func guardsOriginals(special: String) throws {
        let byName = try policy("{ name: a, match: { hosts: [x.example] }, action: allow }")
        #expect(byName.decide(try facts("x.example", to: special)).summary == "deny special_address by a")
        let byPort = try policy("{ name: a, match: { ports: [443] }, action: allow }")
        #expect(byPort.decide(try facts(nil, to: special)).summary == "deny special_address by a")
        #expect(try policy("", default: "allow").decide(facts(nil, to: special)).summary == "deny special_address")
    }

    @Test("C02, A40: an IPv4 address dressed as IPv6 is opened by nothing, in neither mode")
    func neverOpensMapped() throws {
        for special in ["::ffff:203.0.113.7", "::ffff:127.0.0.1"] {
            for mode in ["enforce", "audit"] {
                let wide = try policy(
                    "{ name: a, match: { cidrs: ['::/0', '::fffe:0:0/95'], hosts: [x.example] }, action: allow }",
                    mode: mode
                )
                let verdict = wide.decide(try facts("x.example", to: nil, addresses: [special]))
                #expect(verdict.summary == "deny special_address by a", "\(mode)")
            }
        }
    }

    @Test(
        "C01 C04: the winning rule's own cidrs open a special address, another rule's do not",
        arguments: special.filter { !$0.hasPrefix("::ffff:") }
    )
    func opensByName(special: String) throws {
        let block = "{ name: block, match: { cidrs: ['\(special)'], ports: [443] }, action: allow }"
        let name = "{ name: name, match: { hosts: [x.example], ports: [443] }, action: allow }"
        let opened = try policy(block).decide(facts(nil, to: special, addresses: [special]))
        #expect(opened.verdict == .allow && opened.addresses?.count == 1)
        let nameFirst = try policy("\(name)\n\(block)")
        #expect(nameFirst.decide(try facts("x.example", to: special)).summary == "deny special_address by name")
    }

    @Test("a rule with hosts and cidrs dials only the name's addresses within the cidrs")
    func bindsNamesToBlocks() throws {
        let policy = try policy(
            "{ name: a, match: { hosts: [db.example], cidrs: [10.0.0.0/8, 203.0.113.0/24], ports: [443] }, action: allow }"
        )
        let decide = { (addresses: [String]) in policy.decide(try facts("db.example", addresses: addresses)).summary }
        #expect(
            try decide(["198.51.100.1", "10.1.1.1", "203.0.113.9", "127.0.0.1"])
                == "allow rule_allow by a, dial db.example 10.1.1.1:443 203.0.113.9:443"
        )
        #expect(try decide(["198.51.100.1"]) == "deny outside_cidrs by a")
        #expect(try decide(["127.0.0.1", "198.51.100.1"]) == "deny special_address by a")
        #expect(try decide([]) == "deny unresolvable by a")
    }

    @Test("deny cidrs are compared with the original destination and with every address")
    func deniesAddresses() throws {
        let policy = try policy(
            """
            { name: a, match: { hosts: [x.example], ports: [443, 8443] }, action: allow }
            { name: d, match: { cidrs: [198.51.100.0/24] }, action: deny }
            { name: named, match: { hosts: [x.example], cidrs: [192.0.2.0/24], ports: [8443] }, action: deny }
            """
        )
        #expect(policy.decide(try facts("x.example", to: "198.51.100.1")).summary == "deny rule_deny by d")
        #expect(
            policy.decide(try facts("x.example", addresses: ["198.51.100.1"])).summary == "deny denied_address by d"
        )
        #expect(
            policy.decide(try facts("x.example", addresses: ["198.51.100.1", "203.0.113.1"])).summary
                == "allow rule_allow by a, dial x.example 203.0.113.1:443"
        )
        #expect(policy.decide(try facts("x.example", addresses: ["192.0.2.1"])).verdict == .allow)
        #expect(
            policy.decide(try facts("x.example", port: 8443, addresses: ["192.0.2.1"])).summary
                == "deny denied_address by named"
        )
        #expect(
            policy.decide(try facts("x.example", port: 8443, to: "192.0.2.1")).summary == "deny rule_deny by named"
        )
        #expect(policy.decide(try facts("x.example", port: 8443)).verdict == .allow)
    }

    @Test("a deny of addresses for users holds for an unknown user, too")
    func deniesAddressesOfUnknownUsers() throws {
        let policy = try policy(
            """
            { name: a, match: { hosts: [x.example] }, action: allow }
            { name: d, match: { cidrs: [198.51.100.0/24], workload: { uids: [0] } }, action: deny }
            """
        )
        let decide = { (uid: UInt32?) in
            policy.decide(try facts("x.example", uid: uid, addresses: ["198.51.100.1"])).summary
        }
        #expect(try decide(nil) == "deny undetermined by d")
        #expect(try decide(0) == "deny denied_address by d")
        #expect(try decide(1000) == "allow rule_allow by a, dial x.example 198.51.100.1:443")
    }

    @Test(
        "B14: a block written in halves denies and allows what the whole block does",
        arguments: ["[0.0.0.0/0, '::/0']", "[0.0.0.0/1, 128.0.0.0/1, '::/1', '8000::/1']"]
    )
    func splitBlocks(cidrs: String) throws {
        let deny = try policy(
            """
            { name: a, match: { ports: [443] }, action: allow }
            { name: d, match: { cidrs: \(cidrs) }, action: deny }
            """
        )
        for original in ["203.0.113.7", "9.9.9.9", "2001:db8::7", "fd00::1"] {
            #expect(deny.decide(try facts("x.example", to: original)).summary == "deny rule_deny by d")
        }
    }

    @Test("nobody can put another address in the place of the original destination")
    func keepsTheOriginal() throws {
        let policy = try policy("{ name: a, match: { cidrs: [203.0.113.0/24] }, action: allow }")
        #expect(
            policy.decide(try facts(nil, addresses: ["203.0.113.99", "198.51.100.1"])).summary
                == "allow rule_allow by a, dial original 203.0.113.7:443"
        )
    }

    @Test("a permit is made only of a decision that allows known addresses")
    func permits() throws {
        let policy = try policy("{ name: a, match: { hosts: [x.example] }, action: allow }")
        let checked = policy.permit(for: policy.decide(try facts("x.example", addresses: ["203.0.113.1"])))
        guard let checked else {
            Issue.record("no permit")
            return
        }
        let (rule, name, port, addresses) = (checked.rule, checked.name, checked.port, checked.addresses)
        #expect(rule?.text == "a")
        #expect(name?.text == "x.example")
        #expect(port == 443)
        #expect(addresses.map(\.description) == ["203.0.113.1:443"])
        for facts in [try facts("x.example"), try facts("y.example", addresses: ["203.0.113.1"]), try silence()] {
            let isPermitted = policy.permit(for: policy.decide(facts)) != nil
            #expect(!isPermitted)
        }
    }
}
