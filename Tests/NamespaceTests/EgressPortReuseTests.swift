import Testing

/// The kernel gives one source port to several connections of an agent if they go to different destinations.
///
/// Behind the redirect all of them have the same destination.
@Suite("One source port for several destinations")
struct EgressPortReuseTests {
    static let program = """
        reuse = lambda s: (s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), s.bind(("", 25000)))

        """

    @Test("the owner of a connection is known though another one has its source port", arguments: EgressFamily.allCases)
    func owner(family: EgressFamily) throws {
        try GuardedPod.with { pod in
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
}
