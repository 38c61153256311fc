import Foundation
import Testing

@Suite("Upstream connections inside TLS, lent from one client to the next")
struct InterceptionPoolingTests {
    static let single = "workers: 1"

    /// Python for clients of `/peer`, which says what connection the server has them on, and the number of the request there.
    private static let kit = """
        def peer(*more, host="allowed.example:8443"):
            c = inside(); status, head, body = c.ask(*at("/peer", host), *more); c.s.close(); time.sleep(0.2)
            return body.decode() if status == 200 else str(status)
        def once(*lines, body=b""):
            c = inside(); answer = c.ask(*lines, body=body); c.s.close(); time.sleep(0.2)
            return why(answer)

        """ + "\n"

    @Test("two clients in turn share one, those of other users do not, and the records of each are its own")
    func shared() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let mine = try bed.python(Self.kit + "print(peer(), peer()); print(peer())")
            #expect(mine == ["1 1 1 2", "1 3"])
            let others = try bed.python(Self.kit + "print(peer())", as: RunAs(uid: 2001, gid: 2001))
            #expect(others == ["2 1"])
            #expect(bed.origin.accepts(on: InterceptedPod.Port.sound) == 2)
            let requests = try bed.requests(4)
            let connections = Set(requests.compactMap { $0["connection"] })
            #expect(connections.count == 4, "\(requests)")
            // Bytes belong to requests: the second on a connection has no more of them than the first.
            let bytes = Set(requests.compactMap { $0.end?["bytes_up"] })
            #expect(bytes.count == 1, "\(requests)")
        }
    }

    @Test("two at once have one each, and a client that waits lends what it has")
    func atOnce() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    a, b = inside(), inside(); a.ask(*at("/peer"))
                    a.send(*at("/echo", method="POST"), "Content-Length: 2"); time.sleep(0.1)
                    print(b.ask(*at("/peer"))[2].decode()); a.raw(b"hi"); print(a.read()[0]); time.sleep(1)
                    print(peer() in ("1 3", "2 2"), a.ask(*at("/peer"))[0], b.ask(*at("/peer"))[0])
                    """
            )
            #expect(said == ["2 1", "200", "True 200 200"], "\(said)")
        }
    }

    @Test(
        "one whose client has authenticated, not its requests, goes to nobody else and stays with that client",
        arguments: ["NTLM", "Negotiate"]
    )
    func authenticated(scheme: String) throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    # The server asks for it.
                    a = inside(); a.ask(*at("/peer")); print(a.ask(*at("/challenge"), "X-Scheme: \(scheme)")[2].decode())
                    time.sleep(21); print(peer(), a.ask(*at("/peer"))[2].decode()); a.s.close(); time.sleep(0.3); print(peer())
                    # The client comes with it.
                    b = inside(); print(b.ask(*at("/peer"), "Authorization: \(scheme) TlRMTVNTUAAB")[2].decode())
                    b.s.close(); time.sleep(0.3); print(peer())
                    """
            )
            // The one that peer() leaves goes to the next peer(), never one that an authenticated client has had.
            #expect(said == ["1 2", "2 1 1 3", "2 2", "3 1", "2 3"], "\(said)")
        }
    }

    @Test("a server that closes what waits costs no failed GET, and no POST is ever sent twice")
    func closing() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    # It closes while nobody asks.
                    for _ in range(5): print(once(*at("/once")), once(*at("/peer")), end=" ")
                    c = inside(); print(why(c.ask(*at("/once"))), end=" "); time.sleep(0.3); print(why(c.ask(*at("/peer"))))
                    # It closes just when it is asked, by the same client and by another.
                    c = inside(); c.ask(*at("/once-late")); print(why(c.ask(*at("/get-same"))), end=" "); c.s.close(); time.sleep(0.2)
                    print(once(*at("/once-late")), once(*at("/get-other")))
                    once(*at("/once-late")); print(once(*at("/post-other", method="POST"), "Content-Length: 2", body=b"hi"))
                    c = inside(); c.ask(*at("/once-late")); print(why(c.ask(*at("/post-same", method="POST"), "Content-Length: 2", body=b"hi")))
                    """
            )
            #expect(
                said == [
                    "200 200 200 200 200 200 200 200 200 200 200 200", "200 200 200", "502 upstream_failed",
                    "502 upstream_failed",
                ],
                "\(said)"
            )
            let seen = bed.origin.visits(8).map(\.data).joined()
            for name in ["/post-other", "/post-same"] {
                #expect(seen.components(separatedBy: "POST \(name) ").count == 2, "\(name)")
            }
        }
    }

    @Test(
        "one that said more than its answer, or less, or ended early, serves nobody any more",
        arguments: ["/twice", "/short", "/garbage", "/early", "/close", "/notify", "/dead"]
    )
    func unclean(path: String) throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    c = inside()
                    try: print(c.ask(*at("\(path)", method="POST"), "Content-Length: 5", body=b"hello")[0])
                    except (OSError, EOFError) as error: print("broken")
                    c.s.close(); time.sleep(0.3); print(peer())
                    """
            )
            #expect(said.last == "2 1", "\(said)")
        }
    }

    @Test(
        "B20: one that answered before it had the whole request is lent to nobody: what came behind may stand before the next"
    )
    func hasty() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    # The server answers by the head alone, reads no body, and takes what comes for the next request.
                    hidden = b"GET /peer HTTP/1.1\\r\\nHost: allowed.example:8443\\r\\n\\r\\n"
                    c = inside(); c.send(*at("/final", method="POST"), "Content-Length: %d" % len(hidden)); print(c.read()[0])
                    c.raw(hidden); time.sleep(0.2); print(c.ask(*at("/peer"))[2].decode()); c.s.close(); time.sleep(0.3)
                    print(peer())
                    """
            )
            #expect(said == ["403", "2 1", "2 2"], "\(said)")
        }
    }

    @Test(
        "one that is between two messages is lent, whatever its answer was like",
        arguments: ["/none", "/same", "/hints", "/chunked", "/echo", "/final", "/denied/x"]
    )
    func clean(path: String) throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    print(peer()); c = inside(); c.send(*at("\(path)")); answer = c.read()
                    if answer[0] == 103: answer = c.read()
                    print(answer[0]); c.s.close(); time.sleep(0.3); print(peer())
                    """
            )
            #expect(said.last == (path == "/denied/x" ? "1 2" : "1 3"), "\(said)")
        }
    }

    @Test("one whose answer its client did not wait for is not lent")
    func abandoned() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    c = inside(); c.send(*at("/big?50000000")); c.more(); c.s.close(); time.sleep(0.3); print(peer())
                    c = inside(); c.send(*at("/wait?1")); time.sleep(0.2); c.s.close(); time.sleep(1.3); print(peer())
                    """
            )
            #expect(said == ["2 1", "3 1"], "\(said)")
        }
    }

    @Test("a session with a host is gone on with when its connection is closed")
    func resumed() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(Self.kit + "for _ in range(3): print(once(*at('/once')))")
            #expect(said == ["200", "200", "200"], "\(said)")
            let metrics = try bed.pod.metrics()
            #expect(metrics.contains(#"penstock_tls_handshakes_total{kind="upstream_full"} 1"#), "\(metrics)")
            #expect(metrics.contains(#"penstock_tls_handshakes_total{kind="upstream_resumed"} 2"#))
        }
    }

    @Test("a host that fails where a session is gone on with is asked for a handshake in full, at once and for a while")
    func ticketsInVain() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let server = try bed.serveTicketsInVain()
            defer { server.stop() }
            let said = try bed.python(
                """
                for _ in range(4):
                    c = inside(port=8604); print(c.ask(*at("/x", host="allowed.example:8604"))[0]); c.s.close()
                """
            )
            #expect(said == ["200", "200", "200", "200"], "\(said)")
            let refused = server.output.components(separatedBy: "refused").count - 1
            #expect(refused == 1, "\(server.output)")
        }
    }

    @Test("the upstream of a WebSocket is never lent")
    func upgraded() throws {
        try InterceptedPod.with(settings: Self.single) { bed in
            let said = try bed.python(
                Self.kit + """
                    c = inside(); c.send(*at("/upgrade"), "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
                    print(c.until(b"\\r\\n\\r\\n").split(b" ")[1], c.take(7)); c.raw(b"ping"); print(c.take(4)); c.s.close(); time.sleep(0.3)
                    print(peer())
                    """
            )
            #expect(said == ["b'101' b'welcome'", "b'PING'", "2 1"], "\(said)")
        }
    }
}
