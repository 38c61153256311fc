import Testing

/// Many connections that move at once: what they are sent goes to the kernel together.
@Suite("Many connections at once")
struct CrowdTests {
    @Test("each answer is whole, plain and inside TLS, also for those who read slowly and are not kept")
    func whole() throws {
        try InterceptedPod.with(settings: InterceptionPoolingTests.single) { bed in
            let said = try bed.python(Self.program)
            #expect(said == ["64 busy", "slow [True]"], "\(said)")
        }
    }

    private static let program = """
        import asyncio, json
        over = time.time() + 6
        text = "".join(chr(97 + i * i % 26) for i in range(60000))
        async def opened(inside, room):
            s = socket.socket(); s.setblocking(False)
            if room: s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            await asyncio.get_running_loop().sock_connect(s, ("203.0.113.10", 8443 if inside else 8080))
            context = ssl.create_default_context() if inside else None
            return await asyncio.open_connection(sock=s, ssl=context, server_hostname="allowed.example" if inside else None)
        def asking(line, inside, *more):
            lines = [line + " HTTP/1.1", "Host: allowed.example:%d" % (8443 if inside else 8080), *more, "", ""]
            return "\\r\\n".join(lines).encode()
        async def busy(inside):
            r, w = await opened(inside, None); count = 0
            while time.time() < over:
                w.write(asking("GET /peer", inside)); head = await r.readuntil(b"\\r\\n\\r\\n")
                length = int([l for l in head.lower().split(b"\\r\\n") if l.startswith(b"content-length")][0].split(b":")[1])
                await r.readexactly(length); count += 1
            return count > 0
        async def slow(inside):
            found = set()
            while time.time() < over:
                r, w = await opened(inside, 2304); data = b""
                w.write(asking("POST /echo", inside, "Connection: close", "Content-Length: %d" % len(text)) + text.encode())
                while part := await r.read(3000):
                    data += part; await asyncio.sleep(0.001)
                found.add(json.loads(data.split(b"\\r\\n\\r\\n", 1)[1])["body"] == text); w.close()
            return found
        async def main():
            all = await asyncio.gather(*[busy(n % 2) for n in range(64)], *[slow(n % 2) for n in range(12)])
            print(sum(all[:64]), "busy"); print("slow", sorted(set().union(*all[64:])))
        asyncio.run(main())
        """
}
