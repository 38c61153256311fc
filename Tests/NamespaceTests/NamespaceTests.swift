import Testing

@Suite("The test bed of namespaces")
struct NamespaceTests {
    @Test("what the pod sends to any address arrives in the world", arguments: ["203.0.113.7", "2001:db8:99::7"])
    func anyAddressArrives(address: String) throws {
        try PodAndWorld.with { net in
            let family = address.contains(":") ? "AF_INET6" : "AF_INET"
            try net.countArrivals("web", "tcp dport 443")
            try net.world.startPython(
                """
                import socket
                s = socket.socket(socket.\(family)); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("", 443)); s.listen(); print("ready")
                c, _ = s.accept(); c.sendall(b"hello"); c.close()
                """,
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            let result = try net.pod.python(
                "import socket,sys; print(socket.create_connection((sys.argv[1], 443), 5).recv(99).decode())",
                [address]
            )
            #expect(result.output == "hello\n", "\(result)")
            #expect(try net.arrivals("web") > 0)
        }
    }

    @Test("a command runs as the user it should, without capabilities")
    func dropsPrivileges() throws {
        let namespace = try NetworkNamespace("alone")
        let result = try namespace.run(
            ["sh", "-c", "id -u; id -g; grep CapEff /proc/self/status"],
            uid: 2000,
            gid: 3000
        )
        #expect(result.output == "2000\n3000\nCapEff:\t0000000000000000\n", "\(result)")
    }

    @Test("a command that does not end in time is killed and says 124")
    func timeLimit() throws {
        let namespace = try NetworkNamespace("slow")
        #expect(try namespace.run(["sleep", "30"], seconds: 0.2).status == 124)
    }
}
