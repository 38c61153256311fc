import Foundation
import Testing

@Suite("Interception, misused")
struct InterceptionAbuseTests {
    @Test("G07: a body between thousands of new keys, each octet in a record of its own, arrives whole")
    func newKeys() throws {
        try InterceptedPod.with { bed in
            let said = try bed.agent(["/usr/bin/python3", "-c", Self.renewing], variable: "SSL_CERT_FILE")
            #expect(said.output == "HTTP/1.1 200\nHTTP/1.1 200\n", "\(said)")
            let sent = try bed.requests(2).compactMap { $0.end?["bytes_up"].flatMap { Int($0) } }.filter { $0 >= 3000 }
            #expect(sent.count == 2, "\(sent)")
        }
    }

    /// Python has no word for new keys: libssl is asked for them (`SSL_key_update`), by the pointer that its objects begin with.
    private static let renewing = """
        import ctypes, socket, ssl
        lib = ctypes.CDLL("libssl.so.3")
        lib.SSL_key_update.argtypes, lib.SSL_do_handshake.argtypes = [ctypes.c_void_p, ctypes.c_int], [ctypes.c_void_p]
        def ask(bursts, renewals, octets):
            s = socket.create_connection(("203.0.113.10", 8443), 60)
            came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
            t = ssl.create_default_context().wrap_bio(came, goes, server_hostname="allowed.example")
            def until_done(step):
                while True:
                    try: return step()
                    except ssl.SSLWantReadError: s.sendall(goes.read()); came.write(s.recv(65536))
            until_done(t.do_handshake)
            session = ctypes.cast(id(t._sslobj) + 24, ctypes.POINTER(ctypes.c_void_p))[0]
            t.write(b"POST /keys HTTP/1.1\\r\\nHost: allowed.example:8443\\r\\nContent-Length: %d\\r\\n\\r\\n" % (bursts * octets))
            for _ in range(bursts):
                for _ in range(renewals):
                    assert lib.SSL_key_update(session, 0) == 1 and lib.SSL_do_handshake(session) == 1
                for _ in range(octets): t.write(b"x")
            s.sendall(goes.read())
            print(until_done(lambda: t.read(12)).decode())
        ask(3, 5000, 1000); ask(30, 200, 100)
        """

    @Test("what comes behind a handshake and is no TLS, or no HTTP, ends that connection and no other")
    func garbage() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                def over(c):
                    # Whether the connection ends, whatever is said before.
                    try:
                        while c.s.recv(65536): pass
                        return "over"
                    except ssl.SSLError: return "over"
                    except OSError as error: return "over" if name_of(error) == "reset" else name_of(error)
                kept = inside(); print(why(kept.ask(*at("/a"))))
                def below(c): return socket.socket(fileno=os.dup(c.s.fileno()))
                for data in (b"garbage" * 99, bytes([23, 3, 3, 0, 40]) + bytes(40), bytes([22, 3, 3, 0, 4, 1, 0, 0, 0]), bytes([20, 3, 3, 0, 1, 1]) * 50,
                             bytes([21, 3, 3, 0, 2, 2, 40]), bytes([23, 3, 3, 255, 255]) + bytes(65535)):
                    for behind in (False, True):
                        c = inside()
                        if behind: c.ask(*at("/a"))
                        below(c).sendall(data); print(over(c), end=" ")
                print()
                for data in (b"\\0\\1\\2\\3" * 99, b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n", tls(b"allowed.example")[0], b"SSH-2.0-x\\r\\n"):
                    c = inside(); c.raw(data); c.s.settimeout(20); print(classify(c.s.recv(65536)), end=" "); print(over(c), end=" ")
                print(); print(why(kept.ask(*at("/b"))))
                """,
                seconds: 120
            )
            #expect(said.count == 4 && said.first == "200" && said.last == "200", "\(said)")
            let below = said.dropFirst().first?.split(separator: " ") ?? []
            #expect(below.count == 12 && Set(below) == ["over"], "\(said)")
            #expect(said[2].components(separatedBy: "400 malformed_request over").count == 5, "\(said)")
            #expect(bed.pod.daemon.isRunning)
        }
    }

    @Test("TLS cannot be negotiated anew, in 1.2, and keys can be updated, in 1.3")
    func renegotiation() throws {
        try InterceptedPod.with { bed in
            let program = """
                import os, subprocess, sys
                version, command, sign, authority = sys.argv[1:]
                client = subprocess.Popen(
                    ["openssl", "s_client", "-CAfile", authority, "-connect", "203.0.113.10:8443", "-servername", "allowed.example",
                     version], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                said = b""
                def until(mark):
                    global said
                    while mark not in said and (more := os.read(client.stdout.fileno(), 65536)): said += more
                def say(text): client.stdin.write(text); client.stdin.flush()
                def ask(path): say(b"GET " + path + b" HTTP/1.1\\r\\nHost: allowed.example:8443\\r\\n\\r\\n"); until(b"GET " + path)
                # A command is one only where the client reads it alone.
                ask(b"/a"); say(command.encode() + b"\\n"); until(sign.encode())
                try: ask(b"/b")
                except BrokenPipeError: pass
                client.kill(); print(said.decode(errors="replace"))
                """
            let authority = "\(bed.files.published)/ca.pem"
            let anew = try bed.pod.agent(["python3", "-c", program, "-tls1_2", "R", "RENEGOTIATING", authority])
            #expect(anew.output.contains("RENEGOTIATING"), "\(anew)")
            #expect(anew.output.contains("GET /a") && !anew.output.contains("GET /b"), "\(anew)")
            let updated = try bed.pod.agent(["python3", "-c", program, "-tls1_3", "K", "KEYUPDATE", authority])
            #expect(updated.output.contains("GET /a") && updated.output.contains("GET /b"), "\(updated)")
            #expect(try bed.curl("https://allowed.example:8443/c") == "GET /c<200>")
        }
    }

    @Test("a client that stops in its handshake, or stops reading, is no weight on the daemon nor on others")
    func slow() throws {
        try InterceptedPod.with { bed in
            let http = HTTPPod(pod: bed.pod, origin: bed.origin)
            #expect(try bed.curl("https://allowed.example:8443/a") == "GET /a<200>")
            let before = try http.daemonMemory(atMost: true)
            let said = try bed.python(
                """
                share = ext(51, struct.pack(">HHH", 36, 29, 32) + bytes([9]) + bytes(31))
                waiting = []
                for _ in range(50):
                    s = socket.create_connection(("203.0.113.10", 8443), 15); s.sendall(b"".join(tls(b"allowed.example", more=share)))
                    waiting.append(s)
                full = []
                for _ in range(20):
                    c = inside(); c.s.settimeout(30); c.send(*at("/big?100000000")); full.append(c)
                time.sleep(1); print(why(inside().ask(*at("/a")))); begun = time.time()
                ends = []
                for s in waiting:
                    s.settimeout(30)
                    try:
                        while s.recv(65536): pass
                        ends.append("closed")
                    except OSError as error: ends.append(name_of(error))
                print(set(ends) <= {"closed", "reset"}, time.time() - begun < 25)
                """,
                seconds: 90
            )
            #expect(said == ["200", "True True"], "\(said)")
            let grown = try http.daemonMemory(atMost: true) - before
            #expect(grown < 24 << 20, "grown by \(grown) octets")
            let connections = try bed.pod.connections(72)
            let late = connections.filter { $0.end?["outcome"] == "timed_out" && $0.end?["detail"] == "tls_handshake" }
            #expect(late.count == 50, "\(connections.endValues("detail"))")
        }
    }

    @Test("a client that goes in the midst of its handshake, before and behind the certificate, is told apart")
    func leaving() throws {
        try InterceptedPod.with { bed in
            _ = try bed.python(
                """
                share = ext(51, struct.pack(">HHH", 36, 29, 32) + bytes([9]) + bytes(31))
                s = socket.create_connection(("203.0.113.10", 8443), 15); s.sendall(b"".join(tls(b"allowed.example", more=share)))
                s.recv(100); s.close()
                s = socket.create_connection(("203.0.113.10", 8443), 15); s.sendall(b"".join(tls(b"allowed.example", more=share)))
                data = b""
                while len(data) < 500: data += s.recv(65536)
                s.shutdown(socket.SHUT_WR); time.sleep(0.2); s.close()
                """
            )
            let connections = try bed.pod.connections(2)
            #expect(connections.endValues("outcome") == ["client_rejected_interception"], "\(connections)")
            let suggesting = connections.filter {
                $0.end?["detail"]?.contains("hosts: [allowed.example], ports: [8443] } }") == true
            }
            #expect(suggesting.count == 2, "\(connections)")
        }
    }

    @Test(
        "a client that has sent close_notify behind its request still gets its answer, as one that ends its side of TCP"
    )
    func halfClose() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                def talk(ends):
                    context, incoming, outgoing = ssl.create_default_context(), ssl.MemoryBIO(), ssl.MemoryBIO()
                    s = socket.create_connection(("203.0.113.10", 8443), 15); s.settimeout(15)
                    t = context.wrap_bio(incoming, outgoing, server_hostname="allowed.example")
                    def step(action):
                        while True:
                            try: return action()
                            except ssl.SSLWantReadError:
                                s.sendall(outgoing.read()); data = s.recv(65536)
                                if not data: return b""
                                incoming.write(data)
                            finally:
                                pending = outgoing.read()
                                if pending: s.sendall(pending)
                    step(t.do_handshake)
                    t.write(b"GET /wait?0.5 HTTP/1.1\\r\\nHost: allowed.example:8443\\r\\n\\r\\n"); s.sendall(outgoing.read())
                    if "notify" in ends:
                        try: t.unwrap()
                        except ssl.SSLError: pass
                        s.sendall(outgoing.read())
                    if "fin" in ends: s.shutdown(socket.SHUT_WR)
                    total = 0
                    try:
                        while data := s.recv(65536): total += len(data)
                    except OSError as error: return name_of(error)
                    # Tickets and alerts are small; the answer is not among what OpenSSL reads behind its own close_notify.
                    return total
                print(talk("fin"), talk("notify"), talk("notify fin"))
                """
            )
            let sizes = Set(said.first?.split(separator: " ") ?? [])
            #expect(sizes.count == 1 && !sizes.contains("0"), "\(said)")
            let requests = try bed.requests(3)
            let outcomes = requests.map { "\($0.end?["outcome"] ?? "-") \($0.end?["status"] ?? "-")" }
            #expect(outcomes == Array(repeating: "closed 200", count: 3), "\(requests)")
        }
    }

    @Test("pipelined requests are each judged, and answered in their order")
    func pipelined() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                c = inside()
                c.raw(b"".join(("GET %s HTTP/1.1\\r\\nHost: allowed.example:8443\\r\\n\\r\\n" % path).encode() for path in
                    ("/a", "/denied/b", "/c", "/wait?0.2", "/d")))
                for _ in range(5): print(why(c.read()))
                """
            )
            #expect(said == ["200", "403 rule_deny", "200", "200", "200"])
        }
    }
}
