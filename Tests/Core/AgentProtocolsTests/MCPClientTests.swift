import AgentProtocols
import Testing
import WireFormats

/// Requests as the Python SDK 2.3.0 sends them, but for fields that say nothing of MCP.
@Suite struct MCPClientTests {
    /// One request, and what is to be read in it.
    struct Sent: CustomTestStringConvertible {
        var method = "POST"
        var fields: [String]
        var body = ""
        /// `era method tool`; nil where nothing is called.
        var expected: String?

        var testDescription: String { expected ?? "\(method) without a call" }
    }

    private static let meta =
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"mcp","version":"0.1.0"},"io.modelcontextprotocol/clientCapabilities":{}}"#
    private static let session = [
        "mcp-session-id: 9303a1e4209a4ef98f036cc101e85586", "mcp-protocol-version: 2025-11-25",
    ]

    private static func modern(_ method: String, _ params: String, name: String? = nil, _ expected: String) -> Sent {
        Sent(
            fields: ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: \(method)"]
                + (name.map { ["Mcp-Name: \($0)"] } ?? []),
            body: #"{"jsonrpc":"2.0","id":2,"method":"\#(method)","params":{\#(params)\#(meta)}}"#,
            expected: "2026-07-28 \(method)\(expected)"
        )
    }

    private static func legacy(_ message: String, _ expected: String) -> Sent {
        Sent(fields: session, body: #"{"jsonrpc":"2.0",\#(message)}"#, expected: "2025-11-25 \(expected)")
    }

    static let requests: [Sent] = [
        modern("server/discover", "", ""),
        modern("tools/list", "", ""),
        modern("tools/call", #""name":"read_file","arguments":{"path":"/a"},"#, name: "read_file", " read_file"),
        modern("tools/call", #""name":"größe","arguments":{"x":3},"#, name: "=?base64?Z3LDtsOfZQ==?=", " größe"),
        modern("resources/read", #""uri":"file:///etc/motd","#, name: "file:///etc/motd", ""),
        modern("prompts/get", #""name":"ask","arguments":{"q":"1"},"#, name: "ask", ""),
        Sent(
            fields: [],
            body:
                #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"mcp","version":"0.1.0"}}}"#,
            expected: "2025-11-25 initialize"
        ),
        legacy(#""method":"notifications/initialized""#, "notifications/initialized"),
        legacy(#""id":2,"method":"tools/list""#, "tools/list"),
        legacy(
            #""id":5,"method":"tools/call","params":{"name":"delete_repo","arguments":{"repo":"a"}}"#,
            "tools/call delete_repo"
        ),
        legacy(#""id":7,"method":"resources/read","params":{"uri":"file:///etc/motd"}"#, "resources/read"),
        Sent(method: "GET", fields: session),
        Sent(method: "DELETE", fields: session),
    ]

    @Test("what a real client sends is read from its head and its body", arguments: requests)
    func readsClients(sent: Sent) throws {
        let fields = ["Host: tools.example", "Content-Type: application/json"] + sent.fields
        let length = sent.body.isEmpty ? [] : ["Content-Length: \(sent.body.utf8.count)"]
        let text = "\(sent.method) /mcp HTTP/1.1\r\n" + (fields + length).map { $0 + "\r\n" }.joined() + "\r\n"
        var reader = HTTP1RequestReader(limits: HTTP1Limits())
        let request = try #require(try reader.read(Array(text.utf8).span))
        let message = try MCPReader().read(Array(sent.body.utf8), of: MCPHead(request))
        let told = message.map { message in
            let calls = message.calls.map {
                ([$0.method, $0.tool] as [String?]).compactMap(\.self).joined(separator: " ")
            }
            return "\(message.era.rawValue) \(calls.joined(separator: ", "))"
        }
        #expect(told == sent.expected)
    }
}
