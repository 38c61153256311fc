import Testing

/// A peer that is gone has often said why before: what it sent whole arrives, and then the reset, as without a proxy.
@Suite("Tunnels that one side resets")
struct EgressLeavingTests {
    /// Sends `sys.argv[1]` octets on each connection, and resets it when all of them have arrived; what comes is not read.
    private static let server = """
        import struct, fcntl
        def serve(c):
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            c.recv(1); c.sendall(bytes(int(sys.argv[1])))
            while struct.unpack("i", fcntl.ioctl(c, 0x5411, b"0000"))[0]: time.sleep(0.01)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); c.close()
        l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        l.bind(("203.0.113.30", 8600)); l.listen(64); print("ready", flush=True)
        while True:
            c = l.accept()[0]; threading.Thread(target=serve, args=(c,), daemon=True).start()
        """

    @Test("what a server sent before it reset arrives whole at a client that reads slowly, uploading or not")
    func upstreamResets() throws {
        try GuardedPod.with { pod in
            let server = try pod.net.world.startPython(EgressClients.kit + Self.server, ["900000"])
            defer { server.stop() }
            let (result, found) = try pod.recorded(6) {
                try pod.python(
                    """
                    def run(uploads, out):
                        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536); s.settimeout(0.02)
                        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        s.connect(("203.0.113.30", 8600)); s.sendall(b"\\0opaque"); got, how, turn, wrote = 0, "end", 0, False
                        time.sleep(1)
                        while True:
                            turn += 1
                            if uploads and turn % 3:
                                try: s.send(bytes(500))
                                except OSError: uploads, wrote = False, True
                                time.sleep(0.01); continue
                            try: data = s.recv(20000)
                            except TimeoutError: continue
                            except OSError as error: how = name_of(error); break
                            if not data: break
                            got += len(data); time.sleep(0.01)
                        out.append("%d %s" % (got, "after a write" if wrote else how))
                    out = []
                    threads = [threading.Thread(target=run, args=(n < 3, out)) for n in range(6)]
                    for t in threads: t.start()
                    for t in threads: t.join()
                    for line in sorted(out): print(line)
                    """,
                    seconds: 60
                )
            }
            // A reset that a write was told of no read is told of.
            let expected = ["900000 after a write\n", "900000 reset\n"].map { String(repeating: $0, count: 3) }.joined()
            #expect(result.output == expected, "\(result)")
            #expect(found.endValues("outcome") == ["reset"] && found.endValues("closed_by") == ["upstream"], "\(found)")
        }
    }

    /// Takes nothing more, or sends as long as anybody takes it and resets then, as the second octet says.
    private static let stubborn = """
        def fill(c):
            c.settimeout(1)
            try:
                while True: c.send(bytes(65536))
            except TimeoutError: pass
        def serve(c):
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            if c.recv(2) == b"\\0U": time.sleep(600)
            fill(c); c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); c.close()
        l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        l.bind(("203.0.113.30", 8601)); l.listen(64); print("ready", flush=True)
        while True:
            c = l.accept()[0]; threading.Thread(target=serve, args=(c,), daemon=True).start()
        """

    @Test("a side that is gone is noticed though the other takes nothing more, and the other is told")
    func stalled() throws {
        try GuardedPod.with { pod in
            let server = try pod.net.world.startPython(EgressClients.kit + Self.stubborn)
            defer { server.stop() }
            let (result, found) = try pod.recorded(2) {
                try pod.python(
                    """
                    up = socket.create_connection(("203.0.113.30", 8601)); up.sendall(b"\\0U"); up.settimeout(1)
                    down = socket.create_connection(("203.0.113.30", 8601)); down.sendall(b"\\0D")
                    try:
                        while True: up.send(bytes(65536))
                    except TimeoutError: pass
                    up.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); up.close()
                    poll = select.poll(); poll.register(down, 0)
                    print([bool(event & select.POLLERR) for _, event in poll.poll(30000)])
                    """,
                    seconds: 60
                )
            }
            #expect(result.output == "[True]\n", "\(result)")
            #expect(found.endValues("outcome") == ["reset"], "\(found)")
            #expect(found.endValues("closed_by") == ["client", "upstream"], "\(found)")
        }
    }
}
