import Foundation
import Testing

/// Clients that are gone before anybody looks, servers that close before anybody is done, and what stands behind a mark.
@Suite("Who leaves plain HTTP early")
struct HTTPLeavingTests {
    @Test("a client that has reset its connection is noticed, whenever that was and whatever its request waits for")
    func gone() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                import struct
                def leave(head, body=b"", after=0.0):
                    s = socket.create_connection(("203.0.113.10", 8080), 10)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.sendall(("\\r\\n".join(head) + "\\r\\n\\r\\n").encode() + body)
                    time.sleep(after); s.close()
                # At once, while nothing is dialled; while the answer is awaited; and while the server takes no more of the body.
                for _ in range(5): leave(get("/wait?40"))
                for _ in range(5): leave(get("/wait?40"), after=0.3)
                part = bytes(1500000)
                for _ in range(3): leave(get("/unread", method="POST") + ("Content-Length: 99999999",), part, after=0.3)
                print("left")
                """
            )
            #expect(said == ["left"])
            let requests = try bed.requests(13)
            #expect(requests.count == 13)
            let ends = requests.compactMap(\.end)
            #expect(
                ends.map { "\($0["outcome"] ?? "-") \($0["closed_by"] ?? "-")" }
                    == Array(repeating: "reset client", count: 13)
            )
            let longest = ends.compactMap { $0["duration_ms"].flatMap { Int($0) } }.max()
            #expect(try #require(longest) < 20_000, "\(ends)")
        }
    }

    @Test("a client that resets behind an upgrade is noticed, though the server takes nothing more of what it said")
    func goneUpgraded() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                import struct
                s = socket.create_connection(("203.0.113.10", 8080), 10)
                s.sendall(("\\r\\n".join(get("/upgrade?deaf") + ("Connection: Upgrade", "Upgrade: test")) + "\\r\\n\\r\\n").encode())
                got = b""
                while not got.endswith(b"welcome"): got += s.recv(999)
                s.settimeout(1)
                try:
                    while True: s.send(bytes(65536))
                except TimeoutError: print("full")
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close()
                """
            )
            #expect(said == ["full"])
            let end = try #require(try bed.requests(1).first?.end)
            #expect(end["outcome"] == "reset" && end["closed_by"] == "client", "\(end)")
            let duration = end["duration_ms"].flatMap { Int($0) }
            let took = try #require(duration)
            #expect(took > 9_000 && took < 40_000, "\(end)")
        }
    }

    @Test(
        "the answer of a server that closes in the midst of the upload arrives whole, though the client reads it slowly"
    )
    func earlyAnswer() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                for _ in range(3):
                    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                    s.connect(("203.0.113.10", 8080)); s.settimeout(0.02)
                    head = get("/early-large?300000", method="POST") + ("Content-Length: 100000000",)
                    s.sendall(("\\r\\n".join(head) + "\\r\\n\\r\\n").encode())
                    got, reading, uploads = b"", 0, True
                    while len(got) < 400000:
                        try: s.send(bytes(1000)) if uploads else None
                        except OSError: uploads = False
                        time.sleep(0.02); reading += 1
                        if reading % 3: continue
                        try: data = s.recv(20000)
                        except TimeoutError: continue
                        except OSError as error: print(name_of(error)); break
                        if not data: break
                        got += data
                    print(got[:12].decode(), len(got.partition(b"\\r\\n\\r\\n")[2]))
                """
            )
            #expect(said == Array(repeating: "HTTP/1.1 413 300000", count: 3))
        }
    }

    @Test("what stands behind a mark of urgent data goes on at once, in a stream and behind an opening")
    func urgentMark() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                def until(s, end):
                    got = b""
                    while not got.endswith(end): got += s.recv(999)
                    return got
                s = socket.create_connection(("203.0.113.10", 8080), 15); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                head = get("/upgrade") + ("Connection: Upgrade", "Upgrade: test")
                s.sendall(("\\r\\n".join(head) + "\\r\\n\\r\\n").encode()); until(s, b"welcome")
                for _ in range(3):
                    s.send(b"before"); s.send(b"!", socket.MSG_OOB); s.send(b"behind")
                    print(until(s, b"BEHIND").decode())
                s.close()
                s = socket.create_connection(("203.0.113.10", 8080), 15); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                first, second = ("\\r\\n".join(get("/plain")) + "\\r\\n\\r\\n").encode().split(b" HTTP", 1)
                s.send(first); s.send(b"!", socket.MSG_OOB); s.send(b" HTTP" + second)
                print(until(s, b"GET /plain")[:12].decode())
                """
            )
            #expect(said == Array(repeating: "BEFOREBEHIND", count: 3) + ["HTTP/1.1 200"])
        }
    }
}
