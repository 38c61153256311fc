import Foundation
import Testing

/// The kernel gives one source port to several connections of an agent if they go to different destinations.
///
/// Behind the redirect all of them have the same destination; by TPROXY each keeps its own.
@Suite("One source port for several destinations")
struct EgressPortReuseTests {
    static let program = """
        reuse = lambda s: (s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), s.bind(("", 25000)))

        """

    @Test(
        "the owner of a connection is known though another one has its source port",
        arguments: EgressFamily.allCases,
        Handover.allCases
    )
    func owner(family: EgressFamily, handover: Handover) throws {
        try GuardedPod.with(handover: handover) { pod in
            let (result, found) = try pod.recorded(2) {
                try pod.python(
                    Self.program + """
                        sockets = []
                        hello = tls(b"denied.example")[0]
                        for address in sys.argv[1:]:
                            s = socket.socket(family(address)); reuse(s); s.connect(target(address, 443)); sockets.append(s)
                        for s in sockets: s.sendall(hello); print(classify(s.recv(99)))
                        """,
                    [family.denied, family.attacker]
                )
            }
            #expect(result.output == "alert 49\nalert 49\n", "\(result)")
            let owners = found.values("workload.uid")
            #expect(owners == ["2000"], "\(found)")
        }
    }

    /// What the agent has closed waits under its own port for a minute, and belongs to nobody.
    ///
    /// Only who says first that it ends waits: its hello and its end are one segment, so that the server cannot be first.
    @Test(
        "the owner is known though an earlier connection to the same place is still remembered",
        arguments: EgressFamily.allCases,
        Handover.allCases
    )
    func remembered(family: EgressFamily, handover: Handover) throws {
        try GuardedPod.with(handover: handover) { pod in
            let (result, found) = try pod.recorded(3) {
                try pod.python(
                    Self.program + """
                        first = tls(b"denied.example")[0]
                        def to(address): s = socket.socket(family(address)); reuse(s); s.connect(target(address, 443)); return s
                        with socket.socket(family(sys.argv[2])) as closed:
                            closed.connect(target(sys.argv[2], 443))
                            closed.send(tls(b"allowed.example")[0], socket.MSG_MORE); closed.shutdown(socket.SHUT_WR)
                            port = ":%04X" % closed.getsockname()[1]
                            while closed.recv(99): pass
                        tables = [line.split() for name in ("tcp", "tcp6") for line in open("/proc/net/" + name)]
                        print(len([row for row in tables if row[3] == "06" and row[1].endswith(port)]))
                        sockets = [to(address) for address in sys.argv[1:]]
                        for s in sockets: s.sendall(first); print(classify(s.recv(99)))
                        """,
                    [family.denied, family.allowed]
                )
            }
            #expect(result.output == "1\nalert 49\nalert 49\n", "\(result)")
            #expect(found.values("workload.uid") == ["2000"], "\(found)")
        }
    }

    /// After an alert the daemon closes first, so that its socket waits (TIME_WAIT, a minute) while the agent's port is free.
    ///
    /// A SYN from that port whose number lies behind the last one's looks like an old segment. The kernel answers with an ACK, hears
    /// a reset, and takes the SYN when it is repeated, which is at once; without that ACK it is repeated in vain for a minute. By
    /// chance this is one connection in thousands, so the numbers are chosen here (TCP_REPAIR). By TPROXY the kernel looks for the
    /// listener before it asks what waits, and takes the SYN as it comes.
    @Test(
        "a SYN that meets the daemon's TIME_WAIT is taken at once, not in a minute",
        arguments: EgressFamily.allCases,
        Handover.allCases
    ) func timeWait(family: EgressFamily, handover: Handover) throws {
        try GuardedPod.with(handover: handover) { pod in
            try pod.pod.shell("sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_tw_reuse=0")
            let result = try pod.python(
                """
                REPAIR, REPAIR_QUEUE, QUEUE_SEQ, SEND_QUEUE = 19, 20, 21, 2
                address, tcp, times = sys.argv[1], socket.IPPROTO_TCP, []
                def one(port, number):
                    s = socket.socket(family(address)); s.settimeout(12)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", port))
                    s.setsockopt(tcp, REPAIR, 1); s.setsockopt(tcp, REPAIR_QUEUE, SEND_QUEUE)
                    s.setsockopt(tcp, QUEUE_SEQ, number); s.setsockopt(tcp, REPAIR, 0)
                    # Repairing has cleared it, and who waits for its last acknowledgement would keep the port from the next.
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    start = time.time()
                    try:
                        s.connect(target(address, 443)); times.append(time.time() - start)
                        s.sendall(tls(b"denied.example")[0]); data = b""
                        while more := s.recv(99): data += more
                        return classify(data)
                    except OSError as error: return name_of(error)
                    finally: s.close()
                def resets():
                    names, values = [line.split() for line in open("/proc/net/snmp") if line.startswith("Tcp:")]
                    return int(values[names.index("OutRsts")])
                before = resets()
                def rounds(port, answers):
                    for number in (2000000000, 1500000000, 1000000000): answers.append(one(port, number))
                answers = []
                threads = [threading.Thread(target=rounds, args=(25000 + n, answers)) for n in range(40)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
                met = resets() - before >= 80 or sys.argv[2] == "tproxy"
                print(sorted(set(answers)), len(times), met, max(times) < 6)
                """,
                [family.denied, handover.rawValue],
                as: RunAs(uid: 2000, gid: 2000, capabilities: ["net_admin"]),
                seconds: 90
            )
            #expect(result.output == "['alert 49'] 120 True True\n", "\(result)")
        }
    }

    /// Behind a redirect a connection may have any free port, and somebody else's socket may have that one for its own.
    @Test(
        "B18: whose a connection is does not hang on the port that the redirect gave it",
        arguments: EgressFamily.allCases
    )
    func foreignPort(family: EgressFamily) throws {
        let rules = """
              - name: by-user
                match: { hosts: [allowed.example], ports: [443], workload: { uids: [2000] } }
                action: allow
            """
        try GuardedPod.with(rules, handover: .redirect) { pod in
            // Nobody accepts while all of this is made.
            pod.daemon.signal(SIGSTOP)
            defer { pod.daemon.signal(SIGCONT) }
            let intruder = try pod.startAgent(
                ["python3", "-c", EgressClients.kit + Self.program + Self.intruder] + [family.denied, family.allowed],
                as: RunAs(uid: 2001, gid: 2001)
            )
            #expect(intruder.waitForOutput("given"), "\(intruder.errors)")
            let port = try #require(intruder.output.split(separator: " ").dropFirst().first).trimmingCharacters(
                in: .newlines
            )
            let owner = try pod.startAgent(
                ["python3", "-c", EgressClients.kit + Self.program + Self.owner] + [family.allowed, port]
            )
            #expect(owner.waitForOutput("connected"), "\(owner.errors)")
            pod.daemon.signal(SIGCONT)
            // That the hello lacks something the server says itself.
            #expect(owner.wait().output == "connected\nalert 109\n")
            #expect(intruder.wait().output == "given \(port)\nalert 49\nalert 49\n")
            let records = try pod.connections(3)
            let found = Set(records.map { "\($0["workload.uid"] ?? "-") \($0["decision"] ?? "-")" })
            #expect(found == ["2000 allow", "2001 deny"], "\(records)")
            let ports = Set(records.map { $0["client"]?.split(separator: ":").last.map(String.init) ?? "-" })
            #expect(ports == ["25000", port], "the ports of the clients' own sockets")
        }
    }

    /// Opens two connections from one port, and says which port the redirect has given the second of them.
    private static let intruder = """
        sockets = []
        for address in sys.argv[1:]:
            s = socket.socket(family(address)); reuse(s); s.connect(target(address, 443)); sockets.append(s)
        tables = [line.split() for name in ("tcp", "tcp6") for line in open("/proc/net/" + name)]
        given = [row[2].split(":")[1] for row in tables if row[1].endswith(":3E08")]
        print("given", *[int(port, 16) for port in given if port not in ("61A8", "0000")], flush=True)
        for s, name in zip(sockets, (b"denied.example", b"allowed.example")): s.sendall(tls(name)[0])
        for s in sockets: print(classify(s.recv(99)))
        """

    /// Has that port for its own, and is somebody else.
    private static let owner = """
        s = socket.socket(family(sys.argv[1])); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", int(sys.argv[2]))); s.connect(target(sys.argv[1], 443)); print("connected", flush=True)
        s.sendall(tls(b"allowed.example")[0]); print(classify(s.recv(99)))
        """

    private static let byUser = """
          - name: by-user
            match: { hosts: [allowed.example], ports: [443], workload: { uids: [2000] } }
            action: allow
        """

    /// Without the note the port that is seen may be another socket's: no rule that asks for users may hang on that.
    @Test(
        "the owner is known beside an upstream to the same place; by rules that note no ports it is nobody to rules",
        arguments: [true, false]
    ) func besideUpstream(hasNotes: Bool) throws {
        try GuardedPod.with(Self.byUser, handover: .redirect) { pod in
            if !hasNotes {
                let chain = try pod.pod.must(["nft", "-a", "list", "chain", "inet", "penstock", "fence"])
                let notes = chain.split(separator: "\n").filter { $0.contains("ackseq") }
                #expect(notes.count == 2, "\(chain)")
                for note in notes {
                    let handle = try #require(note.split(separator: " ").last)
                    try pod.pod.must(["nft", "delete", "rule", "inet", "penstock", "fence", "handle", String(handle)])
                }
            }
            let said = try pod.python(
                Self.program + """
                    trust = ssl.create_default_context()
                    def asked(s):
                        try: return trust.wrap_socket(s, server_hostname="allowed.example")
                        except ssl.SSLError as error: return error
                    first = asked(socket.create_connection(target(sys.argv[1], 443)))
                    sockets = []
                    for address in sys.argv[2], sys.argv[1]:
                        s = socket.socket(family(address)); reuse(s); s.connect(target(address, 443)); sockets.append(s)
                    others = [asked(s) for s in reversed(sockets)]
                    print(*[s.version() if isinstance(s, ssl.SSLSocket) else "refused" for s in [first] + others])
                    """,
                ["203.0.113.10", "203.0.113.20"]
            )
            let answer = hasNotes ? "TLSv1.3 TLSv1.3 TLSv1.3\n" : "refused refused refused\n"
            #expect(said.output == answer, "\(said)")
            let owners = try pod.connections(3).values("workload.uid")
            #expect(owners == [hasNotes ? "2000" : "null"])
        }
    }

    @Test("an owner that was only seen on a port is forgotten when a policy comes that asks for users")
    func forgotten() throws {
        let open = "  - { name: open, match: { hosts: [allowed.example], ports: [80] }, action: allow }\n"
        try GuardedPod.with(open, handover: .redirect) { pod in
            let chain = try pod.pod.must(["nft", "-a", "list", "chain", "inet", "penstock", "fence"])
            for note in chain.split(separator: "\n").filter({ $0.contains("ackseq") }) {
                let handle = try #require(note.split(separator: " ").last)
                try pod.pod.must(["nft", "delete", "rule", "inet", "penstock", "fence", "handle", String(handle)])
            }
            let agent = try pod.startAgent(
                [
                    "python3", "-c",
                    EgressClients.kit + """
                        s = socket.create_connection(target("203.0.113.10", 80))
                        def ask():
                            s.sendall(b"GET / HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n")
                            data = s.recv(9999); print(data.split()[1].decode(), flush=True)
                        ask()
                        while not os.path.exists(sys.argv[1]): time.sleep(0.05)
                        ask()
                        """,
                    pod.folder.path + "/go",
                ]
            )
            #expect(agent.waitForOutput("200"), "\(agent.output) \(agent.errors)")
            try pod.reload(Self.byUser.replacing("[443]", with: "[80]"))
            try Data().write(to: pod.folder.appending(path: "go"))
            #expect(agent.wait().output == "200\n403\n")
        }
    }

    /// What is gone has left its port, and what it said, behind.
    @Test(
        "B18: who takes the port of a connection that is dead is not taken for its owner",
        arguments: EgressFamily.allCases
    ) func deadConnection(family: EgressFamily) throws {
        try GuardedPod.with(Self.byUser) { pod in
            pod.daemon.signal(SIGSTOP)
            defer { pod.daemon.signal(SIGCONT) }
            let dead = try pod.python(
                Self.program + """
                    s = socket.socket(family(sys.argv[1])); reuse(s); s.connect(target(sys.argv[1], 443))
                    s.sendall(tls(b"allowed.example")[0])
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close(); print("dead")
                    """,
                [family.allowed],
                as: RunAs(uid: 2001, gid: 2001)
            )
            #expect(dead.output == "dead\n", "\(dead)")
            let command = ["python3", "-c", EgressClients.kit + Self.program + Self.owner]
            let owner = try pod.startAgent(command + [family.allowed, "25000"])
            #expect(owner.waitForOutput("connected"), "\(owner.errors)")
            pod.daemon.signal(SIGCONT)
            #expect(owner.wait().output == "connected\nalert 109\n")
            let records = try pod.connections(2)
            let found = records.map { "\($0["workload.uid"] ?? "-") \($0["decision"] ?? "-")" }.sorted()
            #expect(found == ["- deny", "2000 allow"], "\(records)")
        }
    }

    /// For ten seconds the kernel remembers where a connection was redirected to that the daemon has reset.
    @Test(
        "what the daemon dials is not led back to it by what the kernel remembers of its port",
        arguments: EgressFamily.allCases
    ) func strayDial(family: EgressFamily) throws {
        try GuardedPod.with(Self.byUser, handover: .redirect) { pod in
            let burnt = try pod.python(
                """
                address, count = sys.argv[1], 0
                def one(port):
                    s = socket.socket(family(address)); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if port: s.bind(("", port))
                    s.connect(target(address, 443)); port = s.getsockname()[1]; s.sendall(b"\\0nonsense")
                    try: s.recv(9)
                    except OSError: pass
                    s.close(); return port
                # Behind the last of the ports the kernel begins anew.
                while (first := one(0)) > 60900: pass
                for port in range(first + 2, first + 82, 2):
                    try: one(port); count += 1
                    except OSError: pass
                print(count > 10)
                """,
                [family.allowed],
                as: RunAs(uid: 2001, gid: 2001)
            )
            #expect(burnt.output == "True\n", "\(burnt)")
            let command = ["python3", "-c", EgressClients.kit + Self.program + Self.owner]
            let owner = try pod.startAgent(command + [family.allowed, "25000"])
            #expect(owner.wait().output == "connected\nalert 109\n")
            let allowed = try pod.connections(11).filter { $0["decision"] == "allow" }
            #expect(allowed.count == 1 && allowed[0]["workload.uid"] == "2000", "\(allowed)")
            let users = try pod.connections().values("workload.uid")
            #expect(Set(users).isSubset(of: ["2000", "2001", "null"]), "\(users)")
        }
    }

    @Test("a socket that is bound to the loopback device has an owner, one of IPv6 too", arguments: Handover.chosen)
    func loopbackDevice(handover: Handover) throws {
        try GuardedPod.with(Self.byUser, handover: handover) { pod in
            let said = try pod.python(
                """
                for family, prefix in ((socket.AF_INET, ""), (socket.AF_INET6, "::ffff:")):
                    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
                    s.bind((prefix + "127.0.0.1", 0)); s.connect((prefix + "203.0.113.10", 443))
                    s.sendall(tls(b"allowed.example")[0]); print(classify(s.recv(99)))
                """
            )
            #expect(said.output == "alert 109\nalert 109\n", "\(said)")
            #expect(try pod.connections(2).values("workload.uid") == ["2000", "2000"])
        }
    }
}
