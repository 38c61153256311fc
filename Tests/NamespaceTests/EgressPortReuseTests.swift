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
}
