#!/usr/bin/python3
"""The world's services, on every address of its namespace unless it says otherwise.

    services.py RECORD

TCP 22: a server that speaks first, as SSH and SMTP do, then echoes. TCP 8080: a WebSocket server that echoes. UDP 443: a
sink where QUIC would be; whatever arrives is written to RECORD, a line each. TCP 8090 of 127.0.0.1, for nginx: /events is
a stream of server-sent events, /mcp a server with tools (Model Context Protocol).
"""

import asyncio
import http.server
import json
import socket
import socketserver
import sys
import threading
import time

import websockets

BANNER = b"SSH-2.0-penstock-lab\r\n"


class SpeaksFirst(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(10)
        self.request.sendall(BANNER)
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except OSError:
            pass  # the peer's business


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def record_datagrams(path):
    sink = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sink.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sink.bind(("::", 443))
    with open(path, "a", buffering=1) as record:
        while True:
            data, peer = sink.recvfrom(65536)
            record.write(f"{peer[0]} {peer[1]} {data.hex()}\n")


async def echo(connection, _path=None):
    async for message in connection:
        await connection.send(message)


async def serve_websockets():
    async with websockets.serve(echo, ["0.0.0.0", "::"], 8080):
        await asyncio.Future()


class StreamsAndTools(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        """Three events with half a second between them; each says when it left, by the machine's own clock."""
        self.begin("text/event-stream")
        for word in ("one", "two", "three"):
            self.wfile.write(f"data: {json.dumps([word, time.monotonic()])}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.5)

    def do_POST(self):
        """Whatever tool is called has worked."""
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = [{"type": "text", "text": f"{call['params']['name']} has run"}]
        self.begin("application/json")
        self.wfile.write(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": {"content": content}}).encode())

    def begin(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, *_):
        pass  # the audit is what is looked at


def main():
    threading.Thread(target=record_datagrams, args=(sys.argv[1],), daemon=True).start()
    threading.Thread(target=asyncio.run, args=(serve_websockets(),), daemon=True).start()
    streams = http.server.ThreadingHTTPServer(("127.0.0.1", 8090), StreamsAndTools)
    threading.Thread(target=streams.serve_forever, daemon=True).start()
    Server(("::", 22), SpeaksFirst).serve_forever()


if __name__ == "__main__":
    main()
