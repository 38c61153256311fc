/// The servers of the world, a port for each way to behave, and the functions that agents use.
enum DaemonWorld {
    /// Python functions for all programs of a test of the daemon.
    static let kit = """
        \(NetworkNamespace.pythonSay)
        import asyncio, errno, hashlib, json, os, select, socket, struct, sys, threading, time

        def name(error):
            if isinstance(error, TimeoutError): return "timeout"
            return errno.errorcode.get(error.errno, type(error).__name__)

        def reset(s):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close()

        def pattern(size):
            piece = hashlib.sha512(b"penstock").digest()
            return (piece * (size // 64 + 1))[:size]

        def dial(address, port, timeout=15):
            s = socket.create_connection((address, port), timeout)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return s

        def read_all(s):
            data = bytearray()
            while piece := s.recv(1 << 18): data += piece
            return bytes(data)

        def echo(address, port=7001, text=b"\\0hello", timeout=15):
            # What became of a conversation with the echo server: ok, or the error's name.
            try:
                with dial(address, port, timeout) as s:
                    s.sendall(text)
                    got = b""
                    while len(got) < len(text):
                        piece = s.recv(100)
                        if not piece: return "closed"
                        got += piece
                    return "ok" if got == text else "wrong"
            except OSError as error:
                return name(error)

        def ask(path, method="GET"):
            with socket.create_connection(("127.0.0.1", 15890), 5) as s:
                s.sendall(f"{method} {path} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode())
                head, _, body = read_all(s).decode().partition("\\r\\n\\r\\n")
                return head, body

        def ask_until(path, status, text, seconds):
            deadline = time.time() + seconds
            last = "0\\n"
            while True:
                try:
                    head, body = ask(path)
                    last = head.split(" ")[1] + "\\n" + body
                    if last.startswith(status) and text in last: return last
                except (OSError, IndexError) as error:
                    last = f"0\\n{error}"
                if time.time() > deadline: return last
                time.sleep(0.02)

        def hello(name_bytes):
            two = lambda n: n.to_bytes(2, "big")
            entry = b"\\0" + two(len(name_bytes)) + name_bytes
            names = two(len(entry)) + entry
            extensions = b"\\0\\0" + two(len(names)) + names
            body = b"\\3\\3" + bytes(32) + b"\\0" + two(2) + b"\\x13\\1" + b"\\1\\0" + two(len(extensions)) + extensions
            message = b"\\1" + len(body).to_bytes(3, "big") + body
            return b"\\x16\\3\\1" + two(len(message)) + message

        """ + "\n"

    /// Serves on every address; says a line for each connection that is over.
    static let program =
        kit + """
            import socketserver

            def echo_back(c):
                try:
                    while data := c.recv(65536): c.sendall(data)
                    say("echo eof")
                except OSError as error:
                    say("echo", name(error))

            def sink(c):
                total, digest = 0, hashlib.sha256()
                try:
                    while data := c.recv(1 << 18):
                        total += len(data); digest.update(data)
                    say("sink", total, digest.hexdigest())
                except OSError as error:
                    say("sink", total, name(error))

            def source(c):
                c.recv(100); c.sendall(pattern(8 << 20)); c.close()

            def answer_late(c):
                data = read_all(c); c.sendall(b"got %d %s" % (len(data), hashlib.sha256(data).hexdigest().encode()))

            def end_early(c):
                c.sendall(b"server done"); c.shutdown(socket.SHUT_WR)
                data = read_all(c); say("after the end", len(data), hashlib.sha256(data).hexdigest())

            def reset_it(c):
                c.recv(100); reset(c)

            def read_slowly(c):
                for _ in range(12):
                    if not c.recv(1): break
                    time.sleep(0.25)
                say("slow reader stops"); reset(c)

            def push(c):
                c.recv(100); sent, piece = 0, bytes(65536)
                try:
                    while sent < 64 << 20: sent += c.send(piece)
                except OSError as error:
                    return say("push", sent, name(error))
                say("push", sent, "all")

            def tick(c):
                try:
                    while True:
                        c.sendall(b"tick\\n"); time.sleep(0.05)
                except OSError as error:
                    say("tick", name(error))

            def bulk(c):
                c.recv(100); sent, piece = 0, bytes(1 << 20)
                for _ in range(1024):
                    c.sendall(piece); sent += len(piece)
                say("bulk", sent)

            BEHAVIOURS = {7001: echo_back, 7002: sink, 7003: source, 7004: answer_late, 7005: end_early, 7006: reset_it,
                          7007: read_slowly, 7008: push, 7009: tick, 7010: bulk, 443: echo_back}

            class Handler(socketserver.BaseRequestHandler):
                def handle(self):
                    self.request.settimeout(60)
                    try: BEHAVIOURS[self.request.getsockname()[1]](self.request)
                    except OSError as error: say("failed", name(error))

            class Server(socketserver.ThreadingTCPServer):
                address_family, allow_reuse_address, daemon_threads = socket.AF_INET6, True, True
                request_queue_size = 2048
                def server_bind(self):
                    self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                    super().server_bind()
                def handle_error(self, *words): pass

            for port in BEHAVIOURS:
                threading.Thread(target=Server(("::", port), Handler).serve_forever, args=(0.1,), daemon=True).start()
            print("ready", flush=True)
            threading.Event().wait()
            """
}
