import Testing

@Suite("penstock-init --gateway")
struct GatewayInstallTests {
    @Test("install says what is governed and that nothing was probed; verify and remove go with it")
    func life() throws {
        try GatewayBed.with(nil) { bed in
            let flags = ["--gateway", GatewayBed.bridge]
            let installed = try bed.gateway.program(["install"] + flags)
            #expect(installed.succeeded, "\(installed)")
            for line in [
                "governed: what others send in by agents0; this machine's own traffic is left alone\n",
                "probe: ipv4 not probed: gateway: ", "probe: ipv6 not probed: gateway: ", "posture: strong\n",
            ] { #expect(installed.output.contains(line), "\(installed)") }
            #expect(try bed.gateway.program(["verify"] + flags).succeeded)
            #expect(try bed.gateway.program(["verify"]).status == 3)
            try bed.net.pod.must(["nft", "insert", "rule", "inet", "penstock", "forward", "accept"])
            let drifted = try bed.gateway.program(["verify"] + flags)
            #expect(drifted.status == 3 && drifted.output.contains("drift: chain forward: rule 1 is not"), "\(drifted)")
            #expect(try bed.gateway.program(["remove"]).succeeded)
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }

    @Test(
        "rules for others never take the place of those that fence a whole namespace, which would be free",
        arguments: Handover.allCases
    )
    func overPod(handover: Handover) throws {
        try GatewayBed.with(nil) { bed in
            let fence = ["--mode", handover.rawValue]
            #expect(try bed.gateway.program(["install"] + fence).succeeded)
            for scope in [["--gateway", "agents1"], ["--cgroup", "penstock-nowhere/agents.slice", "--shared-parent"]] {
                for command in ["install", "watch"] {
                    let refused = try bed.gateway.program([command] + scope)
                    let isNamed = refused.errors.contains(
                        "table inet penstock fences all that this network namespace sends"
                    )
                    #expect(refused.status == 64 && isNamed, "\(refused)")
                }
                #expect(try bed.gateway.program(["verify"] + fence).succeeded)
            }
            let beside = [
                "--table", "gate", "--mark", "0x1000", "--proxy-port", "25880", "--gateway", GatewayBed.bridge,
            ]
            #expect(try bed.gateway.program(["install"] + beside).succeeded)
            #expect(try bed.gateway.program(["remove"]).succeeded)
            #expect(try bed.gateway.program(["install", "--gateway", "agents1"]).succeeded)
        }
    }

    @Test("a keeper of rules for others does not put them back where a pod's have taken their place")
    func keeper() throws {
        try GatewayBed.with(nil) { bed in
            let watcher = try bed.gateway.start([
                "watch", "--gateway", GatewayBed.bridge, "--watch-seconds", "1", "--admin-socket",
                "/run/\(bed.net.pod.name).sock",
            ])
            #expect(watcher.waitForOutput("watching it"), "\(watcher.errors)")
            #expect(try bed.gateway.program(["install"]).succeeded)
            let word = "drift: table inet penstock fences all that this network namespace sends, and is not replaced"
            #expect(watcher.waitForOutput(word), "\(watcher.output)")
            #expect(try bed.gateway.program(["verify"]).succeeded)
            // Rules of its own scope are put back as ever.
            #expect(try bed.gateway.program(["remove"]).succeeded)
            #expect(watcher.waitForOutput("put back: table inet penstock"), "\(watcher.output)")
            #expect(try bed.gateway.program(["verify", "--gateway", GatewayBed.bridge]).succeeded)
        }
    }

    @Test(
        "two gateways of one machine are none in each other's way where their interfaces differ",
        arguments: Handover.allCases
    )
    func twoGateways(handover: Handover) throws {
        try GatewayBed.with(nil) { bed in
            let mode = ["--mode", handover.rawValue]
            let one = mode + ["--gateway", GatewayBed.bridge]
            let other = [
                "--table", "other", "--mark", "0x1000", "--proxy-port", "25880", "--explicit-port", "25881",
                "--dns-port",
                "25853", "--api-port", "28081", "--health-port", "25890",
            ]
            let marks = ["--tproxy-mark", "0x10000/0xff0000", "--tproxy-table", "7066", "--tproxy-priority", "7066"]
            let two = mode + other + (handover == .tproxy ? marks : [])
            for flags in [one, two + ["--gateway", "eth0"]] {
                let result = try bed.gateway.program(["install"] + flags)
                #expect(result.succeeded && !result.output.contains("rewrites destinations"), "\(result)")
            }
            for flags in [one, two + ["--gateway", "eth0"]] {
                let result = try bed.gateway.program(["verify"] + flags)
                #expect(result.succeeded, "\(result)")
            }
            try bed.gateway.install(two + ["--gateway", "eth0", "--gateway", GatewayBed.bridge])
            let overlapping = try bed.gateway.program(["verify"] + one)
            #expect(
                overlapping.status == 3
                    && overlapping.output.contains("chain cap of table inet other rewrites destinations before ours"),
                "\(overlapping)"
            )
        }
    }

    @Test(
        "what print writes is what install loads",
        arguments: [
            ["--gateway", "agents0"], ["--gateway", "agents0", "--mode", "tproxy"],
            [
                "--gateway", "agents0", "--gateway", "br-1234567890ab", "--inbound-port", "8080", "--bypass-cidr",
                "10.0.0.0/9:5432",
                "--dns-server", "10.88.0.1", "--dns-server", "fd00::53", "--proxy-port", "25880", "--mark", "0x1000",
            ],
        ]
    ) func printed(flags: [String]) throws {
        try GatewayBed.with(nil) { bed in
            let text = try bed.gateway.program(["print"] + flags, uid: 2000).output
            try bed.net.pod.must(["nft", "-f", "-"], input: text)
            let verified = try bed.gateway.program(["verify"] + flags)
            // Policy routing is none of nft's.
            #expect(verified.succeeded || flags.contains("tproxy"), "\(verified)")
            let byNft = try Self.listing(bed)
            try bed.gateway.install(flags)
            #expect(try Self.listing(bed) == byNft)
        }
    }

    private static func listing(_ bed: GatewayBed) throws -> String {
        let json = try bed.net.pod.must(["nft", "-j", "list", "table", "inet", "penstock"])
        return json.replacing(/"(handle|packets|bytes)": \d+/, with: "")
    }

    @Test("an interface that is not there yet is governed once it is", arguments: Far.both)
    func laterInterface(address: String) throws {
        try GatewayBed.with(nil) { bed in
            try bed.net.pod.must(["ip", "link", "set", GatewayBed.bridge, "down"])
            try bed.net.pod.must(["ip", "link", "set", GatewayBed.bridge, "name", "later0"])
            let installed = try bed.gateway.program(["install", "--gateway", GatewayBed.bridge])
            #expect(
                installed.output.contains("warning: --gateway agents0: there is no such interface yet"),
                "\(installed)"
            )
            try bed.net.pod.shell("ip link set later0 name \(GatewayBed.bridge); ip link set \(GatewayBed.bridge) up")
            try bed.net.pod.shell("ip addr replace \(GatewayBed.gatewayIPv6)/64 dev \(GatewayBed.bridge) nodad")
            let daemon = try bed.startDaemon()
            let result = try bed.run("print(dial(sys.argv[1], 443, timeout=4))", [address])
            #expect(result.output == "connected daemon\n", "\(result) \(daemon.output)")
        }
    }

    @Test("a port of a bridge is told apart from the bridge")
    func bridgePort() throws {
        try GatewayBed.with(nil) { bed in
            // With a /sys of this network namespace, as a container has it.
            let command = "mount -t sysfs none /sys && exec \(Built.path("penstock-init")) install --gateway port0"
            let result = try bed.net.pod.run(["unshare", "-m", "sh", "-c", command])
            #expect(result.output.contains("warning: --gateway port0: that is a port of a bridge"), "\(result)")
        }
    }

    @Test("TPROXY on a bridge whose frames the rules see already is warned of: nothing comes through")
    func shownBridge() throws {
        try GatewayBed.with(nil) { bed in
            let words = "warning: --gateway \(GatewayBed.bridge): br_netfilter shows this bridge's frames to the rules"
            for (setting, mode, isWarned) in [("1", "tproxy", true), ("1", "redirect", false), ("0", "tproxy", false)] {
                let command =
                    "mount -t sysfs none /sys; echo \(setting) > /proc/sys/net/bridge/bridge-nf-call-ip6tables; "
                    + "exec \(Built.path("penstock-init")) install --gateway \(GatewayBed.bridge) --mode \(mode)"
                let result = try bed.net.pod.run(["unshare", "-m", "sh", "-c", command])
                #expect(result.output.contains(words) == isWarned, "\(setting) \(mode): \(result)")
                try bed.net.pod.must([Built.path("penstock-init"), "remove"])
            }
        }
    }

    @Test(
        "what means nothing for others, or is not there, is a usage error",
        arguments: [
            (["--exempt", "1:2"], "--exempt 1:2 with --gateway"),
            (["--gateway", "br*"], "--gateway 'br*': expected the whole name of a network interface"),
            (["--gateway", "lo"], "--gateway 'lo': expected"),
        ]
    ) func misuse(flags: [String], message: String) throws {
        try GatewayBed.with(nil) { bed in
            let result = try bed.gateway.program(["install", "--gateway", GatewayBed.bridge] + flags)
            #expect(result.status == 64 && result.errors.contains(message), "\(result)")
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }
}
