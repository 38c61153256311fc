import Foundation
import Testing

/// What ends a WebSocket before its time stands in both of its ends: of the request and of the connection.
@Suite("WebSockets that are cut", .serialized, .timeLimit(.minutes(5)))
struct HTTPUpgradeCutTests {
    /// What takes the right away from a WebSocket that is open.
    enum Cause: CaseIterable, CustomTestStringConvertible {
        /// A policy that no longer allows it.
        case reload
        /// The daemon is told to stop, and has waited.
        case drain
        /// What a rule says of the size of its messages.
        case size
        /// What a rule says of how much goes up in all.
        case budget

        var testDescription: String { "\(self)" }

        /// What the ends say: outcome, reason, rule.
        var told: [String?] {
            switch self {
            case .reload: ["policy_changed", "policy_changed", "sockets"]
            case .drain: ["drained", "draining", nil]
            case .size: ["cut", "request_too_large", "sockets"]
            case .budget: ["cut", "budget_exhausted", "sockets"]
            }
        }
    }

    /// How a WebSocket passes.
    enum Passage: CaseIterable, CustomTestStringConvertible {
        /// Nobody looks at its messages.
        case unseen
        /// A rule is about the size of its messages.
        case measured
        /// Inside TLS that ends here.
        case inside

        var testDescription: String { "\(self)" }

        func rule(_ cause: Cause) -> String {
            let match = self == .inside ? "ports: [8601], protocols: [tls, http]" : "ports: [8765], protocols: [http]"
            let isMeasured = self == .measured || cause == .size
            return """
                  - name: sockets
                    match: { hosts: [allowed.example], \(match) }
                    action: \(self == .inside ? "inspect" : "allow")
                \(isMeasured ? "    limits: { request_bytes: 64KiB }" : "")
                \(cause == .budget ? "    budget: { bytes_up: 256KiB }" : "")
                """
        }

        var url: String { self == .inside ? "wss://allowed.example:8601/" : "ws://allowed.example:8765/" }
    }

    /// Says small messages and hears their echoes; then large ones, until it is over.
    private static func talk(_ passage: Passage, _ cause: Cause) -> String {
        """
        import asyncio, websockets
        async def talk():
            async with websockets.connect("\(passage.url)", compression=None, max_size=None) as ws:
                await ws.send("hello"); await ws.recv(); print("ready", flush=True)
                size = {"size": 70000, "budget": 60000}.get("\(cause)")
                while size: await ws.send("x" * size); await ws.recv()
                await ws.recv()
        try: asyncio.run(talk())
        except Exception as error: print("over", type(error).__name__, error, flush=True)
        """
    }

    @Test(
        "both ends of a WebSocket that is cut say why, whoever looks at it",
        arguments: [
            (.reload, .unseen), (.reload, .measured), (.reload, .inside), (.drain, .unseen), (.drain, .inside),
            (.size, .measured), (.size, .inside), (.budget, .inside),
        ] as [(Cause, Passage)]
    )
    func cut(cause: Cause, passage: Passage) throws {
        let program = Self.talk(passage, cause)
        if passage == .inside {
            try InterceptedPod.with(passage.rule(cause)) { bed in
                let server = try bed.serveWebSockets()
                defer { server.stop() }
                let client = try bed.startPython(program)
                try expect(cause, client, HTTPPod(pod: bed.pod, origin: bed.origin))
            }
        } else {
            try HTTPPod.with(passage.rule(cause)) { bed in
                let server = try HTTPInspectionTests.serveWebSockets(bed)
                defer { server.stop() }
                let client = try bed.startAgent(program)
                try expect(cause, client, bed)
            }
        }
    }

    private func expect(_ cause: Cause, _ client: BackgroundProcess, _ bed: HTTPPod) throws {
        switch cause {
        case .reload: try bed.pod.reload("  - name: other\n    match: { hosts: [other.example] }\n    action: allow\n")
        case .drain: bed.pod.stop()
        case .size, .budget: break
        }
        #expect(client.waitForOutput("over", seconds: 15), "\(client.output) \(client.errors)")
        let request = try #require(try bed.requests(1).first)
        let end = ["outcome", "reason", "rule"].map { request.end?[$0] }
        #expect(end == cause.told, "\(request)")
        let connection = try #require(try bed.pod.connections(1).first)
        let last = ["outcome", "reason", "rule"].map { connection.end?[$0] }
        #expect(last == cause.told, "\(connection)")
    }
}
