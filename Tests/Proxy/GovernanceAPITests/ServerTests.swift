import AuditStore
import AuditTrail
import EventLoops
import Foundation
import GovernanceAPI
import LinuxBindings
import NetworkTypes
import Testing

/// The API as a server on a loop, asked by real clients.
@Suite struct ServerTests {
    private static let allowed = question(#""host":"a.example""#)

    @Test("a question over HTTP is answered, and its record written, with the user who owns the asking socket")
    func oneQuestion() async throws {
        let served = try await Served()
        let answer = try curl(served.url("/api/v1/check-policy"), "-d", Self.allowed)
        #expect(try object(Array(answer.utf8))["allowed"] as? Bool == true)
        let records = try await served.end()
        #expect(records.map { $0["kind"] as? String } == ["lifecycle", "check"])
        #expect((records.last?["caller"] as? [String: Any])?["uid"] as? UInt32 == getuid())
        #expect(records.last?["id"] as? String == (try object(Array(answer.utf8))["audit_entry_id"] as? String))
    }

    @Test("a connection is kept for further questions, and each leaves a record")
    func keepAlive() async throws {
        let served = try await Served()
        let said = try python(
            """
            import http.client, json, sys
            c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            for host in ["a.example", "evil.a.example", "b.example"] * 20:
                body = json.dumps({"action": "fetch", "context": {"host": host}})
                c.request("POST", "/api/v1/check-policy", body, {"Content-Type": "application/json"})
                sock = c.sock
                r = c.getresponse(); print(json.loads(r.read())["reason"], c.sock is sock)
            c.request("GET", "/health"); print(c.getresponse().read()[:14])
            """,
            served.port
        )
        let once = "rule_allow True\nrule_deny True\ndefault_deny True\n"
        let expected = String(repeating: once, count: 20) + "b'{\"status\":\"ok\"'\n"
        #expect(said == expected)
        let checks = try await served.end().filter { $0["kind"] as? String == "check" }
        #expect(checks.count == 60)
        #expect(Set(checks.compactMap { $0["id"] as? String }).count == 60)
    }

    @Test("pipelined questions, a chunked one and one that waits for 100 are answered in order")
    func wire() async throws {
        let served = try await Served()
        let said = try python(
            """
            import socket, sys
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            body = b'{"action":"fetch","context":{"host":"a.example"}}'
            head = b"POST /api/v1/check-policy HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n"
            one = head + b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body
            chunked = head + b"Transfer-Encoding: chunked\\r\\n\\r\\n%x\\r\\n" % len(body) + body + b"\\r\\n0\\r\\n\\r\\n"
            s.sendall(one + chunked + one + head + b"Expect: 100-continue\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body))
            seen = b""
            while b"100 Continue" not in seen: seen += s.recv(65536)
            s.sendall(body)
            while True:
                more = s.recv(65536)
                if not more: break
                seen += more
            print(seen.count(b"HTTP/1.1 200 OK"), seen.count(b'"allowed":true'), seen.count(b"Connection: close"))
            """,
            served.port
        )
        #expect(said == "4 4 1\n")
        #expect(try await served.end().count == 5)
    }

    @Test(
        "what is no request is 400, too large a body 413, and the connection is closed behind the answer",
        arguments: [
            (#"b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n""#, "400"),
            (#"b"GET /health HTTP/1.1\r\n\r\n""#, "400"), (#"b"\x16\x03\x01\x00\x05hello" + b"\r\n" * 9"#, "400"),
            (
                #"b"POST /api/v1/check-policy HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n" + b"x" * 65537"#,
                "413"
            ),
            (
                #"b"POST /health HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n\r\n""#,
                "413"
            ),
        ]
    )
    func malformed(request: String, status: String) async throws {
        let served = try await Served()
        let said = try python(
            """
            import socket, sys
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            s.sendall(\(request))
            seen = b""
            while True:
                more = s.recv(65536)
                if not more: break
                seen += more
            print(seen[9:12].decode(), seen.count(b"Connection: close"))
            """,
            served.port
        )
        #expect(said == "\(status) 1\n")
        #expect(try await served.end().count == 1)
    }

    @Test("a new policy answers the next question of a connection that was there before")
    func newPolicy() async throws {
        let served = try await Served()
        #expect(try curl(served.url("/api/v1/check-policy"), "-d", Self.allowed).contains(#""allowed":true"#))
        await served.adopt(GovernancePolicy(nil, generation: 2))
        #expect(try curl(served.url("/api/v1/check-policy"), "-d", Self.allowed).contains(#""reason":"no_policy""#))
        let records = try await served.end()
        #expect(records.compactMap { $0["policy_generation"] as? Int } == [1, 2])
    }

    @Test("an answer that cannot be recorded is not given")
    func unrecorded() async throws {
        let served = try await Served()
        // Cut short behind the writer's back, the file takes nothing more.
        try FileHandle(forWritingTo: URL(filePath: served.file)).truncate(atOffset: 0)
        let answer = try curl(served.url("/api/v1/check-policy"), "-d", Self.allowed, "-w", "%{http_code}")
        #expect(answer == #"{"detail":"The audit stream cannot be written"}503"#)
        await served.stop()
    }

    @Test("G07: where all callers that there may be wait for their records, one more is told so at once")
    func crowdWithoutRecords() async throws {
        let served = try await Served(auditNanoseconds: 3_000_000_000)
        try FileHandle(forWritingTo: URL(filePath: served.file)).truncate(atOffset: 0)
        let said = try python(
            """
            import socket, sys, time
            body = b'{"action":"fetch","context":{"host":"a.example"}}'
            head = b"POST /api/v1/check-policy HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n"
            def ask():
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                s.sendall(head + b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body); return s
            def read(s):
                seen = b""
                while more := s.recv(65536): seen += more
                return seen
            waiting = [ask() for _ in range(128)]; time.sleep(0.5)
            begun = time.monotonic(); more = [read(ask()) for _ in range(100)]
            print(len({*more}), b" 503 " in more[0] and b"Too many callers" in more[0] and b"Retry-After: 1" in more[0])
            print(time.monotonic() - begun < 2)
            answers = [read(s) for s in waiting]
            print(sum(b" 503 " in a and b"audit stream" in a for a in answers))
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            s.sendall(b"GET /health HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"); print(read(s)[9:12].decode())
            """,
            served.port
        )
        #expect(said == "1 True\nTrue\n128\n200\n")
        await served.stop()
    }

    @Test("questions beyond the pace of their user are answered 429 and leave no record")
    func pace() async throws {
        let served = try await Served(decisionsPerSecond: 10)
        let said = try python(
            """
            import http.client, json, sys
            c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            answers = []
            for _ in range(60):
                body = json.dumps({"action": "fetch", "context": {"host": "a.example"}})
                c.request("POST", "/api/v1/check-policy", body, {"Content-Type": "application/json"})
                r = c.getresponse(); after = r.getheader("Retry-After")
                answers.append((r.status, after, json.loads(r.read()).get("detail")))
            print(answers[0][:2], answers[10][:2], answers[-1])
            c.request("GET", "/health"); print(c.getresponse().status)
            print(sum(a[0] == 200 for a in answers))
            """,
            served.port
        )
        let lines = said.split(separator: "\n")
        #expect(lines.first == "(200, None) (200, None) (429, '1', 'Too many questions in a second')")
        #expect(lines.count == 3 && lines[1] == "200", "\(said)")
        let checks = try await served.end().count { $0["kind"] as? String == "check" }
        #expect(checks < 40 && String(checks) == lines.last ?? "", "\(checks) \(said)")
    }

    @Test("G07: callers who stall inside their questions are let go for newer ones, as idle ones are")
    func stallingCallers() async throws {
        let served = try await Served()
        let said = try python(
            """
            import http.client, socket, sys, time
            head = b"POST /api/v1/check-policy HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 60000\\r\\n\\r\\n"
            def stall():
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); s.sendall(head + b"x" * 1000); return s
            begun = time.monotonic(); first = [stall() for _ in range(128)]
            c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            c.request("GET", "/health"); c.getresponse().read()
            more = [stall() for _ in range(127)]
            gone = 0
            for s in first:
                s.settimeout(3)
                try: gone += s.recv(1) == b""
                except ConnectionResetError: gone += 1
            c.request("GET", "/health"); print(c.getresponse().status, gone, time.monotonic() - begun < 4)
            """,
            served.port
        )
        #expect(said == "200 128 True\n")
        _ = try await served.end()
    }

    @Test("a caller who says nothing keeps nobody waiting, and is not kept when the server stops")
    func silentCallers() async throws {
        let served = try await Served()
        let said = try python(
            """
            import http.client, socket, sys
            idle = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(300)]
            c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            c.request("GET", "/health"); print(c.getresponse().status)
            for s in idle: s.settimeout(10)
            gone = [s.recv(1) for s in idle[:172]]
            idle[-1].settimeout(0.2)
            try: idle[-1].recv(1); print("the newest is gone")
            except TimeoutError: print(gone == [b""] * 172)
            """,
            served.port
        )
        #expect(said == "200\nTrue\n")
        _ = try await served.end()
    }
}

/// A server with the policy of `Asking`, on a loop and a port of its own.
private final class Served: Sendable {
    let port: UInt16
    let file: String
    private let loop: EventLoop
    private let server: LoopBound<GovernanceServer>
    private let audit: AuditWriter

    init(auditNanoseconds: UInt64 = 500_000_000, decisionsPerSecond: Int = 25_000) async throws {
        file = "/tmp/governance-\(UUID().uuidString).jsonl"
        loop = try EventLoop(index: 0)
        try loop.start()
        audit = try AuditWriter(path: file, durability: .written, version: "1", pid: 1) { 1_795_256_104_123_456 }
        let listener = try listeningSocket(
            on: SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: 0),
            backlog: 512,
            sharedPort: false
        )
        port = try localAddress(listener)?.port ?? 0
        let services = GovernanceServices(
            settings: GovernanceSettings(
                workload: WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: nil)
            ),
            audit: audit,
            ownPorts: [port],
            auditNanoseconds: auditNanoseconds,
            decisionsPerSecond: decisionsPerSecond,
            isReady: { true },
            clock: monotonicNanoseconds
        )
        let policy = GovernancePolicy(Asking().policy, generation: 1)
        server = try await makeServer(services, policy, listener.release(), on: loop)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: file)
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func adopt(_ policy: GovernancePolicy) async {
        await GovernanceAPITests.adopt(policy, server, on: loop)
    }

    func stop() async {
        await stopServer(server, on: loop)
        _ = audit.finish(timeout: .seconds(5))
        await loop.stop()
    }

    /// Stops, and gives back all lines of the audit file.
    func end() async throws -> [[String: Any]] {
        await stop()
        let content = try Data(contentsOf: URL(filePath: file))
        return try content.split(separator: UInt8(ascii: "\n")).map { try object([UInt8]($0)) }
    }
}

private func makeServer(
    _ services: GovernanceServices,
    _ policy: GovernancePolicy,
    _ listener: Int32,
    on loop: isolated EventLoop
) throws -> LoopBound<GovernanceServer> {
    let server = try GovernanceServer(services, policy, on: loop)
    try server.serve(adopting: OwnedDescriptor(adopting: listener), on: loop)
    return LoopBound(server, on: loop)
}

private func adopt(_ policy: GovernancePolicy, _ server: LoopBound<GovernanceServer>, on loop: isolated EventLoop) {
    server.value(on: loop).adopt(policy)
}

private func stopServer(_ server: LoopBound<GovernanceServer>, on loop: isolated EventLoop) {
    server.value(on: loop).stop(on: loop)
}

private func curl(_ arguments: String...) throws -> String {
    try run("curl", ["-sS", "--noproxy", "*", "-H", "Content-Type: application/json"] + arguments)
}

private func python(_ program: String, _ port: UInt16) throws -> String {
    try run("python3", ["-c", program, "\(port)"])
}

/// Runs a program to its end; what it wrote.
private func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = output
    try process.run()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: said, as: UTF8.self)
}
