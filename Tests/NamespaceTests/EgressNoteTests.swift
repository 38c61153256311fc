import Foundation
import Testing

/// Whose a connection is stands in its first segment: what the kernel tells later, of its port and of where it went, may be of another.
@Suite("Whose a connection is, as the rules note it")
struct EgressNoteTests {
    private static let byUser = """
          - name: by-user
            match: { hosts: [allowed.example], ports: [443], workload: { uids: [2000] } }
            action: allow
        """

    /// A reset that conntrack sees and the daemon's kernel does not: conntrack forgets a connection that goes on.
    ///
    /// The socket is bound to a device by which nothing captured leaves. What it had said waits at the daemon still, from a port that the
    /// kernel now takes for that of a connection to where the victim is connected, from the victim's own port.
    private static let impostor = """
        def rows(): return [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
        def port(place): return int(place.split(":")[1], 16)
        victim, other, place = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        def from_port(s, number): s.setsockopt(socket.IPPROTO_IP, 51, struct.pack("I", number | number << 16))
        hello = tls(b"allowed.example")[0]
        one = socket.socket(); from_port(one, victim); one.connect((other, 443)); one.sendall(hello); time.sleep(0.05)
        given = [port(row[2]) for row in rows() if port(row[1]) == 15880 and int(row[4].split(":")[1], 16) == len(hello)][0]
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); one.close(); time.sleep(0.05)
        two = socket.socket(); from_port(two, victim); two.setblocking(False); two.connect_ex((other, 443)); time.sleep(0.05); two.close()
        deaf = socket.socket(); deaf.setsockopt(socket.IPPROTO_IP, 21, 255); deaf.bind(("", given))
        deaf.setblocking(False); deaf.connect_ex((place, 443)); time.sleep(0.05)
        print("given", given != victim, flush=True); time.sleep(60)
        """

    @Test("B18: what a user has said is not taken for another's, though the kernel tells of the other's connection")
    func impostor() throws {
        try GuardedPod.with(Self.byUser, handover: .redirect) { pod in
            let victim = try pod.startAgent(
                [
                    "python3", "-c",
                    EgressClients.kit + """
                        s = socket.create_connection(("203.0.113.10", 443))
                        s = ssl.create_default_context().wrap_socket(s, server_hostname="allowed.example")
                        print("port", s.getsockname()[1], flush=True); time.sleep(60)
                        """,
                ]
            )
            #expect(victim.waitForOutput("\n"), "\(victim.errors)")
            let port = try #require(victim.output.split(whereSeparator: \.isWhitespace).last)
            pod.daemon.signal(SIGSTOP)
            defer { pod.daemon.signal(SIGCONT) }
            let impostor = try pod.startAgent(
                ["python3", "-c", EgressClients.kit + Self.impostor, String(port), "203.0.113.20", "203.0.113.10"],
                as: RunAs(uid: 2001, gid: 2001)
            )
            #expect(impostor.waitForOutput("given True"), "\(impostor.errors)")
            pod.daemon.signal(SIGCONT)
            _ = BackgroundProcess.poll(seconds: 60) {
                ((try? pod.auditRecords()) ?? []).count { $0["kind"] == "connection" } >= 2
            }
            victim.stop()
            impostor.stop()
            let records = try pod.connections(2)
            let stolen = records.filter { $0["client"]?.hasSuffix(":\(port)") ?? false }
            #expect(stolen.count >= 2, "\(records)")
            let allowed = records.filter { $0["decision"] == "allow" }
            #expect(allowed.count == 1, "\(records)")
            let users = records.values("workload.uid")
            #expect(Set(users).isSubset(of: ["2000", "2001", "null"]), "\(records)")
            let ofVictim = records.filter { $0["workload.uid"] == "2000" }
            #expect(ofVictim.count == 1, "\(records)")
        }
    }

    @Test("B18: whom the policy names is known by the note of a first connection, though its socket is closed already")
    func goneAtOnce() throws {
        try GuardedPod.with(Self.byUser, handover: .redirect) { pod in
            pod.daemon.signal(SIGSTOP)
            defer { pod.daemon.signal(SIGCONT) }
            for user: UInt32 in [2001, 2000] {
                let agent = try pod.startAgent(
                    [
                        "python3", "-c",
                        EgressClients.kit + """
                            s = socket.create_connection(("203.0.113.10", 443)); s.sendall(tls(b"allowed.example")[0]); s.close()
                            """,
                    ],
                    as: RunAs(uid: user, gid: user)
                )
                #expect(agent.wait().status == 0, "\(agent.errors)")
            }
            pod.daemon.signal(SIGCONT)
            let records = try pod.connections(2)
            let allowed = records.filter { $0["decision"] == "allow" }
            #expect(allowed.values("workload.uid") == ["2000"], "\(records)")
            // Nobody is told apart from a user whom no rule names and nobody has met.
            let refused = records.filter { $0["decision"] == "deny" }
            #expect(refused.values("workload.uid") == ["null"], "\(records)")
        }
    }
}
