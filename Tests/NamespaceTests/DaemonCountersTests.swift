import Foundation
import Testing

@Suite("The daemon keeps rates and budgets")
struct DaemonCountersTests {
    /// A policy with one rule that allows the world, and these terms.
    private static func policy(_ terms: String) -> String {
        DaemonPolicy.text(
            """
              - name: counted
                match: { cidrs: [203.0.113.0/24, "2001:db8:99::/64"] }
                action: allow
                \(terms)
            """
        )
    }

    /// So many conversations, one after the other; what became of each.
    private static func echoes(_ count: Int) -> String { "print(*[echo('203.0.113.7') for _ in range(\(count))])" }

    @Test("a rate refuses what is too much, by rule and reason, and survives an orderly restart")
    func rate() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("rate: { limit: 3, per: hour }")
        try DaemonBed.with(settings) { bed in
            #expect(try bed.agent(Self.echoes(5)) == "ok ok ok ECONNRESET ECONNRESET\n")
            let reading = try bed.audit { $0.connections.count == 5 }
            let reasons = reading.connections.map { "\($0.reason) \($0.rule)" }
            let allowed = "rule_allow counted"
            let refused = "rate_exceeded counted"
            #expect(reasons == [allowed, allowed, allowed, refused, refused])
            #expect(try bed.metrics()["connections_refused_total{reason=\"rate_exceeded\"}"] == 2)
            #expect(bed.end() == 0)
            try bed.start()
            #expect(try bed.agent(Self.echoes(2)) == "ECONNRESET ECONNRESET\n")
            let mode = try NetworkNamespace.must(["stat", "-c", "%a", bed.folder.auditFolder + "/counters.sqlite"])
            #expect(mode == "600\n")
            try expectSound(bed)
        }
    }

    @Test("G08: a daemon that is killed again and again lets no more pass than the budget says")
    func killed() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("budget: { requests: 60, per: day }")
        try DaemonBed.with(settings) { bed in
            var passed = 0
            var rounds = 0
            while rounds < 60 {
                rounds += 1
                let said = try bed.agent(Self.echoes(3))
                let now = said.split(separator: " ").count { $0.hasPrefix("ok") }
                passed += now
                bed.kill()
                try bed.start()
                if now == 0 { break }
            }
            // A kill costs a block at most, which is a thirty-second of sixty: one.
            #expect(passed <= 60 && passed >= 60 - rounds * 2, "\(passed) in \(rounds) rounds")
            #expect(try bed.agent(Self.echoes(1)) == "ECONNRESET\n")
            let last = try bed.audit().connections.last
            #expect(last?.reason == "budget_exhausted" && last?.rule == "counted", "\(String(describing: last))")
        }
    }

    @Test("a budget of bytes cuts a flow when it is used up, by copy and by splice", arguments: [1, 40])
    func bytes(mebibytes: Int) throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("budget: { bytes_up: \(mebibytes)MiB }")
        try DaemonBed.with(settings) { bed in
            let said = try bed.agent(
                """
                s = dial("203.0.113.7", 7002); s.settimeout(30)
                try:
                    for _ in range(\(mebibytes * 4)): s.sendall(b"\\0" * (1 << 20))
                    print("closed" if not s.recv(1) else "more")
                except OSError as error: print(name(error))
                """
            )
            #expect(["ECONNRESET\n", "EPIPE\n"].contains(said), "\(said)")
            let reading = try bed.audit { !$0.ends.isEmpty }
            let end = try #require(reading.ends.first)
            #expect(end.outcome == "cut" && end.reason == "budget_exhausted" && end.rule == "counted", "\(end)")
            let limit = mebibytes << 20
            #expect(end.number("bytes_up") <= limit && end.number("bytes_up") > limit - (1 << 20), "\(end)")
            #expect(bed.worldSays("sink "))
            let sunk = bed.world.output.split(separator: "\n").last { $0.hasPrefix("sink ") }
            let arrived = sunk?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            #expect(try #require(arrived) <= limit)
            #expect(try bed.agent(Self.echoes(1)) == "ECONNRESET\n")
        }
    }

    @Test("bytes that fit the budget arrive whole, and what was reserved and not sent is given back")
    func bytesWithin() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("budget: { bytes_up: 8MiB }")
        try DaemonBed.with(settings) { bed in
            let send = """
                def put(size):
                    with dial("203.0.113.7", 7004) as s:
                        s.sendall(pattern(size)); s.shutdown(socket.SHUT_WR)
                        want = hashlib.sha256(pattern(size)).hexdigest()
                        return read_all(s).decode() == "got %d %s" % (size, want)
                """
            // Sixteen times half a mebibyte is all of it, to the byte.
            let said = try bed.agent("\(send)\nprint({put(1 << 19) for _ in range(16)})\nprint(echo('203.0.113.7'))")
            #expect(said == "{True}\nECONNRESET\n")
        }
    }

    @Test("a rule on trial lets through what is too much, and records that it would not")
    func trial() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("mode: audit\n    rate: { limit: 1, per: hour }")
        try DaemonBed.with(settings) { bed in
            #expect(try bed.agent(Self.echoes(3)) == "ok ok ok\n")
            let reading = try bed.audit { $0.connections.count == 3 }
            let words = reading.connections.map { "\($0.text("decision")) \($0.text("would")) \($0.reason)" }
            #expect(words == ["allow  rule_allow", "allow deny rate_exceeded", "allow deny rate_exceeded"])
        }
    }

    @Test("without a file to count in, rules that count allow nothing, say why, and recover by themselves")
    func unavailable() throws {
        var settings = DaemonSettings()
        settings.policy = DaemonPolicy.text(
            """
              - name: free
                match: { cidrs: [203.0.113.8/32] }
                action: allow
              - name: counted
                match: { cidrs: [203.0.113.0/24] }
                action: allow
                rate: { limit: 1000, per: day }
            """
        )
        try DaemonBed.with(settings, start: false) { bed in
            let file = bed.folder.auditFolder + "/counters.sqlite"
            try NetworkNamespace.must(["mkdir", file])
            try bed.start(untilReady: false)
            let unready = try bed.health("/readyz", status: 503, containing: "counters: ")
            #expect(unready.contains("counters.sqlite") && unready.contains("allow nothing"), "\(unready)")
            #expect(try bed.agent("print(echo('203.0.113.8'), echo('203.0.113.7'))") == "ok ECONNRESET\n")
            let refused = try bed.audit { $0.connections.count == 2 }.connections.last
            #expect(refused?.reason == "counters_unavailable" && refused?.rule == "counted")
            #expect(try bed.metrics()["counters_writable"] == 0)
            try NetworkNamespace.must(["rmdir", file])
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            #expect(try bed.metrics()["counters_writable"] == 1)
        }
    }

    @Test("a policy on trial lets all of it through, cuts nothing, and records what it would not")
    func policyOnTrial() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("rate: { limit: 1, per: hour }\n    budget: { bytes_up: 1KiB }")
            .replacingOccurrences(of: "default:", with: "mode: audit\ndefault:")
        try DaemonBed.with(settings) { bed in
            let said = try bed.agent(
                """
                with dial("203.0.113.7", 7004) as s:
                    s.sendall(pattern(1 << 20)); s.shutdown(socket.SHUT_WR); print(read_all(s).decode()[:11])
                print(echo('203.0.113.7'))
                """
            )
            #expect(said == "got 1048576\nok\n")
            let reading = try bed.audit { $0.ends.count == 2 }
            let words = reading.connections.map { "\($0.text("decision")) \($0.text("would")) \($0.reason)" }
            #expect(words == ["allow  rule_allow", "allow deny rate_exceeded"])
        }
    }

    @Test("a full disk lets pass what is written off already, no more, and is recovered from")
    func full() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("budget: { requests: 100000 }")
        let disk = FileManager.default.temporaryDirectory.path + "/penstock-disk-\(UUID().uuidString)"
        try NetworkNamespace.must(["mkdir", disk])
        defer { try? FileManager.default.removeItem(atPath: disk) }
        let options = "size=512k,mode=700,uid=10880,gid=10880"
        try NetworkNamespace.must(["mount", "-t", "tmpfs", "-o", options, "penstock-test", disk])
        defer { _ = try? NetworkNamespace.must(["umount", "-l", disk]) }
        settings.statePath = disk
        try DaemonBed.with(settings) { bed in
            #expect(try bed.agent(Self.echoes(1)) == "ok\n")
            _ = try? NetworkNamespace.must(["dd", "if=/dev/zero", "of=\(disk)/ballast", "bs=4k", "count=200"])
            // A block is 3125 requests: when it is half spent, the next cannot be written.
            let many = "print(sorted(set(echo('203.0.113.7') for _ in range(4500))))"
            #expect(try bed.agent(many, seconds: 200) == "['ECONNRESET', 'ok']\n")
            #expect(try bed.health("/readyz", status: 503, containing: "counters: ").contains("disk is full"))
            let last = try bed.audit { $0.connections.count == 4501 }.connections.last
            #expect(last?.reason == "counters_unavailable")
            try NetworkNamespace.must(["rm", disk + "/ballast"])
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.agent(Self.echoes(1)) == "ok\n")
        }
    }

    @Test("questions to the API spend nothing, and are told what has nothing left")
    func questions() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("rate: { limit: 2, per: hour }")
        try DaemonBed.with(settings) { bed in
            let said = try bed.agent(
                """
                import urllib.request
                def check():
                    body = json.dumps({"action": "tcp.connect", "context": {"host": "203.0.113.7", "port": 7001}}).encode()
                    r = urllib.request.Request("http://127.0.0.1:8081/api/v1/check-policy", body,
                                               {"Content-Type": "application/json"})
                    try:
                        with urllib.request.urlopen(r) as answer: return json.load(answer)["allowed"]
                    except urllib.error.HTTPError as error: return error.code
                print({check() for _ in range(10)}, *[echo('203.0.113.7') for _ in range(3)], check())
                """
            )
            #expect(said == "{True} ok ok ECONNRESET False\n")
            let check = try bed.audit().lines.last { $0.kind == "check" }
            #expect(check?.reason == "rate_exceeded", "\(String(describing: check))")
        }
    }
}

extension DaemonCountersTests {
    @Test("who hides behind a socket that is closed already has no other budget to draw on")
    func hidden() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("budget: { requests: 3, by: workload }")
        try DaemonBed.with(settings) { bed in
            #expect(try bed.agent(Self.echoes(4)) == "ok ok ok ECONNRESET\n")
            // While the daemon stands still, the agent says all it has to say and is gone.
            bed.signal(SIGSTOP)
            let hide = """
                for _ in range(4):
                    with dial("203.0.113.7", 7002) as s: s.sendall(b"\\0" * 1000)
                print("gone")
                """
            #expect(try bed.agent(hide) == "gone\n")
            bed.signal(SIGCONT)
            let reading = try bed.audit { $0.connections.count == 8 }
            let reasons = reading.connections.suffix(4).map { "\($0.text("decision")) \($0.reason) \($0.rule)" }
            // A loop that has met the user knows whose it is by the note alone; to the other nobody can tell any more.
            #expect(reasons.count == 4)
            let expected: Set = ["deny undetermined counted", "deny budget_exhausted counted"]
            #expect(expected.isSuperset(of: reasons), "\(reasons)")
        }
    }

    @Test("a CONNECT is counted once, though it is judged twice, and one too much is told when to come again")
    func connects() throws {
        var settings = DaemonSettings()
        settings.policy = Self.policy("rate: { limit: 2, per: hour }")
        try DaemonBed.with(settings) { bed in
            let said = try bed.agent(
                """
                def connect():
                    s = dial("127.0.0.1", 15881)
                    s.sendall(b"CONNECT 203.0.113.7:7001 HTTP/1.1\\r\\nHost: 203.0.113.7:7001\\r\\n\\r\\n")
                    head = s.recv(4096).decode()
                    if " 200 " in head.split("\\r\\n")[0]:
                        s.sendall(b"\\0hello")
                        return "ok" if s.recv(100) == b"\\0hello" else "no echo"
                    return head.split(" ")[1] + " " + str("Retry-After: " in head)
                print([connect() for _ in range(3)])
                """
            )
            #expect(said == "['ok', 'ok', '429 True']\n")
            let reasons = try bed.audit { $0.connections.count == 3 }.connections.map(\.reason)
            #expect(reasons == ["rule_allow", "rule_allow", "rate_exceeded"])
        }
    }
}

@Suite("Requests of plain HTTP are counted one by one")
struct HTTPCountersTests {
    @Test("a request too much is told when to come again, and the connection goes on")
    func requests() throws {
        let rules = """
              - name: few
                match: { hosts: [allowed.example], ports: [8080], http: { paths: [/few] }, protocols: [http] }
                action: allow
                rate: { limit: 2, per: minute }
              - name: once
                match: { hosts: [allowed.example], ports: [8080], http: { paths: [/once] }, protocols: [http] }
                action: allow
                budget: { requests: 1 }
              - name: rest
                match: { hosts: [allowed.example], ports: [8080] }
                action: allow
            """
        try HTTPPod.with(rules) { bed in
            let said = try bed.agent(
                """
                c = dial()
                for path in ("/few", "/few", "/few", "/rest", "/once", "/once"):
                    answer = c.ask(*get(path)); print(why(answer), answer[1].get("retry-after", "-"))
                """
            )
            try #require(said.count == 6, "\(said)")
            #expect(said[0] == "200 -" && said[1] == "200 -" && said[3] == "200 -" && said[4] == "200 -", "\(said)")
            #expect(said[2].hasPrefix("429 rate_exceeded "), "\(said)")
            let seconds = said[2].split(separator: " ").last.flatMap { Int($0) } ?? 0
            #expect((20...30).contains(seconds), "\(said)")
            #expect(said[5] == "403 budget_exhausted -", "\(said)")
            let verdicts = try bed.requests(6).map(\.verdict)
            #expect(
                verdicts[2] == "deny rate_exceeded few" && verdicts[5] == "deny budget_exhausted once",
                "\(verdicts)"
            )
        }
    }

    /// 256 KiB up, and no more.
    private let littleBudget = """
          - name: little
            match: { hosts: [allowed.example], ports: [8080] }
            action: allow
            budget: { bytes_up: 256KiB }
        """

    @Test("what is sent after an upgrade is counted: a WebSocket is cut when the budget of bytes is used up")
    func upgrade() throws {
        try HTTPPod.with(littleBudget) { bed in
            let said = try bed.agent(
                """
                c = dial()
                c.send(*get("/upgrade"), "Connection: Upgrade", "Upgrade: websocket")
                print(c.until(b"\\r\\n").decode())
                try:
                    for _ in range(1024): c.raw(b"x" * 65536)  # more than all buffers hold
                    print("sent")
                except OSError as error: print(type(error).__name__)
                """
            )
            #expect(said.first == "HTTP/1.1 101 Switching Protocols" && !said.contains("sent"), "\(said)")
            let request = try #require(try bed.requests(1).first)
            #expect(request.end?["outcome"] == "cut" && request.end?["reason"] == "budget_exhausted", "\(request)")
            let sent = request.end?["bytes_up"].flatMap { Int($0) } ?? .max
            #expect(sent <= 256 << 10 && sent > 128 << 10, "\(sent)")
        }
    }

    @Test("a budget of bytes cuts an upload in its middle, chunked or not", arguments: ["length", "chunked"])
    func uploads(framing: String) throws {
        try HTTPPod.with(littleBudget) { bed in
            let said = try bed.agent(
                """
                c = dial()
                body = b"x" * (1 << 20)
                try:
                    if "\(framing)" == "length":
                        c.send("POST /up HTTP/1.1", "Host: allowed.example:8080", "Content-Length: %d" % len(body), body=body)
                    else:
                        c.send("POST /up HTTP/1.1", "Host: allowed.example:8080", "Transfer-Encoding: chunked")
                        for n in range(16): c.raw(b"10000\\r\\n" + body[:65536] + b"\\r\\n")
                        c.raw(b"0\\r\\n\\r\\n")
                    print(c.read()[0])
                except (OSError, EOFError) as error: print(type(error).__name__)
                """
            )
            #expect(!said.contains("200"), "\(said)")
            let request = try #require(try bed.requests(1).first)
            #expect(request.end?["outcome"] == "cut" && request.end?["reason"] == "budget_exhausted", "\(request)")
            let sent = request.end?["bytes_up"].flatMap { Int($0) } ?? .max
            #expect(sent <= 256 << 10 && sent > 128 << 10, "\(sent)")
        }
    }
}
