import Foundation
import Testing

@Suite("penstock-init")
struct RulesetInstallTests {
    private static let rich = [
        "--inbound-port", "8080", "--inbound-port", "9090", "--bypass-cidr", "10.0.0.0/9:5432", "--bypass-cidr",
        "192.0.2.7/32:443", "--bypass-cidr", "[fd12:3456::/33]:443", "--exempt", "1337:1338", "--dns-server",
        "10.96.0.10",
        "--dns-server", "fd00::53", "--proxy-port", "25880", "--table", "gate", "--mark", "0x1000",
    ]

    @Test("install proves both families by its probes, says what is not governed, and may be run again")
    func twice() throws {
        try RulesetBed.with(install: false) { bed in
            let first = try bed.program(["install"])
            #expect(first.succeeded, "\(first)")
            #expect(first.output.contains("probe: ipv4 captured\nprobe: ipv6 captured\n"), "\(first)")
            #expect(first.output.contains("ungoverned: dns 203.0.113.53 udp+tcp 53\nposture: strong\n"), "\(first)")
            let once = try bed.net.pod.must(["nft", "-s", "list", "ruleset"])
            #expect(try bed.program(["install"]).succeeded)
            #expect(try bed.net.pod.must(["nft", "-s", "list", "ruleset"]) == once)
            #expect(try bed.program(["verify"]).succeeded)
        }
    }

    @Test(
        "several at once wait for each other, and each proves and reads back what is its own",
        arguments: Handover.allCases
    )
    func atOnce(handover: Handover) throws {
        try RulesetBed.with(modes: [handover], install: false) { bed in
            for _ in 0..<4 {
                let runs = try (0..<4).map { _ in try bed.start(["install"]) }
                for run in runs {
                    let result = run.wait()
                    #expect(result.succeeded && result.output.contains("probe: ipv4 captured\n"), "\(result)")
                }
                let verified = try bed.program(["verify"])
                #expect(verified.succeeded, "\(verified)")
                #expect(try bed.program(["remove"]).succeeded)
            }
        }
    }

    @Test("who holds the namespace's lock keeps nobody from installing", .timeLimit(.minutes(5)))
    func heldLock() throws {
        try RulesetBed.with(install: false) { bed in
            _ = try bed.startAgent(
                """
                import fcntl
                f = open("/proc/self/ns/net"); fcntl.flock(f, fcntl.LOCK_EX); print("ready", flush=True); time.sleep(300)
                """
            )
            let result = try bed.program(["install"])
            #expect(result.succeeded, "\(result)")
        }
    }

    @Test("the probes also count where the daemon already listens")
    func daemonFirst() throws {
        try RulesetBed.with(install: false) { bed in
            try bed.startDaemon()
            let result = try bed.program(["install"])
            #expect(result.output.contains("probe: ipv4 captured\nprobe: ipv6 captured\n"), "\(result)")
        }
    }

    @Test("what print writes is what install loads", arguments: [[], rich])
    func printed(flags: [String]) throws {
        try RulesetBed.with(install: false) { bed in
            let text = try bed.program(["print"] + flags, uid: 2000).output
            let table = flags.isEmpty ? "penstock" : "gate"
            try bed.net.pod.must(["nft", "-c", "-f", "-"], input: text)
            try bed.net.pod.must(["nft", "-f", "-"], input: text)
            // The policy routing stands there as comments.
            for line in text.split(separator: "\n") where line.hasPrefix("#   ip ") {
                try bed.net.pod.must(line.dropFirst(4).split(separator: " ").map(String.init))
            }
            #expect(try bed.program(["verify"] + flags).succeeded)
            let byNft = try Self.listing(bed, table)
            try bed.install(flags)
            #expect(try Self.listing(bed, table) == byNft)
            #expect(byNft.count > 2000)
        }
    }

    /// The table as nft's JSON, without the numbers that count up.
    private static func listing(_ bed: RulesetBed, _ table: String) throws -> String {
        let json = try bed.net.pod.must(["nft", "-j", "list", "table", "inet", table])
        return json.replacing(/"(handle|packets|bytes)": \d+/, with: "")
    }

    @Test("remove leaves no trace, and is no error where there is nothing, which it says")
    func removal() throws {
        try RulesetBed.with { bed in
            // A table of somebody else's is not taken for one of ours.
            try bed.net.pod.must(["nft", "table inet other { chain in { type filter hook input priority 0; }; }"])
            let misspelt = try bed.program(["remove", "--table", "penstok"])
            let there = "still there: table inet penstock: --table penstock removes it\n"
            #expect(misspelt.succeeded, "\(misspelt)")
            #expect(misspelt.output == "nothing to remove: there is no table inet penstok\n" + there)
            try bed.net.pod.must(["nft", "delete", "table", "inet", "other"])
            #expect(try bed.program(["verify"]).succeeded)
            let first = try bed.program(["remove"])
            #expect(first.succeeded && first.output == "removed: table inet penstock\n", "\(first)")
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
            let second = try bed.program(["remove"])
            #expect(second.succeeded, "\(second)")
            #expect(second.output == "nothing to remove: there is no table inet penstock\n")
        }
    }

    @Test(
        "verify fails with 3 and names the difference",
        arguments: [
            ("delete table inet penstock", "table inet penstock is missing"),
            ("table inet penstock { flags dormant; }", "switched off (dormant)"),
            ("add element inet penstock open { 22 }", "set open also holds 22"),
            ("delete element inet penstock own { 8081 }", "set own lacks 8081"),
            ("insert rule inet penstock fence accept", "chain fence: rule 1 is not"),
            ("add rule inet penstock cap accept", " is not ours: [immediate]"),
            ("flush chain inet penstock in", "chain in: rule 1 is missing: iifname \"lo\" accept"),
            ("chain inet penstock out { policy accept; }", "chain out is 'type filter hook postrouting"),
            ("add chain inet penstock extra", "chain extra is not ours"),
            ("add set inet penstock more { type ipv4_addr; }", "set more is not ours"),
            (
                "table ip nat { chain OUTPUT { type nat hook output priority -101; }; }",
                "chain OUTPUT of table ip nat rewrites destinations before ours"
            ),
        ]
    ) func drift(change: String, difference: String) throws {
        try RulesetBed.with { bed in
            try bed.net.pod.must(["nft", change])
            let result = try bed.program(["verify"])
            #expect(result.status == 3 && result.output.contains(difference), "\(result)")
            #expect(result.errors.hasPrefix("penstock-init: the rules are not as planned: "), "\(result)")
            #expect(result.output.contains("posture: weak (not as planned: "), "\(result)")
        }
    }

    @Test("verify says of what others have put there that they must remove it, and names all of it")
    func foreignDrift() throws {
        try RulesetBed.with { bed in
            let own = "run penstock-init install with the flags of the first time\n"
            let others = "; only who put it there can remove what is not ours; "
            let chains = (1...12).map { "chain o\($0) { type nat hook output priority -101; };" }.joined(separator: " ")
            try bed.net.pod.must(["nft", "table ip nat { \(chains) }"])
            let foreign = try bed.program(["verify"])
            #expect(foreign.status == 3 && foreign.output.matches(of: /drift: chain o/).count == 12, "\(foreign)")
            #expect(foreign.errors.hasSuffix("(12 in all)\(others)penstock-init install leaves it\n"), "\(foreign)")
            try bed.net.pod.must(["nft", "insert rule inet penstock fence accept"])
            let both = try bed.program(["verify"])
            #expect(both.status == 3 && both.errors.hasSuffix("\(others)after that \(own)"), "\(both)")
            try bed.net.pod.must(["nft", "delete table ip nat"])
            let ours = try bed.program(["verify"])
            #expect(ours.errors.hasSuffix(": \(own)") || ours.errors.hasSuffix("(1 in all); \(own)"), "\(ours)")
        }
    }

    @Test("install fails with 71 and leaves the rules where something else takes the connections first")
    func unproven() throws {
        try RulesetBed.with(install: false) { bed in
            try bed.net.pod.shell(
                "nft 'table ip nat { chain o { type nat hook output priority -150; meta l4proto tcp redirect to :1; }; }'"
            )
            let result = try bed.program(["install"])
            #expect(result.status == 71, "\(result)")
            #expect(result.errors.contains("probe: ipv4 NOT captured"), "\(result)")
            #expect(try bed.net.pod.must(["nft", "list", "tables"]).contains("table inet penstock"))
        }
    }

    @Test("where there is no way out there is nothing to probe, and that is said")
    func noRoute() throws {
        let alone = try NetworkNamespace("alone")
        let result = try alone.run([Built.path("penstock-init"), "install", "--dns-server", "10.0.0.10"])
        #expect(result.succeeded, "\(result)")
        #expect(result.output.contains("probe: ipv4 has no route here, nothing to test\n"), "\(result)")
    }

    @Test("without CAP_NET_ADMIN it ends with 77 and names the capability", arguments: ["install", "verify", "remove"])
    func notPermitted(command: String) throws {
        try RulesetBed.with(install: false) { bed in
            let result = try bed.program([command], uid: 2000)
            #expect(result.status == 77 && result.errors.contains("CAP_NET_ADMIN"), "\(result)")
            #expect(result.output.isEmpty && result.errors.split(separator: "\n").count == 1)
        }
    }

    @Test("A01: it does not install as the daemon's own user and group")
    func asDaemon() throws {
        try RulesetBed.with(install: false) { bed in
            let result = try bed.program(["install"], uid: 10880, capabilities: ["net_admin"])
            #expect(result.status == 64 && result.errors.contains("the daemon's own user and group"), "\(result)")
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }

    @Test("G12: CAP_NET_ADMIN is all that it needs")
    func oneCapability() throws {
        try RulesetBed.with(install: false) { bed in
            let result = try bed.program(["install"], uid: 5000, capabilities: ["net_admin"])
            #expect(result.succeeded && result.output.contains("probe: ipv4 captured"), "\(result)")
        }
    }

    @Test("it is not linked with what it does not need")
    func linked() throws {
        let libraries = try NetworkNamespace.must(["ldd", Built.path("penstock-init")])
        #expect(libraries.contains("libnftnl"))
        for name in ["libssl", "libcrypto", "libsqlite3", "Foundation"] { #expect(!libraries.contains(name)) }
    }

    @Test("a configuration file says what flags say; what is wrong in it is placed")
    func configuration() throws {
        try RulesetBed.with(install: false) { bed in
            let path = "/tmp/\(bed.net.pod.name).yaml"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try "inbound_ports: [8080]\nproxy_port: 25880\ndns_servers: [10.96.0.10]\n"
                .write(toFile: path, atomically: true, encoding: .utf8)
            let flags = ["--inbound-port", "8080", "--proxy-port", "25880", "--dns-server", "10.96.0.10"]
            let program = [Built.path("penstock-init"), "print"]
            let byFile = try bed.net.pod.run(program + ["--config", path])
            #expect(byFile.succeeded, "\(byFile)")
            let byFlags = try bed.net.pod.run(program + flags)
            #expect(byFile.output == byFlags.output)
            try "proxy_prot: 1\n".write(toFile: path, atomically: true, encoding: .utf8)
            let wrong = try bed.net.pod.run(program + ["--config", path])
            #expect(wrong.status == 65 && wrong.errors.contains("\(path):1:1: "), "\(wrong)")
            #expect(try bed.net.pod.run(program + ["--config", "/nowhere"]).status == 66)
        }
    }
}
