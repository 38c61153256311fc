#!/usr/bin/python3
"""The world's three plain services, on every address of its namespace.

    services.py RECORD

TCP 22: a server that speaks first, as SSH and SMTP do, then echoes. TCP 8080: a WebSocket server that echoes. UDP 443: a
sink where QUIC would be; whatever arrives is written to RECORD, a line each.
"""

import asyncio
import socket
import socketserver
import sys
import threading

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


def main():
    threading.Thread(target=record_datagrams, args=(sys.argv[1],), daemon=True).start()
    threading.Thread(target=asyncio.run, args=(serve_websockets(),), daemon=True).start()
    Server(("::", 22), SpeaksFirst).serve_forever()


if __name__ == "__main__":
    main()
