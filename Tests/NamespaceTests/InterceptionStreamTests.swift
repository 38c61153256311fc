import Foundation
import Testing

@Suite("Streams inside TLS")
struct InterceptionStreamTests {
    @Test("each event arrives before the next is sent, and chunks pass both ways as they come")
    func events() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                # The server sends event n + 1 when event n has been acknowledged on another connection.
                c, other = inside(), inside(); c.send(*at("/events?k")); c.until(b"\\r\\n\\r\\n")
                for n in range(5):
                    print(c.until(b"\\n\\n\\r\\n").split(b"data: ")[1].decode(), other.ask(*at("/turn?k"))[0])
                print(c.until(b"0\\r\\n\\r\\n"))
                c.send(*at("/duplex", method="POST"), "Transfer-Encoding: chunked"); c.until(b"\\r\\n\\r\\n")
                for word in (b"one", b"two", b"three"):
                    c.raw(b"%x\\r\\n%s\\r\\n" % (len(word), word)); c.until(b"\\r\\n"); print(c.take(len(word)).decode()); c.take(2)
                c.raw(b"0\\r\\n\\r\\n"); print(c.until(b"0\\r\\n\\r\\n"), why(c.ask(*at("/after"))))
                """
            )
            let events = (0..<5).map { "event \($0) 200" }
            #expect(said == events + ["b''", "ONE", "TWO", "THREE", "b'' 200"], "\(said)")
        }
    }

    /// 1 GiB, or so many GiB as PENSTOCK_TEST_GIB says.
    private static let size = (ProcessInfo.processInfo.environment["PENSTOCK_TEST_GIB"].flatMap { Int($0) } ?? 1) << 30

    @Test("a large body passes each way, whole, while the daemon stays as small as it was")
    func large() throws {
        let size = Self.size
        try InterceptedPod.with { bed in
            let http = HTTPPod(pod: bed.pod, origin: bed.origin)
            #expect(try bed.curl("https://allowed.example:8443/a") == "GET /a<200>")
            let before = try http.daemonMemory(atMost: true)
            let said = try bed.python(
                """
                c, size, piece = inside(timeout=60), \(size), bytes(1 << 18)
                c.send(*at("/big?%d" % size)); c.until(b"\\r\\n\\r\\n"); left, view = size - len(c.held), memoryview(bytearray(1 << 18))
                while left:
                    got = c.s.recv_into(view); left -= got
                    if not got: break
                c.held = b""; print(left)
                digest = hashlib.sha256()
                c.send(*at("/count", method="POST"), "Content-Length: %d" % size)
                for _ in range(size >> 18): c.raw(piece); digest.update(piece)
                print(c.read()[2].decode() == "%d %s" % (size, digest.hexdigest()))
                """,
                seconds: 900
            )
            #expect(said == ["0", "True"], "\(said)")
            let grown = try http.daemonMemory(atMost: true) - before
            #expect(grown < 8 << 20, "grown by \(grown) octets")
            let requests = try bed.requests(3)
            #expect(Int(requests[1].end?["bytes_down"] ?? "") ?? 0 > size, "\(requests[1])")
            #expect(Int(requests[2].end?["bytes_up"] ?? "") ?? 0 > size, "\(requests[2])")
        }
    }

    @Test("what was cut off looks cut off to the client, and what was ended does not")
    func truncated() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                def rest(path):
                    c = inside(); c.send(*at(path)); data = b""
                    try:
                        while piece := c.s.recv(65536): data += piece
                        return data.partition(b"\\r\\n\\r\\n")[2].decode() + " ended"
                    except ssl.SSLError: return data.partition(b"\\r\\n\\r\\n")[2].decode() + " cut"
                    except OSError as error: return data.partition(b"\\r\\n\\r\\n")[2].decode() + " " + name_of(error)
                for path in ("/notify", "/close", "/short", "/short-notified"): print(rest(path))
                """
            )
            #expect(said == ["until the end ended", "until the end cut", "short cut", "short cut"], "\(said)")
            let outcomes = try bed.requests(4).map { $0.end?["outcome"] ?? "-" }
            #expect(outcomes == ["closed", "truncated", "reset", "reset"], "\(outcomes)")
        }
    }

    @Test(
        "clients that are idle behind an answer take little memory: less than 32 KiB each, code and tables of all aside"
    )
    func idle() throws {
        try InterceptedPod.with(settings: "workers: 1") { bed in
            let http = HTTPPod(pod: bed.pod, origin: bed.origin)
            // What is taken once for all is there when the first crowd has come.
            let agent = try bed.startPython(
                """
                def crowd(n): return [c for c in (inside() for _ in range(n)) if c.ask(*at("/a"))[0] == 200]
                first = crowd(100); time.sleep(1); print("ready"); wait_for("\(bed.place())")
                more = crowd(300); time.sleep(1); print("held", len(first) + len(more)); wait_for("\(bed.place("end"))")
                print(set(c.ask(*at("/b"))[0] for c in first + more))
                """
            )
            let before = try http.daemonMemory()
            try bed.go()
            #expect(agent.waitForOutput("held 400", seconds: 60), "\(agent.output) \(agent.errors)")
            let grown = try http.daemonMemory() - before
            try bed.go("end")
            #expect(grown < 300 * 32 << 10, "\(grown / 300) octets a client")
            #expect(agent.wait(seconds: 60).output.hasSuffix("{200}\n"))
        }
    }

    @Test("an upload that its client breaks off does not look whole to the server")
    func brokenUpload() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                def break_off(field, body):
                    # Behind an answer, so that its server is reached already.
                    c = inside(); c.ask(*at("/first")); c.send(*at("/echo", method="POST"), field, body=body)
                    time.sleep(0.3); c.s.close()
                break_off("Content-Length: 100", b"half"); break_off("Transfer-Encoding: chunked", b"4\\r\\nhalf\\r\\n")
                print(why(inside().ask(*at("/a"))))
                """
            )
            #expect(said == ["200"])
            let visits = bed.origin.visits(2).map(\.data)
            let broken = visits.filter { $0.contains("POST") }
            #expect(broken.count == 2)
            let whole = broken.filter { $0.hasSuffix("0\r\n\r\n") }
            #expect(whole.isEmpty, "\(whole)")
            let outcomes = try bed.requests(5).compactMap { $0.end?["outcome"] }
            let failed = outcomes.filter { $0 != "closed" }
            #expect(failed.count == 2, "\(outcomes)")
        }
    }
}
