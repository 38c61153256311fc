import Foundation
import Testing

@Suite("One service of a host: restarts, and what keeps the rules")
struct ControlGroupRestartTests {
    private static let dial = "print(dial(sys.argv[1], 443))"

    @Test(
        "between the removal of a cgroup and the swap of its rule the new one is refused, then captured",
        arguments: Far.both
    )
    func restart(address: String) throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            let watcher = try bed.watch()
            let daemon = try bed.rules.startDaemon()
            watcher.signal(SIGSTOP)
            try bed.replace()
            let refused = try bed.run(Self.dial + "; print(datagram(sys.argv[1], 443))", [address], in: bed.agent)
            #expect(refused.output == "ECONNREFUSED\nEPERM\n", "\(refused)")
            #expect(try bed.rules.count("refused: fenced cgroup") == 2)
            watcher.signal(SIGCONT)
            #expect(watcher.waitForOutput("swapped: cgroup: \(bed.agent) is captured"), "\(watcher.output)")
            let captured = try bed.run(Self.dial, [address], in: bed.agent)
            #expect(captured.output == "connected daemon\n", "\(captured)")
            #expect(daemon.waitForOutput("\(address) 443\n"))
            #expect(try bed.net.arrivals("out") == 0)
            #expect(try bed.rules.program(["verify", "--cgroup", bed.agent]).succeeded)
        }
    }

    @Test("restart upon restart, under fire: nothing leaves, and each new cgroup is captured within a second")
    func manyRestarts() throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            let watcher = try bed.watch()
            try bed.rules.startDaemon()
            try bed.remove(bed.inner)
            var quickest = 99.0
            for _ in 0..<10 {
                try bed.remove(bed.agent)
                try bed.make(bed.agent)
                let result = try bed.run(
                    """
                    start = time.time()
                    answers = []
                    while time.time() - start < 30 and "connected daemon" not in answers[-1:]:
                        answers.append(dial("203.0.113.7", 443)); answers.append(dial("2001:db8:99::7", 443))
                        datagram("203.0.113.7", 443)
                    print(answers[-1], set(answers) <= {"ECONNREFUSED", "connected daemon"}, time.time() - start)
                    """,
                    in: bed.agent
                )
                #expect(result.output.hasPrefix("connected daemon True "), "\(result)")
                let seconds = result.output.split(separator: " ").last.flatMap { Double($0.dropLast()) }
                quickest = min(quickest, try #require(seconds))
            }
            // The best of them: a busy machine is not what is measured.
            #expect(quickest < 1)
            #expect(try bed.net.arrivals("out") == 0)
            #expect(watcher.isRunning, "\(watcher.output)\(watcher.errors)")
        }
    }

    @Test("a cgroup that is not there yet is refused until it comes; install says so")
    func absent() throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.remove(bed.inner)
            try bed.remove(bed.agent)
            let installed = try bed.rules.program(["install", "--cgroup", bed.agent])
            #expect(
                installed.succeeded && installed.output.contains("cgroup: \(bed.agent) is not there: "),
                "\(installed)"
            )
            #expect(try bed.run(Self.dial, ["203.0.113.7"], in: bed.stranger).output == "ECONNREFUSED\n")
            let watcher = try bed.watch()
            try bed.rules.startDaemon()
            try bed.make(bed.agent)
            #expect(watcher.waitForOutput("swapped: cgroup: \(bed.agent) is captured"), "\(watcher.output)")
            #expect(try bed.run(Self.dial, ["203.0.113.7"], in: bed.agent).output == "connected daemon\n")
        }
    }

    @Test("without a keeper a replaced cgroup stays refused, verify says so, and install captures it")
    func withoutKeeper() throws {
        try ControlGroupBed.with { bed in
            try bed.replace()
            let verified = try bed.rules.program(["verify", "--cgroup", bed.agent])
            #expect(verified.status == 3, "\(verified)")
            #expect(verified.output.contains(" is not 'socket cgroupv2 level 2"), "\(verified)")
            try bed.rules.startDaemon()
            #expect(try bed.run(Self.dial, ["203.0.113.7"], in: bed.agent).output == "ECONNREFUSED\n")
            // As the drop-in does it: from within the service's own cgroup, before its first process.
            try bed.rules.install(["--cgroup", bed.agent])
            #expect(try bed.run(Self.dial, ["203.0.113.7"], in: bed.agent).output == "connected daemon\n")
        }
    }

    @Test("what processes of the old cgroup still hold is no way out")
    func oldSockets() throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            let watcher = try bed.watch()
            let flag = "/tmp/\(bed.net.pod.name)"
            let old = try bed.start(
                """
                s = socket.socket(); s.settimeout(20)
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                print("ready", flush=True)
                while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                print(outcome(lambda: s.connect(("203.0.113.7", 443))), outcome(lambda: u.sendto(b"x", ("203.0.113.7", 4433))))
                """,
                [flag],
                in: bed.agent
            )
            try bed.move(old, to: bed.neighbor)
            try bed.replace()
            #expect(watcher.waitForOutput("swapped: cgroup: \(bed.agent) is captured"), "\(watcher.output)")
            try NetworkNamespace.must(["touch", flag])
            defer { try? FileManager.default.removeItem(atPath: flag) }
            let result = old.wait()
            #expect(result.output == "ready\nECONNREFUSED EPERM\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test("a captured connection lives on over a restart of the cgroup, as long as its process does")
    func connectionOverSwap() throws {
        try ControlGroupBed.with(install: false) { bed in
            let watcher = try bed.watch()
            try bed.rules.startAgent(
                """
                def echo(c):
                    while data := c.recv(99): c.sendall(data)
                serve([listen("127.0.0.1", 15880, transparent)], echo)
                """,
                as: bed.daemon
            )
            let flag = "/tmp/\(bed.net.pod.name)"
            let old = try bed.start(
                """
                s = socket.socket(); s.settimeout(20); s.connect(("203.0.113.7", 443)); s.sendall(b"one"); s.recv(9)
                print("ready", flush=True)
                while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                s.sendall(b"two"); print(s.recv(9))
                """,
                [flag],
                in: bed.agent
            )
            try bed.move(old, to: bed.stranger)
            try bed.replace()
            #expect(watcher.waitForOutput("swapped: cgroup: \(bed.agent) is captured"), "\(watcher.output)")
            try NetworkNamespace.must(["touch", flag])
            defer { try? FileManager.default.removeItem(atPath: flag) }
            #expect(old.wait().output == "ready\nb'two'\n")
        }
    }

    @Test(
        "A04: the keeper puts back what somebody else has taken away, such as a firewall that flushes everything",
        arguments: ["flush ruleset", "delete table inet penstock", "insert rule inet penstock fence accept"]
    )
    func putBack(change: String) throws {
        try ControlGroupBed.with(install: false) { bed in
            let watcher = try bed.watch()
            try bed.net.pod.must(["nft", change])
            #expect(watcher.waitForOutput("put back: table inet penstock\nverified: "), "\(watcher.output)")
            #expect(watcher.output.contains("drift: "), "\(watcher.output)")
            #expect(try bed.rules.program(["verify", "--cgroup", bed.agent]).succeeded)
            watcher.signal(SIGTERM)
            let ending = watcher.wait()
            #expect(ending.status == 0 && ending.output.hasSuffix("\nstopped: told to; the rules stay\n"), "\(ending)")
            // The rules outlive it: closed, whatever becomes of the service's cgroup.
            #expect(try bed.rules.program(["verify", "--cgroup", bed.agent]).succeeded)
        }
    }

    @Test("without cgroups the keeper keeps the rules of a whole namespace")
    func wholeNamespace() throws {
        try RulesetBed.with(install: false) { bed in
            let socket = "/run/\(bed.net.pod.name).sock"
            let watcher = try bed.start(["watch", "--watch-seconds", "1", "--admin-socket", socket])
            #expect(watcher.waitForOutput("watching it"), "\(watcher.output)\(watcher.errors)")
            try bed.net.pod.must(["nft", "flush", "ruleset"])
            #expect(watcher.waitForOutput("put back: table inet penstock\nverified: "), "\(watcher.output)")
            #expect(try bed.program(["verify"]).succeeded)
        }
    }

    @Test("a keeper that has put rules back too often says so and until when, and ends without calling them kept")
    func pausing() throws {
        try RulesetBed.with(install: false) { bed in
            let socket = "/run/\(bed.net.pod.name).sock"
            let watcher = try bed.start(["watch", "--watch-seconds", "1", "--admin-socket", socket])
            #expect(watcher.waitForOutput("watching it"), "\(watcher.output)\(watcher.errors)")
            for count in 1...6 {
                try bed.net.pod.must(["nft", "flush", "ruleset"])
                let isBack = BackgroundProcess.poll(seconds: 20) {
                    watcher.output.split(separator: "\n").count { $0.hasPrefix("verified: ") } == count + 1
                }
                #expect(isBack, "\(watcher.output)")
            }
            try bed.net.pod.must(["nft", "flush", "ruleset"])
            let says = "\nnot put back: table inet penstock: that was done 6 times within a minute; "
            #expect(watcher.waitForOutput(says), "\(watcher.output)")
            // It is asked each second, and said once.
            sleep(3)
            let said = watcher.output.split(separator: "\n").filter { $0.hasPrefix("not put back: ") }
            #expect(said.count == 1 && said.first?.hasSuffix(" s") == true, "\(watcher.output)")
            watcher.signal(SIGTERM)
            let ending = watcher.wait()
            #expect(ending.status == 0 && !ending.output.contains("the rules stay"), "\(ending)")
            #expect(ending.output.contains("\nstopped: told to; what stays is not as planned: "), "\(ending)")
        }
    }

    @Test("the keeper gives up every right but CAP_NET_ADMIN, and still swaps")
    func identity() throws {
        try ControlGroupBed.with(install: false) { bed in
            let watcher = try bed.watch()
            let status = try String(contentsOfFile: "/proc/\(watcher.pid)/status", encoding: .utf8)
            for line in ["Uid:\t10880\t10880\t10880\t10880", "CapEff:\t0000000000001000", "NoNewPrivs:\t1"] {
                #expect(status.contains(line), "\(line) in \(status)")
            }
            try bed.replace()
            #expect(watcher.waitForOutput("swapped: "), "\(watcher.output)")
        }
    }

    @Test("verify --watch only reads: it reports a replaced cgroup as drift, and changes nothing")
    func readOnly() throws {
        try ControlGroupBed.with { bed in
            let before = try bed.net.pod.must(["nft", "-s", "list", "ruleset"])
            let watcher = try bed.rules.start([
                "verify", "--watch", "--cgroup", bed.agent, "--watch-seconds", "1", "--admin-socket",
                "/run/\(bed.net.pod.name).sock",
            ])
            #expect(watcher.waitForOutput("watching it"), "\(watcher.output)")
            try bed.replace()
            #expect(watcher.waitForOutput("drifted: "), "\(watcher.output)")
            let after = try bed.net.pod.must(["nft", "-s", "list", "ruleset"])
            // nft shows a cgroup that is gone by its number.
            let withoutIds = { (text: String) in text.split(separator: "\n").filter { !$0.contains("cgroupv2") } }
            let (left, right) = (withoutIds(before), withoutIds(after))
            #expect(left == right)
        }
    }
}
