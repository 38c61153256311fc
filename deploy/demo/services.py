#!/usr/bin/python3
"""The world's two plain services, on every address of its namespace.

    services.py RECORD

TCP 22: a server that speaks first, as SSH and SMTP do, then echoes. UDP 443: a sink where QUIC would be; whatever
arrives is written to RECORD, a line each.
"""

import socket
import socketserver
import sys
import threading

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


def main():
    threading.Thread(target=record_datagrams, args=(sys.argv[1],), daemon=True).start()
    Server(("::", 22), SpeaksFirst).serve_forever()


if __name__ == "__main__":
    main()
