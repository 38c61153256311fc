import Foundation
import Testing

@Suite("One service of a host, and the daemon beside it")
struct ControlGroupDaemonTests {
    @Test(
        "the service is judged and recorded with its user, its neighbor is not; over restarts, and where the daemon dies",
        arguments: Handover.allCases
    )
    func judged(handover: Handover) throws {
        try DaemonBed.withAdmin(handover, start: false) { daemon in
            let bed = try ControlGroupBed(daemon.net, mode: handover)
            // The pod's rules make room for the host's.
            try daemon.net.pod.must([Built.path("penstock-init"), "remove"])
            try daemon.start()
            // As its unit has it: in the slice, beside what it governs.
            try bed.move(try #require(daemon.daemon?.pid), to: bed.stranger)
            let watcher = try bed.watch(socket: daemon.folder.adminSocket)
            #expect(try daemon.ruleset(until: "verified"))

            let ask = "print(echo('203.0.113.10'), echo('2001:db8:99::10'), echo('203.0.113.66'))"
            for _ in 0..<3 {
                #expect(try bed.askDaemon(ask, in: bed.agent) == "ok ok ECONNRESET\n")
                let line = "swapped: cgroup: \(bed.agent) is captured"
                let swaps = watcher.output.ranges(of: line).count
                try bed.replace()
                try bed.make(bed.inner)
                let isSwapped = BackgroundProcess.poll(seconds: 60) { watcher.output.ranges(of: line).count > swaps }
                #expect(isSwapped, "\(watcher.output)")
            }
            #expect(try bed.askDaemon(ask, in: bed.inner) == "ok ok ECONNRESET\n")
            // Nobody judges the neighbor: what policy denies is answered all the same.
            #expect(try bed.askDaemon(ask, in: bed.neighbor) == "ok ok ok\n")

            // The keeper has proved the capture by connections of its own, as root.
            let probed = ["192.0.2.1", "2001:db8::1"]
            let reading = try daemon.audit { $0.connections.count >= 14 }
            let judged = reading.connections.filter { !probed.contains($0.original) }
            #expect(judged.count == 12 && reading.connections.count == 14)
            let workloads = judged.compactMap { $0.object["workload"] as? [String: Any] }
            let users = workloads.compactMap { $0["uid"] as? Int }
            #expect(users == Array(repeating: 2000, count: 12))
            #expect(reading.connections(to: "203.0.113.66").map(\.isAllowed) == [false, false, false, false])
            #expect(reading.connections(to: "2001:db8:99::10").map(\.isAllowed) == [true, true, true, true])
            try expectSound(daemon)

            daemon.kill()
            #expect(try bed.askDaemon(ask, in: bed.agent) == "ECONNREFUSED ECONNREFUSED ECONNREFUSED\n")
            #expect(try bed.askDaemon(ask, in: bed.neighbor) == "ok ok ok\n")
        }
    }

    @Test("what the kernel remembers of a captured port makes nobody else a captured one, inside the fence or outside")
    func stalePort() throws {
        try DaemonBed.withAdmin(start: false) { daemon in
            let bed = try ControlGroupBed(daemon.net)
            try daemon.net.pod.must([Built.path("penstock-init"), "remove"])
            try daemon.start()
            try bed.move(try #require(daemon.daemon?.pid), to: bed.stranger)
            try bed.rules.install(["--cgroup", bed.agent])
            let ask = """
                s = socket.socket(); s.settimeout(10)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", 25000))
                try: s.connect(("203.0.113.66", 7001)); s.sendall(b"\\0hello"); print("ok" if s.recv(99) else "closed")
                except OSError as error: print(name(error))
                """
            let agent = try bed.askDaemon(ask, in: bed.agent)
            #expect(agent == "ECONNRESET\n")
            let before = try daemon.audit { $0.connections(to: "203.0.113.66").count == 1 }.connections.count
            for path in [bed.neighbor, bed.stranger] {
                #expect(try bed.askDaemon(ask, in: path) == "ECONNREFUSED\n", "\(path)")
            }
            let rules = try daemon.net.pod.must(["nft", "list", "chain", "inet", "penstock", "fence"])
            #expect(rules.contains(/dport 15880 tcp flags .* counter packets [1-9].*refused: stale flow/), "\(rules)")
            #expect(try daemon.audit().connections.count == before)
            daemon.kill()
        }
    }

    @Test("penstock doctor tries nothing from beside the service, and says how to; from within it does")
    func doctor() throws {
        try DaemonBed.withAdmin(start: false) { daemon in
            let bed = try ControlGroupBed(daemon.net)
            try daemon.net.pod.must([Built.path("penstock-init"), "remove"])
            // Nothing that it tries.
            let policy = "  - name: plain\n    match: { cidrs: [203.0.113.0/24] }\n    action: allow"
            try daemon.folder.write(DaemonPolicy.text(policy), to: daemon.folder.policy)
            try daemon.start()
            let watcher = try bed.watch(socket: daemon.folder.adminSocket)
            #expect(try daemon.ruleset(until: "verified"), "\(watcher.output)")
            let beside = try bed.doctor(daemon, in: bed.neighbor, as: .agent)
            #expect(beside["ruleset"]?.detail.hasSuffix("for \(bed.agent)") == true, "\(beside)")
            #expect(beside["self-test"]?.status == "skipped", "\(beside)")
            let entrance = "/sys/fs/cgroup/\(bed.agent)/cgroup.procs"
            #expect(beside["self-test"]?.detail.contains(entrance) == true, "\(beside)")
            #expect(beside["self-test ipv4"] == nil && beside["udp-test ipv4"] == nil, "\(beside)")
            for user in [RunAs.agent, .daemon] {
                let within = try bed.doctor(daemon, in: bed.agent, as: user)
                for name in ["self-test ipv4", "self-test ipv6", "udp-test ipv4", "udp-test ipv6"] {
                    #expect(within[name]?.status == "ok", "\(within)")
                }
                #expect(within["self-test"] == nil)
            }
        }
    }

    @Test("A04: rules that are put back were away: the daemon has recorded it")
    func recorded() throws {
        try DaemonBed.withAdmin(start: false) { daemon in
            let bed = try ControlGroupBed(daemon.net)
            try daemon.net.pod.must([Built.path("penstock-init"), "remove"])
            try daemon.start()
            let watcher = try bed.watch(socket: daemon.folder.adminSocket)
            #expect(try daemon.ruleset(until: "verified"))
            try bed.net.pod.must(["nft", "flush", "ruleset"])
            #expect(watcher.waitForOutput("put back: "), "\(watcher.output)")
            let reading = try daemon.audit { $0.events("ruleset").suffix(2) == ["drifted", "verified"] }
            #expect(reading.events("ruleset") == ["unwatched", "verified", "drifted", "verified"])
        }
    }
}

extension ControlGroupBed {
    /// What `penstock doctor --json` says in a cgroup of the host, by the names of its checks.
    fileprivate func doctor(
        _ daemon: DaemonBed,
        in path: String,
        as user: RunAs
    ) throws -> [String: (status: String, detail: String)] {
        let program =
            "import subprocess, sys; print(subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True).stdout)"
        let command = [Built.path("penstock"), "doctor", "--json", "--admin", daemon.folder.adminSocket]
        let said = try run(program, command, in: path, as: user)
        let object = try JSONSerialization.jsonObject(with: Data(said.output.utf8)) as? [String: Any]
        let checks = object?["checks"] as? [[String: Any]] ?? []
        var found: [String: (status: String, detail: String)] = [:]
        for check in checks {
            guard let name = check["name"] as? String else { continue }
            found[name] = (check["status"] as? String ?? "", check["detail"] as? String ?? "")
        }
        return found
    }
}
