import Foundation

/// Servers of the world that speak TLS and more than `HTTPOrigin` does.
extension InterceptedPod {
    /// Python with the packages of Tests/Containers/requirements.txt.
    static let python = Built.package.appending(path: ".build/venv/bin/python").path

    /// Puts a repository and a package index where nginx finds them.
    func serveFiles() throws {
        try EgressHTTPClientsTests.writeFiles(below: pod.world.folder.path)
    }

    /// Starts a server of WebSockets that echoes, with permessage-deflate, on 8601.
    func serveWebSockets() throws -> BackgroundProcess { try serve(Self.webSockets) }

    /// Starts a server that talks like those of language models, on 8600.
    ///
    /// Each event of its streams waits until the one before has been acknowledged: by a GET of `/ack`.
    func serveModel() throws -> BackgroundProcess { try serve(Self.model) }

    /// Starts a server on 8604 that gives tickets in TLS 1.3 and takes none: it ends a handshake that offers one with an alert.
    func serveTicketsInVain() throws -> BackgroundProcess { try serve(Self.ticketsInVain) }

    private func serve(_ program: String) throws -> BackgroundProcess {
        // Debian's own Python, which has the package; another may be first on PATH.
        let files = [files.path("sound.pem"), files.path("sound.key")]
        let server = try pod.net.world.start(["/usr/bin/python3", "-u", "-c", program] + files)
        guard server.waitForOutput("ready") else { throw EgressWorld.Failed(what: "\(server.errors)") }
        return server
    }

    private static let webSockets = """
        import asyncio, ssl, sys, websockets
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(*sys.argv[1:])
        async def echo(connection, path=None):
            print("extensions", [e.name for e in connection.extensions], flush=True)
            async for message in connection: await connection.send(message)
        async def main():
            async with websockets.serve(echo, ["0.0.0.0", "::"], 8601, max_size=None, ssl=context):
                print("ready", flush=True); await asyncio.Future()
        asyncio.run(main())
        """

    private static let ticketsInVain = """
        import socket, ssl, sys, time
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(*sys.argv[1:])
        def offers(hello):
            at = 5 + 4 + 2 + 32; at += 1 + hello[at]; at += 2 + int.from_bytes(hello[at:at + 2]); at += 1 + hello[at]; at += 2
            kinds = []
            while at + 4 <= len(hello):
                kinds.append(int.from_bytes(hello[at:at + 2])); at += 4 + int.from_bytes(hello[at + 2:at + 4])
            return 41 in kinds
        l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(("0.0.0.0", 8604)); l.listen(9)
        print("ready", flush=True)
        while True:
            c = l.accept()[0]; time.sleep(0.1); hello = c.recv(4096, socket.MSG_PEEK)
            if offers(hello):
                print("refused", flush=True); c.recv(4096); c.sendall(bytes([21, 3, 3, 0, 2, 2, 80])); c.close(); continue
            try:
                with context.wrap_socket(c, server_side=True) as t:
                    t.recv(4096); t.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
                print("served", flush=True)
            except OSError as error: print(error, flush=True)
        """

    private static let model = """
        import http.server, json, ssl, sys, threading
        acknowledged = threading.Semaphore(0)
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *words): pass
            def piece(self, data): self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(data), data)); self.wfile.flush()
            def do_GET(self):
                acknowledged.release()
                self.send_response(200); self.send_header("Content-Length", "3"); self.end_headers(); self.wfile.write(b"ack")
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200); self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked"); self.end_headers()
                words = ["one ", "two ", "three"]
                if self.path.endswith("/messages"):
                    events = [("message_start", {"message": {"id": "m", "type": "message", "role": "assistant", "content": [],
                        "model": asked["model"], "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}}),
                        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})]
                    events += [("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": w}}) for w in words]
                    events += [("content_block_stop", {"index": 0}), ("message_delta", {"delta": {"stop_reason": "end_turn",
                        "stop_sequence": None}, "usage": {"output_tokens": 3}}), ("message_stop", {})]
                    events = [("event: %s\\ndata: %s\\n\\n" % (kind, json.dumps({"type": kind, **data})), "text_delta" in str(data))
                              for kind, data in events]
                else:
                    chunk = lambda delta, why: json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1,
                        "model": asked["model"], "choices": [{"index": 0, "delta": delta, "finish_reason": why}]})
                    events = [("data: %s\\n\\n" % chunk({"content": w}, None), True) for w in words]
                    events += [("data: %s\\n\\n" % chunk({}, "stop"), False), ("data: [DONE]\\n\\n", False)]
                for text, waits in events:
                    self.piece(text.encode())
                    # Whoever holds an event back never sees the next.
                    if waits and not acknowledged.acquire(timeout=15): print("held back", flush=True); return
                self.wfile.write(b"0\\r\\n\\r\\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(*sys.argv[1:])
        server = http.server.ThreadingHTTPServer(("0.0.0.0", 8600), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("ready", flush=True); server.serve_forever()
        """
}
