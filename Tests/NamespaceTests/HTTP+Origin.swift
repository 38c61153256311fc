import Foundation

/// A server of the world that answers each path in its own way, and writes down every byte that reaches it.
final class HTTPOrigin {
    private let process: BackgroundProcess

    /// Starts it on every address; `listeners` are further ports of it that speak TLS.
    init(_ pod: GuardedPod, port: Int = 8080, listeners: [TLSListener] = []) throws {
        let others = String(decoding: try JSONEncoder().encode(listeners), as: UTF8.self)
        process = try pod.net.world.startPython(
            Self.program,
            ["\(port)", others],
            as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service", "dac_override"])
        )
    }

    /// A port that speaks TLS.
    struct TLSListener: Encodable {
        var port: Int
        /// PEM files.
        var certificate: String
        var key: String
        /// A PEM file of the authority whose certificates clients must show; empty: they need none.
        var clientAuthority = ""
        /// As Python's `ssl.TLSVersion` calls them.
        var oldest = "TLSv1_2"
        var newest = "TLSv1_3"
    }

    /// The TLS handshakes that were done, such as `8443 TLSv1.3 full -`: port, version, `full` or `resumed`, and whom the
    /// client's certificate is for; and those that failed: `8443 failed`.
    func handshakes(on port: Int) -> [String] {
        lines("session").filter { $0.first == "\(port)" }.map { $0.dropFirst().joined(separator: " ") }
    }

    /// How many connections were accepted on a port.
    func accepts(on port: Int) -> Int { lines("accept").count { $0 == ["\(port)"] } }

    /// One connection that is over.
    struct Visit: CustomStringConvertible {
        var address: String
        /// Everything that came, in the order in which it came.
        var data: String
        var description: String { "\(address): \(data)" }
    }

    /// The connections that are over; waits until there are `count`.
    func visits(_ count: Int = 0) -> [Visit] {
        var found: [Visit] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            found = lines("visit").compactMap { words in
                guard words.count == 2, let data = Data(hexadecimal: words[1]) else { return nil }
                return Visit(address: words[0], data: String(decoding: data, as: UTF8.self))
            }
            return found.count >= count
        }
        return found
    }

    /// The request lines that came, in the order in which they were read; waits until there are `count`.
    func requests(_ count: Int = 0) -> [String] {
        var found: [String] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            found = lines("request").map { $0.joined(separator: " ") }
            return found.count >= count
        }
        return found
    }

    /// What came behind the requests for `/until-end`: `end`, or `more`; waits until there are `count`.
    func heard(_ count: Int) -> [String] {
        var found: [String] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            found = lines("heard").map { $0.joined(separator: " ") }
            return found.count >= count
        }
        return found
    }

    private func lines(_ kind: String) -> [[String]] {
        process.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            .filter { $0.first == kind }.map { Array($0.dropFirst()) }
    }

    private static let program = """
        import gzip, hashlib, itertools, json, socket, ssl, struct, sys, threading, time
        serials, turns, waiting = itertools.count(1), {}, threading.Condition()
        \(NetworkNamespace.pythonSay)
        class Peer:
            def __init__(self, c): self.c, self.held, self.all, self.serial, self.count = c, b"", b"", 0, 0
            def more(self):
                data = self.c.recv(65536)
                if not data: raise EOFError
                if len(self.all) < 1 << 20: self.all += data
                self.held += data
            def until(self, mark):
                while mark not in self.held: self.more()
                head, _, self.held = self.held.partition(mark)
                return head
            def take(self, n):
                while len(self.held) < n: self.more()
                data, self.held = self.held[:n], self.held[n:]
                return data
            def body(self, head):
                if "content-length" in head: return self.take(int(head["content-length"]))
                if "transfer-encoding" not in head: return b""
                whole = b""
                while size := int(self.until(b"\\r\\n"), 16):
                    whole += self.take(size); assert self.take(2) == b"\\r\\n"
                while line := self.until(b"\\r\\n"): head["trailer " + line.decode()] = ""
                return whole

        def answer(c, text, more="", status="200 OK"):
            data = text.encode() if isinstance(text, str) else text
            c.sendall(b"HTTP/1.1 %s\\r\\nContent-Length: %d\\r\\n%s\\r\\n" % (status.encode(), len(data), more.encode()) + data)

        def serve(c, at, p):
            while True:
                raw = p.until(b"\\r\\n\\r\\n").decode("latin-1")
                line, *fields = raw.split("\\r\\n")
                head = {k.lower(): v.strip() for k, _, v in (f.partition(":") for f in fields)}
                say("request", line); p.count += 1
                method, target, _ = line.split(" ")
                path = target.partition("?")[0]
                if path == "/early":
                    answer(c, "too much", "Connection: close\\r\\n", "413 Content Too Large"); time.sleep(0.2); return
                if path == "/early-large":
                    # All of it has arrived, and still nothing of the body is read.
                    answer(c, bytes(int(target.partition("?")[2])), "", "413 Content Too Large"); time.sleep(0.5); return
                if path == "/final": answer(c, "no", "", "403 Forbidden"); continue
                if path == "/duplex":
                    c.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
                    while size := int(p.until(b"\\r\\n"), 16):
                        data = p.take(size); p.take(2); c.sendall(b"%x\\r\\n%s\\r\\n" % (size, data.upper()))
                    p.until(b"\\r\\n"); c.sendall(b"0\\r\\n\\r\\n"); continue
                if path == "/count":
                    left, total = int(head["content-length"]), 0
                    digest = hashlib.sha256(p.held); total += len(p.held); p.held = b""
                    while total < left:
                        data = c.recv(1 << 18)
                        if not data: raise EOFError
                        digest.update(data); total += len(data)
                    answer(c, "%d %s" % (total, digest.hexdigest())); continue
                if path == "/unread": time.sleep(30); return
                if "expect" in head and path != "/silent":
                    # As Netty says it, if it is asked to.
                    c.sendall(b"HTTP/1.1 100 Continue\\r\\n%s\\r\\n" % (b"content-length: 0\\r\\n" if "?netty" in target else b""))
                body = p.body(head)
                if path == "/echo": answer(c, json.dumps({"line": line, "fields": fields, "body": body.decode(), "at": at,
                    "trailers": [k[8:] for k in head if k.startswith("trailer ")]}))
                elif path == "/chunked":
                    c.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
                    for piece in (b"5;x=y\\r\\nhello\\r\\n", b"1\\r", b"\\n \\r\\n0000005\\r\\nwor", b"ld\\r\\n", b"0;z\\r\\nX-End: 1\\r\\n\\r\\n"):
                        c.sendall(piece); time.sleep(0.02)
                # Which connection this is, and how many requests it has carried.
                elif path == "/peer": answer(c, "%d %d" % (p.serial, p.count), head.get("x-more", "") and head["x-more"] + "\\r\\n")
                elif path == "/challenge": answer(c, "%d %d" % (p.serial, p.count), "WWW-Authenticate: " + head["x-scheme"] + "\\r\\n",
                    "401 Unauthorized")
                elif path == "/turn":
                    with waiting: turns[target] = turns.get(target, 0) + 1; waiting.notify_all()
                    answer(c, "turned")
                elif path == "/events":
                    # Each event but the first is sent when somebody has asked for /turn with the same query.
                    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
                    key = "/turn?" + target.partition("?")[2]
                    for n in range(5):
                        with waiting:
                            if not waiting.wait_for(lambda: turns.get(key, 0) >= n, 20): return
                        event = b"data: event %d\\n\\n" % n
                        c.sendall(b"%x\\r\\n%s\\r\\n" % (len(event), event))
                    c.sendall(b"0\\r\\n\\r\\n")
                elif path == "/notify":
                    c.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\nuntil the end")
                    try: c.unwrap()
                    except OSError: pass
                    return
                elif path == "/close": c.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\nuntil the end"); return
                elif path == "/hop": answer(c, "hop", "Alt-Svc: h3=\\":443\\"\\r\\nConnection: X-Hop, keep-alive\\r\\nX-Hop: 1\\r\\n"
                    "Keep-Alive: timeout=5\\r\\nProxy-Authenticate: x\\r\\nX-End-To-End: 1\\r\\n")
                elif path == "/hints":
                    c.sendall(b"HTTP/1.1 103 Early Hints\\r\\nLink: </a>\\r\\n\\r\\n"); time.sleep(0.05); answer(c, "hinted")
                elif path == "/none": c.sendall(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
                elif path == "/same": c.sendall(b"HTTP/1.1 304 Not Modified\\r\\nContent-Length: 99\\r\\n\\r\\n")
                elif path == "/away": answer(c, "", "Location: " + head["x-to"] + "\\r\\n", "302 Found")
                elif path == "/upgrade":
                    said = b"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: %s\\r\\n\\r\\nwelcome" % head["upgrade"].encode()
                    # With its end, in one segment.
                    if target.endswith("?at-once"): c.send(said, socket.MSG_MORE); c.shutdown(socket.SHUT_WR); return
                    c.sendall(said)
                    if target.endswith("?deaf"): time.sleep(60); return
                    if target.endswith("?stop"): return
                    if target.endswith("?end"): (c.unwrap if hasattr(c, "unwrap") else c.close)(); return
                    while data := (p.held or c.recv(65536)):
                        p.all += data if not p.held else b""; p.held = b""
                        c.sendall(data.upper())
                    return
                elif path == "/wait": time.sleep(float(target.partition("?")[2])); answer(c, "waited")
                elif path == "/until-end":
                    # Who asked has its time to end, and nothing else to say.
                    c.settimeout(20); more = p.held or c.recv(65536); c.settimeout(None)
                    say("heard", "more" if more else "end")
                    if not target.endswith("?answer"): return
                    answer(c, "behind the end")
                elif path == "/dead": return
                elif path == "/garbage": c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\nContent-Length: 2\\r\\n\\r\\nxx"); return
                elif path == "/short": c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nshort"); return
                elif path == "/short-notified":
                    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nshort")
                    try: c.unwrap()
                    except OSError: pass
                    return
                # What the request's body says is the answer.
                elif path == "/say": c.sendall(body)
                elif path == "/twice": answer(c, "one"); answer(c, "two")
                elif path == "/once": answer(c, "once"); time.sleep(0.05); return
                elif path == "/once-late": answer(c, "once"); p.until(b"\\r\\n\\r\\n"); return
                elif path == "/gzip": answer(c, gzip.compress(bytes(int(target.partition("?")[2]))), "Content-Encoding: gzip\\r\\n")
                elif path == "/pieces":
                    c.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
                    for _ in range(int(target.partition("?")[2])): c.sendall(b"10000\\r\\n" + bytes(65536) + b"\\r\\n"); time.sleep(0.02)
                    c.sendall(b"0\\r\\n\\r\\n")
                elif path == "/big":
                    n = int(target.partition("?")[2]); c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % n)
                    while n: n -= c.send(bytes(min(n, 1 << 18)))
                else: answer(c, "%s %s" % (method, target) if method != "HEAD" else "")
        def visit(c, context, port):
            say("accept", port)
            address, p = c.getsockname()[0].removeprefix("::ffff:"), Peer(c)
            # Otherwise what is sent second waits until the first is acknowledged: with the next request, at the latest.
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                try: c = p.c = context.wrap_socket(c, server_side=True)
                except OSError as error: say("session", port, "failed", error.reason if isinstance(error, ssl.SSLError) else error)
                else:
                    shown = dict(x[0] for x in (c.getpeercert() or {}).get("subject", ()))
                    say("session", port, c.version(), "resumed" if c.session_reused else "full", shown.get("commonName", "-"))
            p.serial = next(serials)
            try: serve(c, address, p)
            except (OSError, EOFError, AssertionError, ValueError): pass
            say("visit", address, p.all.hex() or "-"); c.close()
        def context(wish):
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            # What is too weak for others has to be shown to them first.
            made.set_ciphers("ALL:@SECLEVEL=0")
            made.minimum_version, made.maximum_version = ssl.TLSVersion[wish["oldest"]], ssl.TLSVersion[wish["newest"]]
            made.load_cert_chain(wish["certificate"], wish["key"])
            if wish["clientAuthority"]:
                made.verify_mode = ssl.CERT_REQUIRED; made.load_verify_locations(wish["clientAuthority"])
            return made
        def listen(port, context=None):
            l = socket.socket(socket.AF_INET6); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            l.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            l.bind(("::", port)); l.listen(512)
            def accept():
                while True: threading.Thread(target=visit, args=(l.accept()[0], context, port), daemon=True).start()
            threading.Thread(target=accept, daemon=True).start()
        for wish in json.loads(sys.argv[2]): listen(wish["port"], context(wish))
        listen(int(sys.argv[1])); print("ready", flush=True); threading.Event().wait()
        """
}

extension Data {
    /// Reads pairs of hexadecimal digits; a hyphen is no data.
    fileprivate init?(hexadecimal text: String) {
        self.init()
        if text == "-" { return }
        var rest = text[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            append(byte)
            rest = rest.dropFirst(2)
        }
    }
}
