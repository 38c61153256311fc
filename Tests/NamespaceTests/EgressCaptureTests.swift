import Foundation
import Testing

@Suite("What gets past the daemon")
struct EgressCaptureTests {
    @Test("A01: the daemon's user with another group, and its group with another user, are captured and judged")
    func borrowedIdentity() throws {
        try GuardedPod.with { pod in
            var sourcePort = 21000
            for user in [RunAs(uid: 10880, gid: 2000), RunAs(uid: 2000, gid: 10880), RunAs(uid: 0, gid: 10880)] {
                for family in EgressFamily.allCases {
                    sourcePort += 1  // of its own: EgressPortReuseTests tell why
                    let port = ["--local-port", "\(sourcePort)"]
                    let (allowed, first) = try pod.recorded {
                        try pod.agent(
                            EgressClients.curl(family.name, at: family.allowed, port: 443, port),
                            as: user
                        )
                    }
                    #expect(allowed.output == "\(family.name) at \(family.allowed)\n", "\(allowed)")
                    #expect(first[0].verdict == "allow rule_allow allowed-names", "\(first)")
                    #expect(first[0]["workload.uid"] == "\(user.uid)", "\(first)")
                    let (denied, second) = try pod.recorded {
                        try pod.agent(EgressClients.curl("denied.example", at: family.denied), as: user)
                    }
                    #expect(denied.status == 35, "\(denied)")
                    #expect(second[0].verdict == "deny rule_deny denied-names", "\(second)")
                    #expect(try pod.world.arrivals(at: family.denied) == 0)
                }
            }
        }
    }

    @Test("A24: a host with IPv6 alone, and IPv4 inside an IPv6 socket, are judged like any other")
    func otherFamily() throws {
        try GuardedPod.with { pod in
            let (only, first) = try pod.recorded { try pod.agent(["curl", "-sS", "https://v6only.example/"]) }
            #expect(only.output == "v6only.example at 2001:db8:113::10\n", "\(only)")
            #expect(first[0]["destination.original"] == "[2001:db8:113::10]:443", "\(first)")
            #expect(first[0].verdict == "allow rule_allow allowed-names", "\(first)")
            let mapped = EgressClients.python("four.allowed.example", at: "::ffff:203.0.113.10")
            let (passed, second) = try pod.recorded { try pod.agent(mapped) }
            #expect(passed.output == "four.allowed.example at 203.0.113.10\n", "\(passed)")
            #expect(second[0]["destination.original"] == "203.0.113.10:443", "\(second)")
            let (refused, third) = try pod.recorded {
                try pod.agent(EgressClients.python("denied.example", at: "::ffff:203.0.113.20"))
            }
            #expect(!refused.succeeded, "\(refused)")
            #expect(third[0].verdict == "deny rule_deny denied-names", "\(third)")
            let (inner, fourth) = try pod.recorded {
                try pod.agent(EgressClients.python("allowed.example", at: "::ffff:10.0.0.1"))
            }
            #expect(!inner.succeeded, "\(inner)")
            #expect(fourth[0].verdict == "deny special_address allowed-names", "\(fourth)")
            #expect(try pod.world.arrivals(at: "203.0.113.20") + pod.world.arrivals(at: "10.0.0.1") == 0)
        }
    }

    @Test("A25: odd ports are captured, and none of them is a way out")
    func oddPorts() throws {
        try GuardedPod.with { pod in
            for family in EgressFamily.allCases {
                let ports = [0, 1, 53, 123, 853, 65535]
                let lines = ports.map { "show('\(family.allowed)', \($0), tls(b'allowed.example'))" }
                let (result, found) = try pod.recorded(ports.count) { try pod.python(lines.joined(separator: "\n")) }
                #expect(result.output == String(repeating: "alert 49\n", count: ports.count), "\(result)")
                #expect(found.verdicts == ["deny default_deny -"], "\(found)")
                let originals = found.map { $0["destination.original"] ?? "?" }
                let expected = ports.map { EgressClients.at(family.allowed, $0) }
                #expect(originals == expected)
                // A plain question of DNS over TCP, to a server that is no resolver of ours.
                let (dns, other) = try pod.recorded {
                    try pod.python("show('\(family.allowed)', 53, [bytes([0, 20]) + bytes(20)])")
                }
                #expect(dns.output == "reset\n", "\(dns)")
                #expect(other[0].verdict == "deny default_deny -", "\(other)")
                #expect(try pod.world.arrivals(at: family.allowed) == 0)
            }
        }
    }

    @Test("A27, A16: sockets bound to a device, connected anew, or to odd addresses, get nowhere unjudged")
    func oddSockets() throws {
        try GuardedPod.with { pod in
            try pod.net.world.shell("ip addr add fe80::1/64 dev eth0 nodad")
            let recorder = try EgressRecorder(pod, port: 8443)
            for family in EgressFamily.allCases {
                let (again, found) = try pod.recorded(2) {
                    try pod.python(
                        """
                        import ctypes
                        s = socket.socket(family(sys.argv[1])); s.settimeout(15)
                        s.connect(target(sys.argv[1], 8443)); s.sendall(tls(b"allowed.example")[0]); print(s.recv(99).decode())
                        ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)
                        s.connect(target(sys.argv[1], 8443)); s.sendall(tls(b"denied.example")[0]); print(classify(s.recv(99)))
                        """,
                        [family.allowed]
                    )
                }
                #expect(again.output == "served\nalert 49\n", "\(again)")
                #expect(found[0].verdict == "allow rule_allow allowed-names", "\(found)")
                #expect(found[1].verdict == "deny rule_deny denied-names", "\(found)")
            }
            let visits = recorder.visits(2).count
            let before = try pod.connections().count
            let bound = try pod.python(
                """
                bind = lambda s: s.setsockopt(socket.SOL_SOCKET, 25, b"eth0")
                hello = tls(b"denied.example")
                for address in ("203.0.113.10", "2001:db8:113::10", "127.0.0.1", "::1", "fe80::1%eth0"):
                    show(address, 8443, hello, prepare=bind, timeout=0.7)
                show("fe80::1%eth0", 8443, hello, timeout=0.7)
                for address in ("0.0.0.0", "::"): show(address, 8443, hello, timeout=0.7)
                """
            )
            let outcomes = Set(bound.output.split(separator: "\n"))
            let isClosed = outcomes.isSubset(of: ["silence", "ECONNREFUSED", "EPERM", "alert 49", "EHOSTUNREACH"])
            #expect(bound.succeeded && isClosed, "\(bound)")
            let judged = Array(try pod.connections().dropFirst(before))
            #expect(judged.values("decision").isSubset(of: ["deny"]), "\(judged)")
            #expect(recorder.visits().count == visits)
            #expect(try pod.world.arrivals(at: "fe80::1") == 0)
        }
    }

    @Test("A12, A11: what is older than the rules, or an answer, or related, is no way out")
    func oldFlows() throws {
        try GuardedPod.with { pod in
            try pod.net.world.startPython(
                """
                import socket, sys, threading, time
                def flow(c):
                    while True: c.sendall(b"tick"); time.sleep(0.1)
                def listen():
                    l = socket.socket(socket.AF_INET6); l.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                    l.bind(("::", 7000)); l.listen(); print("ready", flush=True)
                    while True: threading.Thread(target=flow, args=(l.accept()[0],), daemon=True).start()
                listen()
                """,
                as: RunAs(uid: 0, gid: 0)
            )
            let resolver = "--dns-server=\(EgressWorld.resolver)"
            let program = "\(pod.folder.path)/bin/penstock-init"
            try pod.pod.must([program, "remove"])
            let agent = try pod.startAgent([
                "python3", "-u", "-c",
                """
                import socket, sys, time
                flows = []
                for family, address in ((socket.AF_INET, "203.0.113.7"), (socket.AF_INET6, "2001:db8:99::7")):
                    tcp = socket.create_connection((address, 7000), 10); tcp.recv(9)
                    udp = socket.socket(family, socket.SOCK_DGRAM); udp.connect((address, 7001)); udp.send(b"first")
                    flows += [tcp, udp]
                print("ready")
                time.sleep(2)
                for s in flows:
                    for _ in range(3):
                        try: s.send(b"secret")
                        except OSError: pass
                        time.sleep(0.05)
                print("done"); time.sleep(30)
                """,
            ])
            #expect(agent.waitForOutput("ready"), "\(agent.errors)")
            try pod.pod.must([program, "install", resolver] + pod.handover.flags)
            try pod.net.countArrivals("old", "tcp dport 7000 tcp flags & (psh) == psh")
            try pod.net.countArrivals("datagrams", "udp dport 7001")
            #expect(agent.waitForOutput("done"), "\(agent.errors)")
            #expect(try pod.net.arrivals("old") == 0)
            #expect(try pod.net.arrivals("datagrams") == 0)
            // What the rules let through is the daemon's business again.
            let (result, _) = try pod.recorded {
                try pod.agent(EgressClients.curl("four.allowed.example", at: "203.0.113.10"))
            }
            #expect(result.output == "four.allowed.example at 203.0.113.10\n", "\(result)")
        }
    }

    @Test("E01, E04, A16: UDP is refused at once, to an allowed host too, however it is sent")
    func datagrams() throws {
        try GuardedPod.with { pod in
            let result = try pod.python(
                """
                targets = ["203.0.113.10", "2001:db8:113::10", "203.0.113.30", "2001:db8:113::30", "224.0.0.251",
                           "ff02::fb%eth0", "255.255.255.255", "198.51.100.255"]
                initial = bytes([0xc3, 0, 0, 0, 1, 8]) + bytes(1194)
                slowest = 0
                def tried(action):
                    global slowest
                    best = 9
                    for _ in range(5):  # the best of five: a busy machine is not what is measured
                        began = time.monotonic()
                        try: action(); print("sent")
                        except OSError as error:
                            if error.errno not in (errno.EPERM, errno.ECONNREFUSED, errno.EACCES, errno.EHOSTUNREACH):
                                print(name_of(error))
                        best = min(best, time.monotonic() - began)
                    slowest = max(slowest, best)
                for address in targets:
                    for port in (443, 8443, 53, 123, 3478):
                        s = socket.socket(family(address), socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, 6, 1)
                        tried(lambda: s.sendto(initial, target(address, port)))
                        tried(lambda: s.sendmsg([initial], [], 0, target(address, port)))
                        c = socket.socket(family(address), socket.SOCK_DGRAM); c.setsockopt(socket.SOL_SOCKET, 6, 1)
                        c.connect(target(address, port))
                        tried(lambda: c.send(initial))
                g = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); g.setsockopt(17, 103, 1200)
                tried(lambda: g.sendto(initial * 4, ("203.0.113.10", 443)))
                print("at once" if slowest < 0.1 else "after %.3f s" % slowest)
                """
            )
            #expect(result.output == "at once\n", "\(result)")
            #expect(try pod.world.arrivals().isEmpty)
            let records = try pod.connections()
            #expect(records.isEmpty, "\(records)")
        }
    }
}
