/// The clients of the tests.
enum EgressClients {
    /// An address of either family as a URL's host.
    static func bracketed(_ address: String) -> String { address.contains(":") ? "[\(address)]" : address }

    /// An address and a port as the audit writes them.
    static func at(_ address: String, _ port: Int) -> String { "\(bracketed(address)):\(port)" }

    /// curl for a page of `name`, at an address that it is told and does not look up.
    static func curl(_ name: String, at address: String, port: Int = 443, _ more: [String] = []) -> [String] {
        let resolve = "\(name):\(port):\(bracketed(address))"
        let url = port == 80 ? "http://\(name)/" : "https://\(name):\(port)/"
        return ["curl", "-sS", "-m", "15", "--noproxy", "*", "--resolve", resolve] + more + [url]
    }

    /// Python's own HTTPS client, at an address that it is told.
    static func python(_ name: String, at address: String) -> [String] {
        let program = """
            import http.client, socket, ssl, sys
            name, address = sys.argv[1:]
            client = http.client.HTTPSConnection(name, timeout=15)
            client.sock = ssl.create_default_context().wrap_socket(
                socket.create_connection((address, 443), timeout=15), server_hostname=name)
            client.request("GET", "/")
            print(client.getresponse().read().decode(), end="")
            """
        return ["python3", "-c", program, name, address]
    }

    /// Node's own HTTPS client, at an address that it is told.
    static func node(_ name: String, at address: String) -> [String] {
        let program = """
            const [name, host] = process.argv.slice(1);
            const options = { host, servername: name, headers: { host: name }, timeout: 15000 };
            const request = require("https").get(options, answer => {
              answer.on("data", chunk => process.stdout.write(chunk));
            });
            request.on("timeout", () => request.destroy(new Error("timed out")));
            request.on("error", error => { console.error(error.message); process.exit(1); });
            """
        return ["node", "-e", program, name, address]
    }

    /// `openssl s_client`, which asks for a page of `name` and waits for the end of it.
    static func openssl(_ name: String, at address: String) -> [String] {
        let client = "openssl s_client -quiet -verify_quiet -verify_return_error -connect \(at(address, 443))"
        return [
            "sh", "-c",
            "printf 'GET / HTTP/1.0\\r\\nHost: \(name)\\r\\n\\r\\n' | timeout 15 \(client) -servername \(name) -ign_eof",
        ]
    }

    /// Python functions for raw clients: what a hello looks like, and what became of an attempt.
    static let kit = """
        import errno, json, os, select, socket, ssl, struct, sys, threading, time

        def family(address):
            return socket.AF_INET6 if ":" in address else socket.AF_INET

        def target(address, port):
            if ":" not in address: return (address, port)
            plain, _, zone = address.partition("%")
            return (plain, port, 0, socket.if_nametoindex(zone) if zone else 0)

        def ext(kind, body): return struct.pack(">HH", kind, len(body)) + body

        def server_name(*entries):
            body = b"".join(struct.pack(">BH", kind, len(name)) + name for kind, name in entries)
            return ext(0, struct.pack(">H", len(body)) + body)

        def hello(name=None, sni=None, version=0x0303, versions=(0x0304, 0x0303), more=b""):
            if sni is None: sni = server_name((0, name)) if name is not None else b""
            extensions = sni + ext(10, struct.pack(">HH", 2, 29)) + ext(13, struct.pack(">HH", 2, 0x0403))
            if versions: extensions += ext(43, bytes([2 * len(versions)]) + b"".join(struct.pack(">H", v) for v in versions))
            extensions += more
            body = struct.pack(">H", version) + bytes(range(32)) + bytes(1) + struct.pack(">HHH", 4, 0x1301, 0xc02b)
            body += bytes([1, 0]) + struct.pack(">H", len(extensions)) + extensions
            return bytes([1]) + len(body).to_bytes(3, "big") + body

        def record(data, version=0x0301, kind=22): return struct.pack(">BHH", kind, version, len(data)) + data

        def records(message, size=16384, version=0x0301):
            return b"".join(record(message[at:at + size], version) for at in range(0, len(message), size))

        def tls(*arguments, **options): return [records(hello(*arguments, **options))]

        def single(data): return [bytes([octet]) for octet in data]

        def name_of(error):
            if isinstance(error, TimeoutError): return "silence"
            name = errno.errorcode.get(error.errno, str(error))
            return "reset" if name == "ECONNRESET" else name

        def classify(data):
            if not data: return "closed"
            if data[0] == 21 and len(data) == 7: return "alert %d" % data[6]
            if b"application/problem+json" in data:
                return "%s %s" % (data.split()[1].decode(), json.loads(data.partition(b"\\r\\n\\r\\n")[2])["reason"])
            return data.decode(errors="replace").strip()

        # Source ports to use, each once; None: as the kernel likes. It gives one port to several destinations.
        source_ports = None

        def attempt(address, port, pieces, pause=0, end="", timeout=20, prepare=lambda s: None, first=b""):
            s = socket.socket(family(address), socket.SOCK_STREAM)
            s.settimeout(timeout)
            prepare(s)
            if source_ports: s.bind(("", next(source_ports)))
            try: s.connect(target(address, port))
            except OSError as error:
                s.close()
                return name_of(error)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            data = b""
            try:
                while first and not data.endswith(first):
                    more = s.recv(65536)
                    if not more: return "closed early: " + classify(data)
                    data += more
                data = b""
                for piece in pieces:
                    s.sendall(piece)
                    if pause: time.sleep(pause)
                if end == "fin": s.shutdown(socket.SHUT_WR)
                while more := s.recv(65536):
                    data += more
                    if data.startswith(b"served"): break
                return classify(data)
            except OSError as error:
                if name_of(error) == "EPIPE": return "reset"
                return classify(data) + ", reset" if data else name_of(error)
            finally: s.close()

        def show(*arguments, **options): print(attempt(*arguments, **options), flush=True)

        """ + "\n"
}
