import Foundation
import Testing

@Suite("The watcher and the daemon")
struct DaemonWatcherTests {
    @Test(
        "A04: within a second of a change to the rules the daemon is not ready and has recorded it; mended, it is ready",
        arguments: [
            DaemonBed.watcher, RunAs(uid: 10880, gid: 10880, capabilities: ["net_admin"]),
        ]
    )
    func drift(user: RunAs) throws {
        try DaemonBed.withAdmin { bed in
            let first = try bed.audit { !$0.events("ruleset").isEmpty }
            #expect(first.events("ruleset") == ["unwatched"])
            let watcher = try bed.startWatcher(as: user)
            #expect(try bed.ruleset(until: "verified"))
            #expect(try bed.metrics().values["penstock_ruleset_state{state=\"verified\"}"] == 1)
            var quickest = 9.0
            for change in ["delete table inet penstock", "insert rule inet penstock fence accept"] {
                let start = Date()
                let changed = try bed.net.pod.run(["nft"] + change.split(separator: " ").map(String.init))
                guard changed.succeeded else { continue }
                #expect(try bed.ruleset(until: "drifted"))
                quickest = min(quickest, Date().timeIntervalSince(start))
                let answer = try bed.health("/readyz", status: 503, containing: "ruleset: drifted")
                #expect(answer.contains("not ready: ruleset: drifted: "), "\(answer)")
                try bed.install()
                #expect(try bed.ruleset(until: "verified"))
                #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            }
            // The best of them: a busy machine is not what is measured.
            #expect(quickest < 1)
            #expect(watcher.output.contains("drift: table inet penstock is missing"), "\(watcher.output)")
            #expect(watcher.output.contains("is as planned again"), "\(watcher.output)")
            watcher.signal(SIGTERM)
            #expect(watcher.wait().status == 0)
        }
    }

    /// The watcher compares of itself only every half minute: what is seen earlier was told by the kernel.
    @Test(
        "A04: within a second of a change to the policy routing of TPROXY the daemon is not ready and has recorded it"
    )
    func routing() throws {
        try DaemonBed.withAdmin(.tproxy) { bed in
            let watcher = try bed.startWatcher(seconds: 30)
            #expect(try bed.ruleset(until: "verified"))
            var quickest = 9.0
            for (change, back) in [
                ("ip -4 rule del pref 7065", ""), ("ip -6 rule del pref 7065", ""),
                ("ip -4 route flush table 7065", ""), ("ip -6 route flush table 7065", ""),
                ("ip rule add pref 100 lookup main", "ip rule del pref 100"),
                ("ip -6 rule add pref 100 lookup main", "ip -6 rule del pref 100"),
                ("ip route add 192.0.2.0/24 dev lo table 7065", "ip route del 192.0.2.0/24 dev lo table 7065"),
                ("ip link set lo down", "ip link set lo up"),
            ] {
                let start = Date()
                try bed.net.pod.shell(change)
                #expect(try bed.ruleset(until: "drifted", seconds: 20), "\(change): \(watcher.output)")
                quickest = min(quickest, Date().timeIntervalSince(start))
                // Without loopback nobody here can ask; it comes back without its routes.
                if change.contains("link") { try bed.net.pod.shell(back) }
                let answer = try bed.health("/readyz", status: 503, containing: "ruleset: drifted")
                #expect(answer.contains("not ready: ruleset: drifted: "), "\(change): \(answer)")
                if !change.contains("link") { try bed.net.pod.shell(back) }
                try bed.install()
                #expect(try bed.ruleset(until: "verified"), "\(change): \(watcher.output)")
            }
            // The best of them: a busy machine is not what is measured.
            #expect(quickest < 1)
            #expect(watcher.output.contains("drift: policy rule '7065: fwmark"), "\(watcher.output)")
        }
    }

    @Test("A04: a watcher that falls silent leaves the rules unwatched; drifted rules stay drifted")
    func silence() throws {
        try DaemonBed.withAdmin { bed in
            let first = try bed.startWatcher()
            #expect(try bed.ruleset(until: "verified"))
            first.signal(SIGSTOP)
            #expect(try bed.ruleset(until: "unwatched"))
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            first.signal(SIGCONT)
            #expect(try bed.ruleset(until: "verified"))
            try bed.net.pod.must(["nft", "delete", "table", "inet", "penstock"])
            #expect(try bed.ruleset(until: "drifted"))
            first.signal(SIGKILL)
            usleep(4_500_000)
            #expect(try bed.audit().events("ruleset").last == "drifted")
            #expect(try bed.health("/readyz", status: 503).contains("ruleset: drifted"))
        }
    }

    @Test("the watcher finds a daemon that was started anew, and tells it what it knows")
    func restart() throws {
        try DaemonBed.withAdmin { bed in
            let watcher = try bed.startWatcher()
            #expect(try bed.ruleset(until: "verified"))
            bed.kill()
            let left = try FileManager.default.contentsOfDirectory(atPath: bed.folder.auditFolder + "/admin")
            #expect(left == ["admin.sock"])
            try bed.start()
            let reading = try bed.audit { $0.events("ruleset").count == 4 }
            #expect(reading.events("ruleset") == ["unwatched", "verified", "unwatched", "verified"])
            #expect(watcher.output.contains("the daemon is not told, trying again"), "\(watcher.output)")
        }
    }

    @Test("rules of another mode than the daemon's are drift, and the daemon says so")
    func otherMode() throws {
        try DaemonBed.withAdmin { bed in
            let line =
                #"{"v":1,"kind":"ruleset","table":"penstock","differences":[],"weaknesses":[],"daemon":"10880:10880","#
                + #""port":15880,"mode":"MODE","every_ms":1000}"#
            for mode in Handover.allCases {
                #expect(try bed.admin(line.replacing("MODE", with: mode.rawValue)) == "{\"v\":1,\"ok\":true}\n")
                let isSame = mode == bed.handover
                let words = isSame ? "" : "the rules are made for --mode \(mode), and this daemon is set up for"
                let answer = try bed.health("/readyz", status: isSame ? 200 : 503, containing: words)
                #expect(answer.hasPrefix(isSame ? "200" : "503"), "\(answer)")
            }
        }
    }

    @Test("a watcher whose rules are made for another daemon reports drift")
    func otherDaemon() throws {
        try DaemonBed.withAdmin { bed in
            let line =
                #"{"v":1,"kind":"ruleset","table":"penstock","differences":[],"weaknesses":[],"daemon":"1:1","#
                + #""port":15880,"every_ms":1000}"#
            let answer = try bed.admin(line)
            #expect(answer == "{\"v\":1,\"ok\":true}\n")
            #expect(try bed.health("/readyz", status: 503).contains("made for a daemon 1:1 on port 15880"))
        }
    }

    @Test(
        "a watcher that lacks a capability says which, and ends with 77",
        arguments: [
            (RunAs(uid: 10880, gid: 10880), "needs CAP_NET_ADMIN "),
            (RunAs(uid: 0, gid: 0, capabilities: ["net_admin"]), "CAP_SETUID and CAP_SETGID"),
        ]
    )
    func lackingCapability(user: RunAs, words: String) throws {
        try RulesetBed.with { bed in
            let result = try bed.net.pod.run(
                [Built.path("penstock-init"), "verify", "--watch", "--dns-server", "203.0.113.53"],
                uid: user.uid,
                gid: user.gid,
                capabilities: user.capabilities
            )
            #expect(result.status == 77 && result.errors.contains(words), "\(result)")
        }
    }

    @Test("the watcher that began as root is the daemon's user, with CAP_NET_ADMIN alone and no way to more")
    func identity() throws {
        try DaemonBed.withAdmin { bed in
            let watcher = try bed.startWatcher()
            let status = try String(contentsOfFile: "/proc/\(watcher.pid)/status", encoding: .utf8)
            for line in [
                "Uid:\t10880\t10880\t10880\t10880", "Gid:\t10880\t10880\t10880\t10880", "CapEff:\t0000000000001000",
                "CapPrm:\t0000000000001000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
            ] {
                #expect(status.contains(line), "\(line) in \(status)")
            }
        }
    }
}
