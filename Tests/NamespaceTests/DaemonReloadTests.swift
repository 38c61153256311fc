import Foundation
import Testing

@Suite("The daemon loads its policy again")
struct DaemonReloadTests {
    private static let onlySecond = DaemonPolicy.text(
        """
          - name: no-first
            match: { cidrs: [203.0.113.10/32] }
            action: deny
          - name: plain
            match: { cidrs: [203.0.113.0/24, "2001:db8:99::/64"] }
            action: allow
        """
    )

    /// Keeps a tunnel to each address and says, with the time, when one ends.
    private static let tunnels = """
        sockets = {a: dial(a, 7001, 30) for a in sys.argv[1:]}
        for s in sockets.values(): s.sendall(b"\\0hello"); s.recv(100)
        print("ready", flush=True)
        names = {s: a for a, s in sockets.items()}
        while names:
            for s in select.select(list(names), [], [])[0]:
                try: how = "bytes" if s.recv(100) else "eof"
                except OSError as error: how = name(error)
                print(names.pop(s), how, time.time(), flush=True)
        """

    @Test(
        "G08: a new policy cuts the live connection that it denies, within a second, and leaves the others",
        arguments: Handover.allCases
    )
    func rejudges(handover: Handover) throws {
        try DaemonBed.with(DaemonSettings(handover: handover)) { bed in
            let tunnels = try bed.startAgent(Self.tunnels, ["203.0.113.10", "203.0.113.11", "2001:db8:99::10"])
            try bed.folder.write(Self.onlySecond, to: bed.folder.policy)
            let start = Date().timeIntervalSince1970
            bed.signal(SIGHUP)
            #expect(tunnels.waitForOutput("203.0.113.10 ECONNRESET"), "\(tunnels.output)")
            let time = tunnels.output.split(separator: "\n").last?.split(separator: " ").last.flatMap { Double($0) }
            #expect(try #require(time) - start < 1, "\(tunnels.output)")
            let reading = try bed.audit { $0.ends("policy_changed").count == 1 }
            let cut = try #require(reading.ends("policy_changed").first)
            #expect(cut.reason == "rule_deny" && cut.rule == "no-first" && cut.text("closed_by") == "ours", "\(cut)")
            #expect(cut.id == reading.connections(to: "203.0.113.10").first?.id)
            #expect(try bed.agent("print(echo('203.0.113.10'), echo('203.0.113.11'))") == "ECONNRESET ok\n")
            #expect(tunnels.output.split(separator: "\n").count == 2, "\(tunnels.output)")
            #expect(reading.events("policy") == ["loaded", "loaded"])
            let loads = reading.lines.filter { $0.kind == "policy" }
            #expect(loads[1].text("policy_hash_before") == loads[0].text("policy_hash"))
            let generations = loads.map { $0.number("policy_generation") }
            #expect(generations == [1, 2])
            #expect(try bed.metrics()["policy_generation"] == 2)
            #expect(bed.worldSays("echo ECONNRESET"))
        }
    }

    @Test("G08: a broken policy changes nothing, is told of everywhere, and the next good one ends that")
    func brokenPolicy() throws {
        try DaemonBed.with { bed in
            let tunnels = try bed.startAgent(Self.tunnels, ["203.0.113.11"])
            try bed.folder.write(
                Self.onlySecond.replacingOccurrences(of: "match", with: "mtach"),
                to: bed.folder.policy
            )
            bed.signal(SIGHUP)
            let unready = try bed.health("/readyz", status: 503)
            #expect(unready.contains("policy: reload refused, the old one stays: "), "\(unready)")
            #expect(unready.contains("policy.yaml:6:5: "), "\(unready)")
            let records = try bed.audit { $0.events("policy").count == 2 }.lines.filter { $0.kind == "policy" }
            let refused = try #require(records.last)
            #expect(refused.event == "refused", "\(refused)")
            let inForce = records.first?.text("policy_hash")
            #expect(refused.text("policy_hash") == inForce && refused.text("policy_hash_before") == inForce)
            let problems = refused.object["problems"] as? [String] ?? []
            let isNamed = problems.contains { $0.contains(":7:5: unknown key `mtach`; did you mean `match`") }
            #expect(isNamed, "\(problems)")
            #expect(bed.says("policy not reloaded, the old one stays in force"), "\(bed.said)")
            #expect(try bed.metrics()["policy_reloads_total{result=\"refused\"}"] == 1)
            #expect(try bed.agent("print(echo('203.0.113.10'))") == "ok\n", "the old policy is in force")

            try bed.folder.write(Self.onlySecond, to: bed.folder.policy)
            bed.signal(SIGHUP)
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.agent("print(echo('203.0.113.10'))") == "ECONNRESET\n")
            #expect(tunnels.output == "ready\n", "\(tunnels.output)")
            #expect(try bed.audit().events("policy") == ["loaded", "refused", "loaded"])
            try expectSound(bed)
        }
    }

    @Test("without a policy the daemon stays up, is not ready, refuses everything, and recovers")
    func noPolicy() throws {
        try DaemonBed.with(start: false) { bed in
            try FileManager.default.removeItem(atPath: bed.folder.policy)
            try bed.start(untilReady: false)
            let unready = try bed.health("/readyz", status: 503, containing: "policy.yaml")
            #expect(unready.hasPrefix("503\nnot ready: policy: "), "\(unready)")
            let refused = try bed.agent("print({echo(a) for a in ('203.0.113.7', '2001:db8:99::7')})")
            #expect(refused == "{'ECONNRESET'}\n")
            #expect(try bed.arrivals().isEmpty)
            let reading = try bed.audit { $0.connections.count == 2 }
            let others = reading.connections.count { $0.reason != "no_policy" || $0.isAllowed }
            #expect(others == 0)
            let hashed = reading.connections.count { !($0.object["policy_hash"] is NSNull) }
            #expect(hashed == 0)
            #expect(reading.events("policy") == ["refused"])

            try bed.folder.write(DaemonPolicy.standard, to: bed.folder.policy)
            bed.signal(SIGHUP)
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
        }
    }

    @Test("G08: a mounted ConfigMap is swapped under the daemon, and every reload sees one whole version")
    func configMap() throws {
        try DaemonBed.with(start: false) { bed in
            let map = bed.folder.path + "/map"
            try NetworkNamespace.must(["mkdir", map])
            let text = try String(contentsOfFile: bed.folder.configuration, encoding: .utf8)
            try bed.folder.write(
                text.replacingOccurrences(of: bed.folder.policy, with: map),
                to: bed.folder.configuration
            )
            try swap(map, to: "one", DaemonPolicy.standard, bed)
            try NetworkNamespace.must(["ln", "-s", "..data/policy.yaml", map + "/policy.yaml"])
            try bed.start()
            try swap(map, to: "two", Self.onlySecond, bed)
            bed.signal(SIGHUP)
            let reading = try bed.audit { $0.events("policy").count == 2 }
            #expect(reading.events("policy") == ["loaded", "loaded"], "\(bed.said)")
            #expect(try bed.agent("print(echo('203.0.113.10'), echo('203.0.113.11'))") == "ECONNRESET ok\n")
        }
    }

    /// What the kubelet does: a new folder, and `..data` renamed over the old link.
    private func swap(_ map: String, to version: String, _ policy: String, _ bed: DaemonBed) throws {
        try NetworkNamespace.must(["mkdir", "\(map)/..\(version)"])
        try bed.folder.write(policy, to: "\(map)/..\(version)/policy.yaml")
        try NetworkNamespace.must([
            "sh", "-ec", "cd \(map); ln -s ..\(version) ..tmp; mv -T ..tmp ..data; chmod 755 . ..\(version)",
        ])
    }

    @Test("G08: whatever signals come how fast, the last policy is in force")
    func manyReloads() throws {
        try DaemonBed.with { bed in
            for round in 0..<40 {
                let policy = round % 2 == 0 ? Self.onlySecond : DaemonPolicy.standard
                try bed.folder.write("# \(round)\n\(policy)", to: bed.folder.policy)
                bed.signal(SIGHUP)
                usleep(UInt32(round * 100))
            }
            try bed.folder.write(Self.onlySecond, to: bed.folder.policy)
            bed.signal(SIGHUP)
            let sum = try NetworkNamespace.must(["sha256sum", bed.folder.policy]).prefix(64)
            let reading = try bed.audit {
                $0.lines.last { $0.kind == "policy" }?.text("policy_hash") == "sha256:\(sum)"
            }
            let last = reading.lines.last { $0.kind == "policy" }
            #expect(last?.text("policy_hash") == "sha256:\(sum)")
            #expect(try bed.agent("print(echo('203.0.113.10'), echo('203.0.113.11'))") == "ECONNRESET ok\n")
            try expectSound(bed)
        }
    }
}
