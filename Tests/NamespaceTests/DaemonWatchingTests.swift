import Foundation
import Testing

@Suite("The daemon goes by the clock, and sees a policy that is swapped")
struct DaemonWatchingTests {
    /// Keeps a tunnel, and says when it ends and how.
    private static let tunnel = """
        s = dial(sys.argv[1], 7009, 90)
        s.sendall(b"\\0hello"); s.recv(100)
        print("ready", flush=True)
        how = "eof"
        try:
            while s.recv(100): pass
        except OSError as error: how = name(error)
        print(how, time.time(), flush=True)
        """

    @Test("the end of a time window cuts what it let through, within a second, and refuses what comes")
    func window() throws {
        try DaemonBed.with { bed in
            let now = Date().timeIntervalSince1970
            // Windows end at whole minutes: the next that is far enough away.
            let end = ((now + 8) / 60).rounded(.up) * 60
            let minutes = Int(end) / 60 % 1440
            let to = String(format: "%02d:%02d", minutes / 60, minutes % 60)
            let text = DaemonPolicy.text(
                """
                  - name: office
                    match: { cidrs: [203.0.113.7/32], time: [ { to: "\(to == "00:00" ? "24:00" : to)" } ] }
                    action: allow
                  - name: always
                    match: { cidrs: [203.0.113.8/32] }
                    action: allow
                """
            )
            try bed.folder.write(text, to: bed.folder.policy)
            bed.signal(SIGHUP)
            let loads = try bed.audit { $0.events("policy").count == 2 }.events("policy")
            #expect(loads == ["loaded", "loaded"])
            let office = try bed.startAgent(Self.tunnel, ["203.0.113.7"])
            let always = try bed.startAgent(Self.tunnel, ["203.0.113.8"])
            #expect(office.waitForOutput("ECONNRESET", seconds: 75), "\(office.output)")
            let time = office.output.split(separator: " ").last.flatMap { Double($0.filter { $0 != "\n" }) }
            let late = try #require(time) - end
            #expect(late >= 0 && late < 1, "\(late)")
            let ended = try bed.audit { $0.ends("window_ended").count == 1 }.ends("window_ended").first
            #expect(ended?.rule == "office" && ended?.text("closed_by") == "ours", "\(String(describing: ended))")
            #expect(ended?.text("reason") == "default_deny")
            #expect(try bed.agent("print(echo('203.0.113.7'), echo('203.0.113.8'))") == "ECONNRESET ok\n")
            #expect(always.output == "ready\n")
        }
    }

    @Test("G08: a mounted ConfigMap that is swapped is in force without a signal, and its record says what changed")
    func swapped() throws {
        var settings = DaemonSettings()
        settings.watchSeconds = 2
        try DaemonBed.with(settings, start: false) { bed in
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
            let next = DaemonPolicy.standard.replacingOccurrences(of: "name: denied", with: "name: forbidden")
                .replacingOccurrences(of: "192.0.2.0/24, ", with: "")
            let start = Date()
            try swap(map, to: "two", next, bed)
            let reading = try bed.audit { $0.events("policy").count == 2 }
            #expect(Date().timeIntervalSince(start) < 15)
            let loaded = reading.lines.last { $0.kind == "policy" }
            let changes = try #require(loaded?.object["changes"] as? [String: Any])
            #expect(changes["added"] as? [String] == ["forbidden"] && changes["removed"] as? [String] == ["denied"])
            #expect(changes["changed"] as? [String] == ["plain"] && changes["changed_rules"] as? Int == 1)
            #expect(bed.says("what it changes: added forbidden; removed denied; changed plain"), "\(bed.said)")

            // A broken one keeps the old, and says so once.
            try swap(map, to: "three", next.replacingOccurrences(of: "match", with: "mtach"), bed)
            let unready = try bed.health("/readyz", status: 503)
            #expect(unready.contains("policy: reload refused, the old one stays: "), "\(unready)")
            try swap(map, to: "four", next, bed)
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            sleep(5)
            // What came back is the policy in force: nothing is loaded.
            #expect(try bed.audit().events("policy") == ["loaded", "loaded", "refused"])
        }
    }

    @Test("G08: a daemon that has no descriptors left takes the policy that it cannot look at for no other one")
    func withoutDescriptors() throws {
        var settings = DaemonSettings()
        settings.watchSeconds = 1
        try DaemonBed.with(settings) { bed in
            _ = try bed.audit { $0.events("policy").count == 1 }
            let limit = "setpriv --reuid 10880 --regid 10880 --clear-groups prlimit --pid \(bed.pid) --nofile="
            try NetworkNamespace.must([
                "sh", "-ec",
                """
                n=0; while [ -e /proc/\(bed.pid)/fd/$n ]; do n=$((n + 1)); done
                \(limit)$n:; sleep 4; \(limit)1024:; sleep 2
                """,
            ])
            #expect(try bed.audit().events("policy") == ["loaded"])
            #expect(!bed.said.contains("policy not reloaded"), "\(bed.said)")
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
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

    @Test(
        "rules ask for the namespace and the service account that the configuration says, for the API and on the way out"
    )
    func workload() throws {
        var settings = DaemonSettings()
        settings.policy = DaemonPolicy.text(
            """
              - name: ours
                match: { cidrs: [203.0.113.7/32], workload: { namespaces: [agents], service_accounts: [research] } }
                action: allow
              - name: theirs
                match: { cidrs: [203.0.113.8/32], workload: { namespaces: [others] } }
                action: allow
            """
        )
        try DaemonBed.with(settings, start: false) { bed in
            let text = try String(contentsOfFile: bed.folder.configuration, encoding: .utf8)
            let workload = "workload: { namespace: agents, service_account: research }\n"
            try bed.folder.write(text + workload, to: bed.folder.configuration)
            try bed.start()
            let said = try bed.agent(
                """
                import urllib.request
                def check(host):
                    body = json.dumps({"action": "tcp.connect", "context": {"host": host, "port": 7001}}).encode()
                    r = urllib.request.Request("http://127.0.0.1:8081/api/v1/check-policy", body,
                                               {"Content-Type": "application/json"})
                    with urllib.request.urlopen(r) as answer: return json.load(answer)["allowed"]
                for host in ("203.0.113.7", "203.0.113.8"): print(echo(host), check(host))
                """
            )
            #expect(said == "ok True\nECONNRESET False\n")
        }
    }

    @Test("several paths and extended files are one policy; what is missing is named with its place")
    func extended() throws {
        try DaemonBed.with(start: false) { bed in
            let base = bed.folder.path + "/base.yaml"
            let rules = """
                apiVersion: penstock/v1
                kind: EgressPolicy
                name: base
                rules:
                  - name: never
                    match: { cidrs: [203.0.113.10/32] }
                    action: deny
                """
            try bed.folder.write(rules + "\n", to: base)
            let team = DaemonPolicy.standard.replacingOccurrences(of: "rules:", with: "extends: base.yaml\nrules:")
            try bed.folder.write(team, to: bed.folder.policy)
            try bed.start()
            #expect(try bed.agent("print(echo('203.0.113.10'), echo('203.0.113.11'))") == "ECONNRESET ok\n")
            try NetworkNamespace.must(["rm", base])
            bed.signal(SIGHUP)
            let unready = try bed.health("/readyz", status: 503)
            #expect(unready.contains("policy.yaml:5:10: the extended file \(base) cannot be read"), "\(unready)")
        }
    }
}
