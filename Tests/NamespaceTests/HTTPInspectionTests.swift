import Foundation
import Testing

/// Rules that look into what plain HTTP carries, with real clients and servers.
@Suite("Content of plain HTTP", .serialized)
struct HTTPInspectionTests {
    private static let rules = """
          - name: sized
            match: { hosts: [allowed.example], ports: [8080, 8765], protocols: [http] }
            action: allow
            limits: { request_bytes: 64KiB, response_bytes: 128KiB }
          - name: on-trial
            match: { hosts: [trial.allowed.example], ports: [8080], protocols: [http] }
            action: allow
            mode: audit
            limits: { request_bytes: 64KiB, response_bytes: 128KiB }
          - name: without
            match: { hosts: [free.allowed.example], ports: [8080], protocols: [http] }
            action: allow
        """
    private static let names = [
        "trial.allowed.example": ["203.0.113.10"], "free.allowed.example": ["203.0.113.10"],
    ]

    /// Python functions for what is coded, and for what a client has of an answer that ends too early.
    private static let kit = """
        import gzip, zlib
        def put(path, *fields, host="allowed.example:8080"): return get(path, host, method="PUT") + fields
        def coded(coding, body, path="/echo", host="allowed.example:8080", chunked=False):
            c = dial()
            frame = ("Transfer-Encoding: chunked",) if chunked else ("Content-Length: %d" % len(body),)
            if chunked: body = b"".join(b"%x\\r\\n%s\\r\\n" % (len(body[i:i+9999]), body[i:i+9999]) for i in range(0, len(body), 9999)) + b"0\\r\\nX-End: 1\\r\\n\\r\\n"
            fields = frame + (("Content-Encoding: " + coding,) if coding else ())
            try: return c.ask(*put(path, *fields, host=host), body=body)
            except (OSError, EOFError) as error: return 0, {}, b"cut"
        def told(answer): return why(answer) if answer[0] else "cut"

        """

    @Test("F03: a request is as large as it is decoded, whatever its coding, its framing and its type say")
    func requests() throws {
        try HTTPPod.with(Self.rules, names: Self.names) { bed in
            let said = try bed.agent(
                Self.kit + """
                    small, large = b"x" * 65536, b"x" * 65537
                    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
                    print(told(coded("", small)), told(coded("", large)))
                    print(told(coded("", small, chunked=True)), told(coded("", large, "/silent", chunked=True)))
                    print(told(coded("gzip", gzip.compress(small), "/silent")), told(coded("gzip", gzip.compress(large), "/silent")))
                    print(told(coded("gzip, gzip", gzip.compress(gzip.compress(large)), "/silent")))
                    print(told(coded("deflate", zlib.compress(large), "/silent", chunked=True)))
                    print(told(coded("deflate", raw.compress(large) + raw.flush(), "/silent")))
                    print(told(coded("compress", small)), told(coded("gzip, aes", small)), told(coded("gzip", small, "/silent")))
                    print(told(coded("gzip", gzip.compress(bytes(64 << 20)), "/silent")))
                    """
            )
            #expect(
                said == [
                    "200 413 request_too_large", "200 413 request_too_large", "200 413 request_too_large",
                    "413 request_too_large", "413 request_too_large", "413 request_too_large",
                    "403 unreadable_content 403 unreadable_content 403 unreadable_content", "413 request_too_large",
                ]
            )
            let requests = try bed.requests(13)
            // What is known before anything goes up is the decision; what is found on the way, the end.
            let refused = requests.filter { $0["decision"] == "deny" }
            #expect(
                refused.compactMap { $0["reason"] } == [
                    "request_too_large", "unreadable_content", "unreadable_content",
                ]
            )
            let refusers = Set(refused.compactMap { $0["rule"] })
            #expect(refusers == ["sized"])
            let cut = requests.compactMap(\.end).filter { $0["outcome"] == "cut" }
            #expect(cut.count == 7)
            let reasons = Set(cut.compactMap { $0["reason"] })
            #expect(reasons == ["request_too_large", "unreadable_content"])
            let rules = Set(cut.compactMap { $0["rule"] })
            #expect(rules == ["sized"])
        }
    }

    @Test("an answer that is too large is never taken for whole, and nothing of it comes where its length is said")
    func answers() throws {
        try HTTPPod.with(Self.rules, names: Self.names) { bed in
            let said = try bed.agent(
                Self.kit + """
                    c = dial(); print(told(c.ask(*get("/big?131072")))); print(told(c.ask(*get("/big?131073"))), told(c.ask(*get("/x"))))
                    c = dial(); print(told(c.ask(*get("/gzip?131072")))); print(told(c.ask(*get("/gzip?131073"))), told(c.ask(*get("/x"))))
                    c = dial(); print(len(c.ask(*get("/pieces?2"))[2]))
                    try: print(len(c.ask(*get("/pieces?3"))[2]))
                    except (OSError, EOFError) as error: print("cut", b"0\\r\\n\\r\\n" in c.held[-9:])
                    print(len(dial().ask(*get("/big?131073", "free.allowed.example:8080"))[2]))
                    print(len(dial().ask(*get("/big?131073", "trial.allowed.example:8080"))[2]))
                    """
            )
            #expect(
                said == [
                    "200", "403 response_too_large 200", "200", "403 response_too_large 200", "131072", "cut False",
                    "131073",
                    "131073",
                ]
            )
            let requests = try bed.requests(10)
            let cut = requests.compactMap(\.end).filter { $0["outcome"] == "cut" }
            let reasons = cut.map { $0["reason"] }
            #expect(reasons == ["response_too_large", "response_too_large", "response_too_large"])
            let trial = requests.first { $0["rule"] == "on-trial" }?.end
            #expect(trial?["outcome"] == "closed")
            #expect(trial?.members["findings"] as? [String] == ["response_too_large"])
        }
    }

    /// Tools may be called, but for one kind of them.
    private static let noDelete = """
          - name: no-delete
            match: { hosts: [allowed.example], protocols: [http], mcp: { tools: ["delete_*"] } }
            action: deny
          - name: tools
            match: { hosts: [allowed.example], ports: [8080], protocols: [http] }
            action: allow
        """

    @Test(
        "F07: a denied call never leaves, however it is coded and framed, and its neighbours do; the answer is the protocol's"
    )
    func calls() throws {
        try HTTPPod.with(Self.noDelete) { bed in
            let said = try bed.agent(
                Self.kit + """
                    def call(name, ident=7): return {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": name, "arguments": {}}}
                    def post(c, body, *fields, chunked=False):
                        body = body if isinstance(body, bytes) else json.dumps(body).encode()
                        frame = "Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % len(body)
                        if chunked: body = b"".join(b"1\\r\\n%c\\r\\n" % o for o in body) + b"0\\r\\nX-End: 1\\r\\n\\r\\n"
                        return c.ask(*get("/echo", method="POST"), "Content-Type: application/json", frame, *fields, body=body)
                    def told(answer):
                        status, head, body = answer
                        if head.get("content-type", "").startswith("application/problem"): return "%d %s %s" % (status, json.loads(body)["reason"], "problem")
                        body = json.loads(body)
                        return "%d error %s" % (status, body["id"]) if "error" in body else "%d %s" % (status, json.loads(body["body"])["params"]["name"])
                    c = dial()
                    print(told(post(c, call("read_file"))), told(post(c, call("delete_repo"))), told(post(c, call("read_file"), chunked=True)))
                    print(told(post(c, call("delete_repo", 8), chunked=True)))
                    packed = gzip.compress(json.dumps(call("delete_repo", 9)).encode())
                    print(told(post(dial(), packed, "Content-Encoding: gzip")))
                    print(told(post(dial(), packed, "Content-Encoding: compress")))
                    print(told(post(dial(), b" " * (1 << 20) + json.dumps(call("delete_repo", 10)).encode())))
                    c = dial(); body = json.dumps(call("read_file", 11)).encode()
                    print(c.ask(*get("/echo", method="POST"), "Content-Type: application/json", "Content-Length: %d" % len(body), "Expect: 100-continue")[0])
                    c.raw(body); print(told(c.read()))
                    """
            )
            #expect(
                said.prefix(1) == ["200 read_file 200 error 7 200 read_file"]
                    || said.prefix(1) == ["200 read_file 403 error 7 200 read_file"]
            )
            #expect(said.count == 7, "\(said)")
            #expect(
                said.dropFirst(3).prefix(2).map(\.self) == [
                    "403 unreadable_content problem", "403 unreadable_content problem",
                ]
            )
            #expect(said.suffix(2) == ["100", "200 read_file"], "\(said)")
            let arrived = bed.origin.requests(3)
            #expect(arrived.count == 3)
            let verdicts = try bed.requests(8).map(\.verdict)
            #expect(
                verdicts == [
                    "allow rule_allow tools", "deny rule_deny no-delete", "allow rule_allow tools",
                    "deny rule_deny no-delete", "deny rule_deny no-delete", "deny unreadable_content no-delete",
                    "deny unreadable_content no-delete", "allow rule_allow tools",
                ]
            )
        }
    }

    @Test(
        "a trial, of a rule or of the whole policy, lets through what nobody can read, as it came, and says what it would do",
        arguments: [false, true]
    )
    func unreadableOnTrial(isWhole: Bool) throws {
        let trial = isWhole ? "action: deny" : "action: deny\n    mode: audit"
        let rule = Self.noDelete.replacing("action: deny", with: trial)
        let rules =
            isWhole
            ? "apiVersion: penstock/v1\nkind: EgressPolicy\nname: trial\nmode: audit\nrules:\n\(rule)" : rule
        try HTTPPod.with(rules) { bed in
            let said = try bed.agent(
                Self.kit + """
                    call = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete_repo", "arguments": {}}}'
                    def in_chunks(body):
                        parts = [body[i:i+9999] for i in range(0, len(body), 9999)]
                        return b"".join(b"%x\\r\\n%s\\r\\n" % (len(part), part) for part in parts) + b"0\\r\\n\\r\\n"
                    def post(c, body, *fields, chunked=False):
                        frame = "Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % len(body)
                        head = get("/echo", method="POST") + ("Content-Type: application/json", frame) + fields
                        status, _, answer = c.ask(*head, body=in_chunks(body) if chunked else body)
                        return status, status == 200 and json.loads(answer)["body"].encode() == body
                    c = dial()
                    large = call[:-3] + b'"d": "' + b"x" * 3000000 + b'"}}}'
                    print(*post(c, large), *post(c, large, chunked=True), *post(c, call))
                    print(*post(c, call, "Content-Encoding: aes"), *post(c, call, "Content-Encoding: gzip"), *post(c, b"[]"))
                    """
            )
            #expect(said == ["200 True 200 True 200 True", "200 True 200 True 200 True"], "\(said)")
            let records = try bed.requests(6)
            let verdicts = records.map { "\($0["decision"] ?? "-") \($0["would"] ?? "-") \($0["reason"] ?? "-")" }
            let unread = "allow deny unreadable_content"
            #expect(
                verdicts == [
                    unread, unread, "allow deny rule_deny", unread, unread, "allow - rule_allow",
                ]
            )
            let outcomes = records.compactMap(\.end).compactMap { $0["outcome"] }
            #expect(outcomes == Array(repeating: "closed", count: 6))
        }
    }

    @Test(
        "WebSocket messages of a real client and server are read in passing, compressed ones, too, and a large one is cut"
    )
    func webSocket() throws {
        try HTTPPod.with(Self.rules, names: Self.names) { bed in
            let server = try Self.serveWebSockets(bed)
            defer { server.stop() }
            let said = try bed.agent(
                """
                import asyncio, websockets
                async def say(compression, sizes):
                    try:
                        async with websockets.connect("ws://allowed.example:8765/", compression=compression, max_size=None) as ws:
                            for size in sizes:
                                await ws.send("x" * size); print(compression, len(await ws.recv()))
                    except Exception as error: print(compression, "cut", size, error.code)
                for compression in ("deflate", None):
                    asyncio.run(say(compression, (5, 60000, 65536, 65537)))
                """
            )
            #expect(
                said == [
                    "deflate 5", "deflate 60000", "deflate 65536", "deflate cut 65537 1008",
                    "None 5", "None 60000", "None 65536", "None cut 65537 1008",
                ]
            )
            let reasons = try bed.requests(2).compactMap(\.end).map { $0["reason"] }
            #expect(reasons == ["request_too_large", "request_too_large"])
        }
    }

    @Test("a WebSocket message that is denied in part ends with close frames between two of its fragments, and in none")
    func fragments() throws {
        try HTTPPod.with(Self.rules, names: Self.names) { bed in
            let server = try bed.pod.net.world.startPython(
                """
                import socket
                listener = socket.create_server(("203.0.113.10", 8765)); print("ready", flush=True)
                for _ in range(2):
                    s, _ = listener.accept(); said = b""
                    s.recv(4096)
                    s.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n")
                    try:
                        while data := s.recv(65536): said += data
                    except OSError: pass
                    last = said[8 + 65500:]
                    told = bytes(o ^ m for o, m in zip(last[6:], last[2:6])).hex() if last[:1] == b"\\x88" else len(last)
                    print("told", told, flush=True); s.close()
                """,
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            defer { server.stop() }
            let said = try bed.agent(
                """
                def frame(first, n): return bytes([first, 0xfe]) + n.to_bytes(2, "big") + bytes(4)
                def talk(*pieces):
                    c = dial(port=8765); c.send(*get("/", "allowed.example:8765"), "Connection: Upgrade", "Upgrade: websocket")
                    c.until(b"\\r\\n\\r\\n"); c.raw(frame(1, 65500) + bytes(65500))
                    for piece in pieces: time.sleep(0.3); c.raw(piece)
                    print(c.end().encode("latin-1").hex()); c.s.close()
                talk(frame(0, 200) + bytes(200)); talk(frame(0, 200) + bytes(10), bytes(190))
                """
            )
            // The client has nothing in part.
            #expect(said == ["880203f0", "880203f0"], "\(said)")
            #expect(server.waitForOutput("told 03e9") && server.waitForOutput("told 18"), "\(server.output)")
            let reasons = try bed.requests(2).compactMap(\.end).map { $0["reason"] }
            #expect(reasons == ["request_too_large", "request_too_large"])
        }
    }

    @Test("bodies far larger than memory pass through a rule that measures them, and the daemon stays as it was")
    func memory() throws {
        let rules = Self.rules.replacing(
            "request_bytes: 64KiB, response_bytes: 128KiB",
            with: "request_bytes: 1TiB, response_bytes: 1TiB"
        )
        try HTTPPod.with(rules, names: Self.names) { bed in
            let before = try bed.daemonMemory(atMost: true)
            let said = try bed.agent(
                """
                c = dial(timeout=60); n = 256 << 20
                c.send(*get("/count", method="POST"), "Content-Length: %d" % n)
                piece = bytes(1 << 20)
                for _ in range(256): c.raw(piece)
                print(c.read()[2].split()[0].decode())
                c.send(*get("/big?%d" % n)); c.until(b"\\r\\n\\r\\n"); left = n - len(c.held)
                while left:
                    data = c.s.recv(1 << 18)
                    if not data: break
                    left -= len(data)
                print(left)
                """,
                seconds: 200
            )
            #expect(said == ["268435456", "0"])
            let grown = try bed.daemonMemory(atMost: true) - before
            #expect(grown < 16 << 20, "grew by \(grown)")
        }
    }

    @Test(
        "G07: what all requests together may hold is bounded: the next is told to come again, and passes when there is room"
    )
    func crowded() throws {
        let settings = "workers: 1\nlimits: { inspection_bytes: 1048576 }"
        try HTTPPod.with(Self.noDelete, settings: settings) { bed in
            let said = try bed.agent(
                """
                def begin():
                    c = dial(); c.send(*get("/echo", method="POST"), "Content-Type: application/json", "Content-Length: 400000")
                    c.raw(b" " * 200000); time.sleep(0.3); return c
                waiting = [begin() for _ in range(2)]
                late = begin(); status, head, body = late.read(); problem = json.loads(body)
                print(status, problem["reason"], head.get("retry-after"), "inspection_bytes" in problem["detail"])
                for c in waiting: c.s.close()
                time.sleep(0.5); c = begin(); call = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
                c.raw(call.rjust(200000)); print(c.read()[0])
                """
            )
            #expect(said == ["503 unreadable_content 1 True", "200"], "\(said)")
            let refused = try bed.requests(4).filter { $0["reason"] == "unreadable_content" }
            let details = refused.compactMap { $0["detail"] }
            #expect(details.contains("inspection_memory"), "\(refused)")
        }
    }

    /// Starts a server of WebSockets that echoes, on 8765.
    static func serveWebSockets(_ bed: HTTPPod) throws -> BackgroundProcess {
        try bed.pod.net.world.startPython(
            webSocketServer,
            ["8765"],
            as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
        )
    }

    /// Echoes messages.
    private static let webSocketServer = """
        import asyncio, sys, websockets
        async def echo(ws, *rest):
            async for message in ws: await ws.send(message)
        async def main():
            async with websockets.serve(echo, "203.0.113.10", int(sys.argv[1]), max_size=None):
                print("ready", flush=True); await asyncio.Future()
        asyncio.run(main())
        """
}
