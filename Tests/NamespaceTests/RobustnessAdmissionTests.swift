import Foundation
import Testing

@Suite("What comes while nothing can be recorded, or too much is asked")
struct RobustnessAdmissionTests {
    @Test(
        "G06: what comes while the disk is full waits ten seconds, is refused with audit_unavailable, and is told of later"
    )
    func refusedAfterWaiting() throws {
        try DaemonBed.with(start: false) { bed in
            try bed.folder.mountAudit(kibibytes: 64)
            try bed.start()
            try NetworkNamespace.must([
                "sh", "-c", "dd if=/dev/zero of=\(bed.folder.auditFolder)/filler bs=4k 2>/dev/null || true",
            ])
            _ = try bed.agent("while echo('203.0.113.7', timeout=3) == 'ok': pass")
            #expect(try bed.metrics()["audit_state{state=\"stalled\"}"] == 1)
            let began = Date()
            #expect(try bed.agent("print(echo('203.0.113.8', timeout=40))") == "ECONNRESET\n")
            let waited = Date().timeIntervalSince(began)
            #expect((8...30).contains(waited), "\(waited)")
            #expect(try !bed.arrivals().contains("203.0.113.8"))
            let answered = try bed.agent(
                """
                s = dial("203.0.113.10", 80); s.settimeout(40)
                s.sendall(b"GET / HTTP/1.1\\r\\nHost: 203.0.113.10\\r\\n\\r\\n")
                print(s.recv(12).decode())
                """
            )
            #expect(answered == "HTTP/1.1 503\n", "what speaks HTTP is told that it is nothing of its own")
            try NetworkNamespace.must(["rm", bed.folder.auditFolder + "/filler"])
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.agent("print(echo('203.0.113.9'))") == "ok\n")
            #expect(bed.end() == 0)
            let refused = try bed.audit().connections(to: "203.0.113.8")
            #expect(refused.map(\.reason) == ["audit_unavailable"] && refused.map(\.isAllowed) == [false])
            try expectSound(bed)
        }
    }

    @Test(
        "beyond its decisions a second a user waits for its turn; whose turn is too far away is refused with decision_rate"
    )
    func paced() throws {
        try DaemonBed.with(DaemonSettings(workers: 1, limits: "decisions_per_second: 10, sniff_seconds: 2")) { bed in
            // While it is stopped all of them come, so that to the daemon they come in one moment.
            bed.signal(SIGSTOP)
            let agent = try bed.startAgent(
                """
                sockets = [dial(f"2001:db8:99::{n:x}", 7001) for n in range(1, 61)]
                for s in sockets: s.sendall(b"\\0hello")
                print("ready", flush=True)
                results = []
                for s in sockets:
                    try: results.append("ok" if s.recv(100) else "closed")
                    except OSError as error: results.append(name(error))
                print({r: results.count(r) for r in sorted(set(results))})
                """
            )
            bed.signal(SIGCONT)
            let results = agent.wait().output
            let reading = try bed.audit { $0.connections.count >= 60 }
            let refused = reading.connections.filter { $0.reason == "decision_rate" }
            // A second's worth at once, two seconds' worth by waiting.
            #expect((20...40).contains(refused.count), "\(refused.count) \(results)")
            #expect(results.hasPrefix("ready\n{'ECONNRESET': \(refused.count)"), "\(results)")
            #expect(reading.connections.count(where: \.isAllowed) + refused.count == 60)
            #expect(try bed.arrivals().isDisjoint(with: Set(refused.map(\.original))))
            sleep(3)
            #expect(try bed.agent("print(echo('203.0.113.9'))") == "ok\n", "its turn comes again")
        }
    }

    @Test("CONNECT takes its turn before it is judged on its authority, and no other for what is said inside")
    func pacedConnect() throws {
        try DaemonBed.with(DaemonSettings(workers: 1, limits: "decisions_per_second: 10, sniff_seconds: 2")) { bed in
            bed.signal(SIGSTOP)
            let agent = try bed.startAgent(
                """
                def asked(n):
                    s = dial("127.0.0.1", 15881)
                    s.sendall(b"CONNECT 203.0.113.7:7001 HTTP/1.1\\r\\nHost: 203.0.113.7:7001\\r\\n\\r\\n"); return s
                sockets = [asked(n) for n in range(60)]
                print("ready", flush=True)
                results = []
                for s in sockets:
                    status = s.recv(999).split(b" ")[1].decode()
                    if status == "200": s.sendall(b"\\0hello"); status = "ok" if s.recv(100) else "closed"
                    results.append(status)
                print({r: results.count(r) for r in sorted(set(results))})
                """
            )
            bed.signal(SIGCONT)
            let results = agent.wait().output
            let reading = try bed.audit { $0.connections.count >= 60 }
            let refused = reading.connections.filter { $0.reason == "decision_rate" }
            // Two turns for each would have let half as many through.
            #expect((20...40).contains(refused.count), "\(refused.count) \(results)")
            #expect(results == "ready\n{'429': \(refused.count), 'ok': \(60 - refused.count)}\n", "\(results)")
            #expect(reading.connections.count(where: \.isAllowed) + refused.count == 60)
            try expectSound(bed)
        }
    }
}
