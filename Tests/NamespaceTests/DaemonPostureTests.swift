import Foundation
import Testing

@Suite("Posture, and penstock doctor")
struct DaemonPostureTests {
    @Test("with a watcher the boundary is strong: an agent's connection is denied and recorded, its datagram refused")
    func strong() throws {
        try DaemonBed.withAdmin { bed in
            _ = try bed.startWatcher()
            #expect(try bed.ruleset(until: "verified"))
            try bed.folder.write(DaemonPolicy.namesOnly, to: bed.folder.policy)
            bed.signal(SIGHUP)
            _ = try bed.audit { $0.events("policy").count == 2 }
            // The daemon's user sees it all, and tries nothing.
            let inside = try bed.doctor(as: .daemon)
            #expect(inside.boundary == "strong" && inside.status == 0, "\(inside.text)")
            #expect(inside.checks["self-test"] == "skipped" && inside.checks["dns"] == "ok")
            let outside = try bed.doctor()
            #expect(outside.boundary == "strong" && outside.status == 0, "\(outside.text)")
            for name in ["self-test ipv4", "self-test ipv6", "udp-test ipv4", "udp-test ipv6", "ruleset", "udp"] {
                #expect(outside.checks[name] == "ok", "\(name): \(outside.text)")
            }
            let reading = try bed.audit()
            let denied = reading.lines.filter { $0.text("decision") == "deny" }
            #expect(denied.count >= 2)
            let postures = reading.lines.filter { $0.event == "posture" }.map { $0.text("boundary") }
            #expect(postures.first == "weak" && postures.last == "strong", "\(postures)")
        }
    }

    @Test("A08: without a watcher the boundary is weak, and says so; without rules the self-test sees what goes out")
    func weak() throws {
        try DaemonBed.withAdmin { bed in
            let first = try bed.doctor()
            #expect(first.boundary == "weak" && first.status == 1, "\(first.text)")
            #expect(first.checks["ruleset"] == "weak" && first.details["ruleset"]?.hasPrefix("unwatched") == true)
            try bed.net.pod.must([Built.path("penstock-init"), "remove"])
            let second = try bed.doctor()
            #expect(second.checks["self-test ipv4"] == "failed" && second.checks["udp-test ipv6"] == "failed")
            #expect(second.status == 1)
        }
    }

    @Test("A13, A17, A37: strangers as the daemon's user, on its ports, and on abstract sockets are seen")
    func strangers() throws {
        try DaemonBed.withAdmin { bed in
            let before = try bed.doctor(as: .daemon)
            #expect(before.checks["sockets"] == "ok" && before.checks["listeners"] == "ok", "\(before.text)")
            let program = """
                import socket, sys, time
                s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen()
                u = socket.socket(socket.AF_UNIX); u.bind("\\0penstock-test-" + sys.argv[1]); u.listen()
                print("ready", flush=True); time.sleep(60)
                """
            try bed.net.pod.startPython(program, ["5555"], as: .daemon)
            try bed.net.pod.startPython(program, ["15853"], as: .agent)
            let after = try bed.doctor(as: .daemon)
            #expect(after.checks["sockets"] == "weak" && after.checks["listeners"] == "weak", "\(after.text)")
            #expect(after.details["sockets"]?.contains("port 5555") == true)
            #expect(after.details["listeners"]?.contains("port 15853 is also listened on by UID 2000") == true)
            #expect(after.checks["unix"] == "note")
            #expect(after.details["unix"]?.contains("@penstock-test-") == true, "\(after.text)")
        }
    }

    @Test("A37: thousands of connections and of listeners hide no stranger, and do not make the daemon's own seem lost")
    func crowds() throws {
        try DaemonBed.withAdmin { bed in
            let crowd = """
                import os, resource, socket, time
                resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
                def listen(address, port=0, backlog=1):
                    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind((address, port)); s.listen(backlog); return s
                server = listen("127.0.0.1")
                for _ in range(3000):
                    client = socket.create_connection(server.getsockname())
                    server.accept()[0].close(); client.close()
                end, life = os.pipe()
                def many(address):
                    r, w = os.pipe()
                    if os.fork():
                        os.close(w); assert os.read(r, 1); return
                    os.close(life)
                    kept = [listen(address) for _ in range(3000)]
                    os.write(w, b"."); os.read(end, 1); os._exit(0)

                """
            try bed.net.pod.startPython(crowd + "print('ready', flush=True); time.sleep(60)")
            let first = try bed.doctor(as: .daemon)
            #expect(first.checks["listeners"] == "ok" && first.checks["sockets"] == "ok", "\(first.text)")
            try bed.net.pod.startPython(
                crowd + "for n in range(7): many(f'127.0.1.{n + 1}')\nprint('ready', flush=True); time.sleep(60)"
            )
            let second = try bed.doctor(as: .daemon)
            #expect(second.checks["listeners"] == "ok" && second.checks["sockets"] == "weak", "\(second.text)")
            let detail = "more than 20000 listening sockets: too many to be looked through"
            #expect(second.details["sockets"] == detail, "\(second.text)")
            try bed.net.pod.startPython(
                crowd + "s = listen('127.0.0.2', 15853); print('ready', flush=True); time.sleep(60)"
            )
            let third = try bed.doctor(as: .daemon)
            #expect(third.checks["listeners"] == "weak", "\(third.text)")
            #expect(third.details["listeners"]?.contains("port 15853 is also listened on by UID 2000") == true)
        }
    }

    @Test("A37: what the kernel does not list is said to be unknown, and never taken for nothing")
    func unlisted() throws {
        try DaemonBed.withAdmin { bed in
            _ = try bed.audit { $0.events("lifecycle").contains("posture") }
            // No descriptor is left to ask the kernel with, at the next look, which comes after 10 s.
            try NetworkNamespace.must([
                "sh", "-ec",
                """
                n=0; while [ -e /proc/\(bed.pid)/fd/$n ]; do n=$((n + 1)); done
                setpriv --reuid 10880 --regid 10880 --clear-groups prlimit --pid \(bed.pid) --nofile=$n:
                """,
            ])
            let last = try bed.audit { $0.events("lifecycle").filter { $0 == "posture" }.count == 2 }.lines.last {
                $0.event == "posture"
            }
            let checks = last?.object["checks"] as? [[String: Any]] ?? []
            let identity = checks.first { $0["name"] as? String == "identity" }?["detail"] as? String ?? ""
            #expect(identity.hasPrefix("the capabilities of the daemon are unknown"), "\(checks)")
            for name in ["listeners", "sockets", "unix"] {
                let check = checks.first { $0["name"] as? String == name }
                let (status, detail) = (check?["status"] as? String, check?["detail"] as? String ?? "")
                #expect(status == (name == "unix" ? "note" : "weak"), "\(name): \(checks)")
                #expect(detail.contains("the kernel does not list listening") && detail.contains("(24)"), "\(detail)")
            }
        }
    }

    @Test("the health port tells the posture as JSON, without a secret")
    func overHTTP() throws {
        try DaemonBed.withAdmin { bed in
            let answer = try bed.health("/readyz?format=json", status: 200)
            #expect(
                answer.hasPrefix("200\n{\"v\":1,\"boundary\":\"weak\",\"ready\":true,\"problems\":[],"),
                "\(answer)"
            )
            for secret in ["sha256", "203.0.113", "2001:db8", bed.folder.path] {
                #expect(!answer.contains(secret), "\(answer)")
            }
            let table = try bed.net.pod.run([Built.path("penstock"), "doctor", "--no-self-test"], uid: 2000)
            #expect(table.status == 1)
            for line in [
                "penstockd ", "  weak     ruleset    unwatched: no watcher has reported since the start\n",
                "    help: run `",
                "\nready: yes\nboundary: weak\n  because of ruleset: unwatched",
            ] {
                #expect(table.output.contains(line), "\(line) in \(table.output)")
            }
            bed.kill()
            let dead = try bed.doctor()
            #expect(dead.status == 69 && dead.text.contains("the daemon cannot be asked"), "\(dead.text)")
        }
    }

    @Test("the first record of the posture comes when the trail has been read back, and finds nothing wrong with it")
    func firstLook() throws {
        try DaemonBed.withAdmin { bed in
            // On a file that was not there, and on one that was left in order, or not.
            for starts in 1...3 {
                let check = #"{"name":"audit","status":"ok","detail":"records are written""#
                let answer = try bed.health("/readyz?format=json", status: 200, containing: check, seconds: 5)
                #expect(answer.contains(check), "\(answer)")
                let reading = try bed.audit { $0.events("lifecycle").count { $0 == "posture" } >= starts }
                let postures = reading.lines.filter { $0.event == "posture" }
                let trails = postures.flatMap { $0.object["checks"] as? [[String: Any]] ?? [] }
                    .filter { $0["name"] as? String == "audit" }
                #expect(postures.count == starts, "\(postures)")
                let statuses = trails.map { $0["status"] as? String }
                #expect(statuses == Array(repeating: "ok", count: starts), "\(trails)")
                if starts == 1 { bed.end() } else { bed.kill() }
                if starts < 3 { try bed.start() }
            }
        }
    }

    @Test("a pod without IPv6: the daemon runs, says so, and nothing leaks when IPv6 comes up later")
    func withoutIPv6() throws {
        try DaemonBed.withAdmin(start: false) { bed in
            try bed.net.pod.shell("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
            try bed.install()
            try bed.start()
            #expect(bed.says("IPv6 is not available in this pod: not listened on"), "\(bed.said)")
            #expect(!bed.said.contains("held by"), "\(bed.said)")
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            let first = try bed.doctor()
            #expect(first.details["ipv6"]?.hasPrefix("not available in this pod") == true, "\(first.text)")
            #expect(first.checks["self-test ipv6"] == "skipped", "\(first.text)")
            try bed.forgetArrivals()
            try bed.net.pod.shell(
                """
                for f in all default lo eth0; do echo 0 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done
                ip -6 addr add \(PodAndWorld.podIPv6)/64 dev eth0 nodad || true
                ip -6 route add default via \(PodAndWorld.worldIPv6) || true
                ip -6 addr add ::1/128 dev lo 2>/dev/null || true
                """
            )
            let answer = try bed.agent("print(echo('2001:db8:99::7', timeout=5))")
            // By TPROXY the way back to this machine has gone with the device's addresses: what is marked is dropped on the wire.
            let isRefused = answer == "ECONNREFUSED\n" || (bed.handover == .tproxy && answer == "timeout\n")
            #expect(isRefused, "\(answer)")
            #expect(try bed.arrivals().isEmpty)
            let second = try bed.doctor(as: .daemon)
            #expect(second.details["ipv6"]?.hasPrefix("came up after the start") == true, "\(second.text)")
        }
    }
}
