import Foundation
import Testing

@Suite("What traffic and surroundings say to the daemon")
struct RobustnessInputTests {
    /// Sends every byte in a server name and in a Host, alone and between letters, and further things that upset readers.
    private static let names = """
        odd = [bytes([b]) for b in range(256)] + [b"\\r\\n{\\"kind\\":\\"connection\\"}\\r\\n", b"\\x1b[2J\\x1b]0;x\\x07",
               "\\u2028\\u2029\\u202e\\ufeff".encode(), b"\\xff\\xfe\\xc0\\x80", b'","decision":"allow","x":"', b"\\\\u0000",
               b"A" * 5000, b"\\xed\\xa0\\x80", b"\\xf4\\x90\\x80\\x80"]
        payloads = [hello(prefix + o + suffix) for o in odd for prefix, suffix in ((b"", b""), (b"a", b".test"))]
        payloads += [b"GET /" + p + b" HTTP/1.1\\r\\nHost: a" + o + b".test\\r\\n\\r\\n" for o in odd for p in (b"", o)]
        payloads += [o + b" / HTTP/1.1\\r\\nHost: allowed.test\\r\\n\\r\\n" for o in odd]
        payloads += [b"GET / HTTP/1.1\\r\\n" + o + b": x\\r\\nHost: allowed.test\\r\\n\\r\\n" for o in odd]
        async def one(payload, gate):
            async with gate:
                try:
                    r, w = await asyncio.open_connection("203.0.113.66", 443)
                    w.write(payload); w.write_eof(); await asyncio.wait_for(r.read(), 8); w.close()
                except (OSError, asyncio.TimeoutError): pass
        async def main():
            gate = asyncio.Semaphore(40)
            await asyncio.gather(*(one(p, gate) for p in payloads))
        asyncio.run(main()); print(len(payloads))
        """

    @Test("G05: whatever bytes names and requests have, each line of the audit reads back as one object")
    func allBytes() throws {
        try DaemonBed.with { bed in
            let count = try #require(
                Int(try bed.agent(Self.names, seconds: 60).trimmingCharacters(in: .whitespacesAndNewlines))
            )
            let reading = try bed.audit { $0.connections.count >= count }
            #expect(reading.connections.count == count)
            let allowed = Set(reading.connections.filter(\.isAllowed).map(\.reason))
            #expect(allowed.isSubset(of: ["per_request"]))
            let passed = reading.lines.count { $0.kind == "request" && $0.isAllowed }
            #expect(passed == 0)
            #expect(try bed.arrivals().isEmpty)
            try expectSound(bed)
            let raw = try Data(contentsOf: URL(filePath: bed.folder.audit))
            let foreign = raw.filter { $0 != 10 && !(32...126).contains($0) }
            #expect(foreign.isEmpty, "control bytes or raw UTF-8 in the file")
            let said = bed.said.utf8.filter { $0 != 10 && $0 < 32 }
            #expect(said.isEmpty)
            let recorded = reading.connections.flatMap { [$0.text("sni"), $0.text("authority")] }
            #expect(
                recorded.allSatisfy {
                    $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
                }
            )
        }
    }

    /// Answers every question with one address, and says what was asked.
    private static let nameServer = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(0, 15, 1)  # IP_FREEBIND: answers must come from the address that was asked
        s.bind(("203.0.113.53", 53)); print("ready", flush=True)
        while True:
            data, peer = s.recvfrom(4096)
            labels, at = [], 12
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode()); at += 1 + data[at]
            kind = int.from_bytes(data[at + 1:at + 3], "big")
            print("asked", ".".join(labels).lower(), flush=True)
            head = data[:2] + b"\\x85\\x80\\0\\1" + (b"\\0\\1" if kind == 1 else b"\\0\\0") + b"\\0\\0\\0\\0"
            answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4" + bytes([203, 0, 113, 80]) if kind == 1 else b""
            s.sendto(head + data[12:at + 5] + answer, peer)
        """

    @Test("G11: proxy, resolver and key-log variables in the daemon's environment change nothing")
    func environment() throws {
        try DaemonBed.with(DaemonSettings(policy: DaemonPolicy.namesOnly), start: false) { bed in
            let dns = try bed.net.world.startPython(
                Self.nameServer,
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            let aliases = bed.folder.path + "/aliases"
            try bed.folder.write("intranet evil.test\nwww evil.test\n", to: aliases)
            let keys = bed.folder.auditFolder + "/keys"
            try bed.start(environment: [
                "HTTP_PROXY": "http://192.0.2.200:3128", "HTTPS_PROXY": "http://192.0.2.200:3128",
                "ALL_PROXY": "socks5://192.0.2.200:1080", "http_proxy": "http://192.0.2.200:3128",
                "RES_OPTIONS": "ndots:9 use-vc timeout:29 attempts:9", "LOCALDOMAIN": "evil.test more.test",
                "HOSTALIASES": aliases, "SSLKEYLOGFILE": keys, "OPENSSL_CONF": "/nonexistent", "TZ": "Asia/Tokyo",
                "SSL_CERT_FILE": "/nonexistent", "LC_ALL": "tr_TR.UTF-8", "PENSTOCK_CONFIG": "/nonexistent",
                "MALLOC_PERTURB_": "165",
            ])
            let result = try bed.agent(
                """
                print([echo("203.0.113.5", 443, hello(n)) for n in (b"intranet", b"www.allowed.test", b"WWW.allowed.TEST.")])
                """
            )
            let records = try bed.audit().connections.map { "\($0.text("sni")): \($0.reason)" }
            #expect(result == "['ok', 'ok', 'ok']\n", "\(records) \(dns.output)\(dns.errors)")
            let asked = Set(dns.output.split(separator: "\n").dropFirst())
            #expect(asked == ["asked intranet", "asked www.allowed.test"], "\(asked)")
            #expect(try bed.arrivals() == ["203.0.113.80"])
            #expect(!FileManager.default.fileExists(atPath: keys))
            let time = try #require(try bed.audit().lines.last?.text("time"))
            let now = Date().formatted(.iso8601).prefix(13)
            #expect(time.hasPrefix(now.prefix(11)), "\(time): UTC, whatever TZ says")
            try expectSound(bed)
        }
    }
}
