import Foundation
import Testing

/// Who ended a changed protocol, and how, stands in both of its ends: of the request and of the connection.
@Suite("Changed protocols that end", .serialized, .timeLimit(.minutes(5)))
struct HTTPUpgradeEndTests {
    /// Who is the first to end it.
    enum First: String, CaseIterable, CustomTestStringConvertible {
        /// The server, with a word for it where there is TLS.
        case serverEnds
        /// The server, without one.
        case serverStops
        case clientEnds
        case clientStops

        var testDescription: String { rawValue }

        var side: String { self == .serverEnds || self == .serverStops ? "upstream" : "client" }
        var isSaid: Bool { self == .serverEnds || self == .clientEnds }

        /// What the client asks for, and what it does when the protocol has changed.
        var program: String {
            let query =
                switch self {
                case .serverEnds: "?end"
                case .serverStops: "?stop"
                case .clientEnds, .clientStops: ""
                }
            let end =
                switch self {
                case .serverEnds, .serverStops: "c.end()"
                case .clientEnds: "c.s.unwrap() if hasattr(c.s, 'unwrap') else c.s.shutdown(socket.SHUT_WR)"
                // Below TLS.
                case .clientStops: "socket.socket(fileno=os.dup(c.s.fileno())).shutdown(socket.SHUT_WR)"
                }
            return """
                c.send(*get("/upgrade\(query)", host), "Connection: Upgrade", "Upgrade: test")
                print(c.until(b"\\r\\n\\r\\n").split(b" ")[1], c.take(7))
                try: \(end)
                except OSError as error: print(error)
                time.sleep(0.5); c.s.close()
                """
        }
    }

    @Test("both ends say who went first", arguments: First.allCases)
    func plain(first: First) throws {
        try HTTPPod.with { bed in
            let said = try bed.agent("c, host = dial(), 'allowed.example:8080'\n" + first.program)
            #expect(said.first == "b'101' b'welcome'", "\(said)")
            try expect("closed \(first.side)", bed)
        }
    }

    @Test("inside TLS they say as well whether that was an end, or may have been cut", arguments: First.allCases)
    func inside(first: First) throws {
        try InterceptedPod.with { bed in
            let said = try bed.python("c, host = inside(), 'allowed.example:8443'\n" + first.program)
            #expect(said.first == "b'101' b'welcome'", "\(said)")
            let outcome = first.isSaid ? "closed" : "truncated"
            try expect("\(outcome) \(first.side)", HTTPPod(pod: bed.pod, origin: bed.origin))
        }
    }

    @Test("a client that stops inside TLS is told of, and not the alert that its server answers that with")
    func answered() throws {
        try InterceptedPod.with { bed in
            let server = try bed.pod.net.world.startPython(
                """
                import socket, ssl, sys
                listener = socket.create_server(("203.0.113.10", 8601)); print("ready", flush=True)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
                # An end without a word is an error, which the other side hears of.
                context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
                s = context.wrap_socket(listener.accept()[0], server_side=True, suppress_ragged_eofs=False); s.recv(4096)
                s.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: test\\r\\n\\r\\nwelcome")
                try: print("heard", s.recv(4096), flush=True)
                except OSError as error: print("heard", error.reason, flush=True)
                """,
                [bed.files.path("sound.pem"), bed.files.path("sound.key")],
                as: RunAs(uid: 0, gid: 0)
            )
            defer { server.stop() }
            let said = try bed.python(
                "c, host = inside(port=8601), 'allowed.example:8601'\n" + First.clientStops.program
            )
            #expect(said.first == "b'101' b'welcome'", "\(said)")
            #expect(server.waitForOutput("heard UNEXPECTED_EOF"), "\(server.output) \(server.errors)")
            try expect("truncated client", HTTPPod(pod: bed.pod, origin: bed.origin))
        }
    }

    @Test(
        "a client that is reset is not passed on as one that was done: the server is reset behind what it was sent",
        arguments: ["101", "upload", "answer"]
    )
    func reset(place: String) throws {
        try HTTPPod.with { bed in
            let server = try bed.pod.net.world.startPython(
                """
                import socket
                listener = socket.create_server(("203.0.113.30", 8601)); print("ready", flush=True)
                s = listener.accept()[0]; data = s.recv(4096)
                while b"\\r\\n\\r\\n" not in data: data += s.recv(4096)
                if b"Upgrade" in data: s.sendall(b"HTTP/1.1 101 OK\\r\\nConnection: Upgrade\\r\\nUpgrade: test\\r\\n\\r\\nwelcome")
                try:
                    while piece := s.recv(4096): data += piece
                    print("heard", data[-4:], "end", flush=True)
                except ConnectionResetError: print("heard", data[-4:], "reset", flush=True)
                """,
                as: RunAs(uid: 0, gid: 0)
            )
            defer { server.stop() }
            _ = try bed.agent(
                """
                import struct
                c, request = dial("203.0.113.30", 8601), get("/upgrade", "203.0.113.30:8601", method="POST")
                if "\(place)" == "101":
                    c.send(*request, "Connection: Upgrade", "Upgrade: test"); c.until(b"welcome"); c.raw(b"half")
                else: c.send(*request, "Content-Length: " + ("4" if "\(place)" == "answer" else "100"), body=b"half")
                time.sleep(0.3); c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); c.s.close()
                """
            )
            #expect(server.waitForOutput("heard b'half' reset"), "\(server.output) \(server.errors)")
            let request = try #require(try bed.requests(1).first)
            #expect(request.end?["outcome"] == "reset" && request.end?["closed_by"] == "client", "\(request)")
        }
    }

    private func expect(_ told: String, _ bed: HTTPPod) throws {
        let request = try #require(try bed.requests(1).first)
        let connection = try #require(try bed.pod.connections(1).first)
        let ends = [request.end, connection.end].map { "\($0?["outcome"] ?? "-") \($0?["closed_by"] ?? "-")" }
        #expect(ends == [told, told], "\(request) \(connection)")
    }
}
