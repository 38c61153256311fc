import Foundation
import Testing

/// The MCP SDK for Python as people use it, and bodies that no SDK sends.
@Suite("Tools of MCP servers, called inside TLS")
struct InterceptionMCPTests {
    /// Names what is denied.
    private static let denies = """
          - name: tools
            match: { hosts: [allowed.example], ports: [8443, 8602] }
            action: inspect
          - name: no-delete
            match: { hosts: [allowed.example], mcp: { tools: ["delete_*"] } }
            action: deny
        """

    /// Names what is allowed, as docs/policy.md does.
    private static let allows = """
          - name: tools
            match:
              hosts: [allowed.example]
              ports: [8602]
              protocols: [tls]
              http: { paths: [/mcp] }
              mcp:
                methods: [initialize, ping, "notifications/*", server/discover, tools/list, tools/call]
                tools: [read_file, list_files]
            action: inspect
          - name: streams
            match: { hosts: [allowed.example], ports: [8602], protocols: [tls], http: { methods: [GET, DELETE], paths: [/mcp] } }
            action: inspect
        """

    /// How a client speaks, how the server answers, and under which policy.
    struct Talk: Sendable, CustomTestStringConvertible {
        /// As the SDK's `Client` calls it.
        var mode: String
        /// The revision that comes of it.
        var revision: String
        /// `json`, or `sse` for streams of events.
        var style: String
        var isAllowList = false

        var testDescription: String {
            "\(mode), \(revision), \(style), \(isAllowList ? "a list of what is allowed" : "one denied")"
        }
        /// What an error of a denied tool says.
        var refusal: String { isAllowList ? "-32010 None default_deny" : "-32010 no-delete rule_deny" }
        var denyingRule: String? { isAllowList ? nil : "no-delete" }
    }

    @Test(
        "the SDK calls an allowed tool, gets an error of its own for a denied one, and its session goes on",
        arguments: [
            Talk(mode: "auto", revision: "2026-07-28", style: "json"),
            Talk(mode: "2026-07-28", revision: "2026-07-28", style: "sse", isAllowList: true),
            Talk(mode: "legacy", revision: "2025-11-25", style: "sse"),
            Talk(mode: "legacy", revision: "2025-11-25", style: "json", isAllowList: true),
            // What a client of that revision asks for in its first message: the one thing that is told to the SDK.
            Talk(mode: "legacy", revision: "2025-06-18", style: "sse"),
            Talk(mode: "legacy", revision: "2025-03-26", style: "sse"),
        ]
    )
    func sdk(talk: Talk) throws {
        try #require(
            FileManager.default.fileExists(atPath: InterceptedPod.python),
            "the MCP SDK is not there: make venv"
        )
        try InterceptedPod.with(talk.isAllowList ? Self.allows : Self.denies) { bed in
            let server = try Self.serve(bed, style: talk.style)
            let client = [InterceptedPod.python, "-c", Self.client, talk.mode, talk.revision]
            let result = try bed.agent(client, variable: "SSL_CERT_FILE", seconds: 60)
            let said = result.output.split(separator: "\n").map(String.init)
            #expect(
                said == [
                    "\(talk.revision) delete_file read_file", "content of a", talk.refusal,
                    "content of 0 | \(talk.refusal) | content of 2 | \(talk.refusal)", "content of z",
                ],
                "\(result)"
            )
            let ran = server.output.split(separator: "\n").filter { $0.hasPrefix("tool ") }.sorted()
            #expect(ran == ["tool read_file 0", "tool read_file 2", "tool read_file a", "tool read_file z"])
            try check(try bed.requests(7), talk)
        }
    }

    @Test("a client of 2024-11-05 calls over its stream of events: a denied tool never runs, and the session goes on")
    func eventStream() throws {
        try #require(
            FileManager.default.fileExists(atPath: InterceptedPod.python),
            "the MCP SDK is not there: make venv"
        )
        try InterceptedPod.with(Self.denies) { bed in
            let server = try Self.serve(bed, style: "events")
            let result = try bed.agent(
                [InterceptedPod.python, "-c", Self.eventClient],
                variable: "SSL_CERT_FILE",
                seconds: 60
            )
            let said = result.output.split(separator: "\n").map(String.init)
            // The SDK looks for answers on the stream alone, and waits there for that of a call that was denied.
            let expected = ["2024-11-05 delete_file read_file", "content of a", "-32001 timed out", "content of z"]
            #expect(said == expected, "\(result)")
            let ran = server.output.split(separator: "\n").filter { $0.hasPrefix("tool ") }
            #expect(ran == ["tool read_file a", "tool read_file z"])
            let calls = try bed.requests(7).filter { $0["mcp.method"] == "tools/call" }
            let verdicts = calls.map { "\($0["decision"] ?? "") \($0["mcp.tool"] ?? "") \($0["rule"] ?? "")" }
            #expect(verdicts == ["allow read_file tools", "deny delete_file no-delete", "allow read_file tools"])
        }
    }

    /// What the audit says of the calls that `client` makes.
    private func check(_ requests: [HTTPRequestRecords], _ talk: Talk) throws {
        let calls = requests.filter { $0["mcp.method"] == "tools/call" }
        let denied = calls.filter { $0["decision"] == "deny" }
        let allowed = calls.filter { $0["decision"] == "allow" }
        let tools = denied.map { $0["mcp.tool"] } + allowed.map { $0["mcp.tool"] }
        #expect(tools == Array(repeating: "delete_file", count: 3) + Array(repeating: "read_file", count: 4))
        let rules = Set(denied.map { $0["rule"] })
        #expect(rules == [talk.denyingRule], "\(denied)")
        let identifiers = Set(calls.compactMap { $0["mcp.id"] })
        #expect(identifiers.count == 7, "\(calls)")
        let eras = Set(calls.compactMap { $0["mcp.era"] })
        #expect(eras == [talk.revision], "\(calls)")
        let others = requests.filter { $0["mcp.method"] != "tools/call" && $0["decision"] != "allow" }
        #expect(others.isEmpty, "\(others)")
    }

    /// A body, with the fields beside it, and what becomes of it: the status, and the body of the answer or a part of it.
    private struct Message {
        var body: String
        var fields: [String] = []
        var gets: String
    }

    @Test("F07: one denied call in a batch of 2025-03-26 denies the batch, and each call in it is answered")
    func batches() throws {
        let read = Self.call("read_file", id: "1")
        let refused = #"200 [{"jsonrpc":"2.0","id":1,"error":{"code":-32010"#
        try expect([
            Message(body: "[\(read),\(Self.call("list_files", id: "2"))]", gets: "200 POST /mcp"),
            Message(body: "[\(read),\(Self.call("delete_file", id: "\"b\""))]", gets: refused),
            Message(body: "[\(Self.call("delete_file", id: "1"))]", gets: refused),
            // Both in one: which of them a server would answer to nobody knows.
            Message(body: "[\(read),\(Self.call("list_files", id: "1"))]", gets: "400 mcp_id_repeated"),
            // The revisions behind it have no batches.
            Message(body: "[\(read)]", fields: ["MCP-Protocol-Version: 2025-06-18"], gets: "400 mcp_batch"),
        ])
    }

    @Test("F07: a denied tool by another spelling is denied or refused, with the identifier that the call had")
    func spellings() throws {
        let escaped = Self.call("delete_file", id: "1").replacing("delete", with: #"\u0064elete"#)
        try expect([
            Message(body: Self.call("read_file", id: "1"), gets: "200 POST /mcp"),
            Message(body: escaped, gets: #"200 {"jsonrpc":"2.0","id":1,"error":{"code":-32010"#),
            Message(
                body: Self.call("delete_file", id: #""\u0061\"""#),
                gets: #"200 {"jsonrpc":"2.0","id":"\u0061\"","error":{"code":-32010"#
            ),
            Message(
                body: Self.call("read_file", id: "1").replacing("tools/call", with: "Tools/Call"),
                gets: "400 mcp_method_case"
            ),
            Message(
                body:
                    #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","name":"delete_file"}}"#,
                gets: "400 mcp_json_"
            ),
            Message(body: Self.call("read_file", id: "1").replacing("name", with: "Name"), gets: "400 mcp_key_case"),
            Message(body: Self.call("read_file", id: "1.5"), gets: "400 mcp_id_type"),
            Message(
                body: Self.call("read_file", id: "\"\(String(repeating: "x", count: 300))\""),
                gets: "400 mcp_id_too_long"
            ),
            Message(body: Self.call("read_file", id: "1", arguments: "1e999"), gets: "400 mcp_number_range"),
            Message(body: Self.call("read_file", id: "1", arguments: "NaN"), gets: "400 mcp_json_"),
            Message(
                body: Self.call("read_file", id: "1", arguments: nested(100)),
                gets: "400 mcp_json_"
            ),
            // A call that would be an answer to another.
            Message(
                body: #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"},"result":{}}"#,
                gets: "400 mcp_message_kind"
            ),
            Message(
                body: Self.call("read_file", id: "1"),
                fields: ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: list_files"],
                gets: "400 mcp_header_"
            ),
            // Resources and prompts call no tool, and no rule is about them.
            Message(
                body: #"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///delete_file"}}"#,
                gets: "200 POST /mcp"
            ),
        ])
    }

    @Test("F07: a call in an encoding, or in a coding, that servers may look at or not is refused")
    func encodings() throws {
        let wide = Self.call("+AGQ-elete_file", id: "1")
        let named = ["Content-Type: application/json; charset=utf-7"]
        try expect([
            Message(body: wide, fields: named, gets: "400 mcp_encoding"),
            Message(body: Self.call("read_file", id: "1"), fields: named, gets: "400 mcp_encoding"),
            Message(
                body: Self.call("read_file", id: "1"),
                fields: ["Content-Type: application/json; charset=\"UTF-8\"; x=y"],
                gets: "200 POST /mcp"
            ),
            Message(body: Self.blankOnceDecoded, fields: ["Content-Encoding: br"], gets: "400 mcp_coding"),
        ])
    }

    /// A call that is a stream of brotli as well, of nothing but white space.
    private static let blankOnceDecoded =
        "\r{\"P!@\u{BE}\u{22A}eMX(" + #"":0,"jsonrpc":"2.0","id":1,"method":"tools/call","#
        + #""params":{"name":"delete_file","arguments":{}},"p":""#
        + String(repeating: "a", count: 20549) + #"","z":"(5@DaBD(Dw1H"}"#

    private func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    /// Sends the messages on one connection, one after the other; what is not let through never arrives.
    private func expect(_ messages: [Message], _ place: SourceLocation = #_sourceLocation) throws {
        try InterceptedPod.with(Self.denies) { bed in
            let file = bed.files.path("messages.json")
            try JSONEncoder().encode(messages.map { [[$0.body], $0.fields] }).write(to: URL(filePath: file))
            let said = try bed.python(
                """
                c = inside()
                for [body], fields in json.load(open("\(file)")):
                    body = body.encode()
                    status, head, said = c.ask(*at("/mcp", method="POST"), "Content-Type: application/json",
                        "Accept: application/json, text/event-stream", "Content-Length: %d" % len(body), *fields, body=body)
                    print(status, said.decode())
                """
            )
            #expect(said.count == messages.count, "\(said)", sourceLocation: place)
            for (message, answer) in zip(messages, said) {
                let status = message.gets.prefix { $0 != " " }
                let text = message.gets.dropFirst(status.count + 1)
                #expect(
                    answer.hasPrefix(status + " ") && answer.contains(text),
                    "\(message.body) \(answer)",
                    sourceLocation: place
                )
            }
            let passed = messages.count { $0.gets == "200 POST /mcp" }
            #expect(bed.origin.requests().count == passed, sourceLocation: place)
            let requests = try bed.requests(messages.count)
            let allowed = requests.count { $0["decision"] == "allow" }
            #expect(requests.count == messages.count && allowed == passed, "\(requests)", sourceLocation: place)
        }
    }

    private static func call(_ tool: String, id: String, arguments: String = "1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":{"a":\#(arguments)}}}"#
    }

    // MARK: The SDK's programs

    /// Starts a server of the SDK on 8602, with two tools that say when they run.
    private static func serve(_ bed: InterceptedPod, style: String) throws -> BackgroundProcess {
        let server = try bed.pod.net.world.start(
            [
                InterceptedPod.python, "-u", "-c", Self.server, bed.files.path("sound.pem"),
                bed.files.path("sound.key"), style,
            ]
        )
        guard server.waitForOutput("ready") else { throw EgressWorld.Failed(what: "\(server.errors)") }
        return server
    }

    private static let server = """
        import sys, uvicorn
        from mcp.server.mcpserver import MCPServer
        from mcp.server.transport_security import TransportSecuritySettings
        certificate, key, style = sys.argv[1:]
        tools = MCPServer("files")
        @tools.tool()
        def read_file(path: str) -> str:
            print("tool read_file", path, flush=True)
            return "content of " + path
        @tools.tool()
        def delete_file(path: str) -> str:
            print("tool delete_file", path, flush=True)
            return "gone"
        class Server(uvicorn.Server):
            async def startup(self, sockets=None):
                await super().startup(sockets)
                print("ready", flush=True)
        # The name is the daemon's to judge.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        if style == "events": app = tools.sse_app(host="0.0.0.0", transport_security=security)
        else: app = tools.streamable_http_app(json_response=style == "json", host="0.0.0.0", transport_security=security)
        Server(uvicorn.Config(app, "0.0.0.0", 8602, ssl_certfile=certificate, ssl_keyfile=key, log_level="warning")).run()
        """

    private static let eventClient = """
        import anyio
        import mcp.client.session
        from mcp import ClientSession, MCPError
        from mcp.client.sse import sse_client
        mcp.client.session.LATEST_HANDSHAKE_VERSION = "2024-11-05"
        async def main():
            async with sse_client("https://allowed.example:8602/sse") as streams, ClientSession(*streams, read_timeout_seconds=5) as s:
                version = (await s.initialize()).protocol_version
                print(version, *sorted(t.name for t in (await s.list_tools()).tools))
                async def call(tool, path):
                    try: return (await s.call_tool(tool, {"path": path})).content[0].text
                    except MCPError as e: return "%d %s" % (e.code, str(e)[-9:])
                print(await call("read_file", "a")); print(await call("delete_file", "b")); print(await call("read_file", "z"))
        anyio.run(main)
        """

    private static let client = """
        import anyio, sys
        import mcp.client.session
        from mcp import Client, MCPError
        mode, revision = sys.argv[1:]
        if mode == "legacy": mcp.client.session.LATEST_HANDSHAKE_VERSION = revision
        async def main():
            async with Client("https://allowed.example:8602/mcp", mode=mode) as c:
                print(c.protocol_version, *sorted(t.name for t in (await c.list_tools()).tools))
                async def call(tool, path):
                    try: return (await c.call_tool(tool, {"path": path})).content[0].text
                    except MCPError as e: return "%d %s %s" % (e.code, e.data["rule"], e.data["reason"])
                print(await call("read_file", "a"))
                print(await call("delete_file", "b"))
                said = {}
                async def keep(tool, path): said[path] = await call(tool, path)
                async with anyio.create_task_group() as group:
                    for n in range(4): group.start_soon(keep, ("read_file", "delete_file")[n % 2], str(n))
                print(" | ".join(said[path] for path in sorted(said)))
                print(await call("read_file", "z"))
        anyio.run(main)
        """
}
