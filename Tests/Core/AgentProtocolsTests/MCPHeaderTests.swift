import AgentProtocols
import Testing

@Suite struct MCPHeaderTests {
    @Test("F07: a header that says something else than the body is refused, in every revision")
    func refusesMismatches() {
        var method = Modern()
        method.head.methods = [Array("tools/list".utf8)]
        #expect(refusal(method.body, method.head) == "mcp_header_mismatch")
        var name = Modern()
        name.head.names = [Array("delete_repo".utf8)]
        #expect(refusal(name.body, name.head) == "mcp_header_mismatch")
        name.head.versions = [Array("2025-06-18".utf8)]
        name.version = nil
        #expect(refusal(name.body, name.head) == "mcp_header_mismatch")
        var version = Modern()
        version.version = "2025-11-25"
        #expect(refusal(version.body, version.head) == "mcp_header_mismatch")
        version.version = nil
        #expect(refusal(version.body, version.head) == "mcp_header_mismatch")
        var list = Modern()
        list.head.names = [Array("read_file, delete_repo".utf8)]
        #expect(refusal(list.body, list.head) == "mcp_header_mismatch")
    }

    @Test("F07: a header that the stateless revision asks for is missed")
    func missesHeaders() {
        var version = Modern()
        version.head.versions = []
        #expect(refusal(version.body, version.head) == "mcp_header_missing")
        var method = Modern()
        method.head.methods = []
        #expect(refusal(method.body, method.head) == "mcp_header_missing")
        var name = Modern()
        name.head.names = []
        #expect(refusal(name.body, name.head) == "mcp_header_missing")
        let uri =
            #"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#
        var resource = MCPHead(versions: [Array("2026-07-28".utf8)], methods: [Array("resources/read".utf8)])
        #expect(refusal(uri, resource) == "mcp_header_missing")
        resource.names = [Array("file:///a".utf8)]
        #expect(refusal(uri, resource) == nil)
    }

    @Test("F07: a header that stands twice is refused, even where both say the same")
    func refusesRepeatedHeaders() {
        for change in [\MCPHead.versions, \.methods, \.names] {
            var modern = Modern()
            modern.head[keyPath: change] += modern.head[keyPath: change]
            #expect(refusal(modern.body, modern.head) == "mcp_header_repeated")
        }
        var session = head("2025-06-18")
        session.sessions = [[0x61], [0x61]]
        #expect(refusal(toolCall("x"), session) == "mcp_header_repeated")
    }

    @Test("a name outside of ASCII stands in base 64, which is read in one form only")
    func decodesHeaders() {
        var modern = Modern()
        modern.name = "gr\u{fc}\u{df}"
        modern.head.names = [Array("=?base64?Z3LDvMOf?=".utf8)]
        #expect(refusal(modern.body, modern.head) == nil)
        let wrong = [
            ("=?base64?Z3LDvMO?=", "mcp_header_encoding"), ("=?BASE64?Z3LDvMOf?=", "mcp_header_encoding"),
            ("=?base64?", "mcp_header_encoding"), ("=?base64?/w==?=", "mcp_header_encoding"),
            ("=?base64?Z3J1ZXNz?=", "mcp_header_mismatch"), ("gr\u{fc}\u{df}", "mcp_header_encoding"),
        ]
        for (text, word) in wrong {
            modern.head.names = [Array(text.utf8)]
            #expect(refusal(modern.body, modern.head) == word, "\(text)")
        }
        // What looks alike is compared by its bytes.
        modern.head.names = [Array("=?base64?Z3J1zIjDnw==?=".utf8)]
        #expect(refusal(modern.body, modern.head) == "mcp_header_mismatch")
    }

    @Test("an extension's name is any text of its parameters, and an orphan is refused")
    func comparesOtherNames() {
        var head = MCPHead(versions: [Array("2026-07-28".utf8)], methods: [Array("tasks/get".utf8)])
        let body =
            #"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t-1","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#
        #expect(refusal(body, head) == nil)
        head.names = [Array("t-1".utf8)]
        #expect(refusal(body, head) == nil)
        head.names = [Array("read_file".utf8)]
        #expect(refusal(body, head) == "mcp_header_mismatch")
    }

    @Test("no header speaks for a batch or a response")
    func refusesHeadersOfMany() {
        var batch = head("2025-03-26")
        batch.methods = [Array("tools/call".utf8)]
        #expect(refusal("[\(toolCall("a"))]", batch) == "mcp_header_mismatch")
        var response = head("2025-06-18")
        response.methods = [Array("tools/call".utf8)]
        #expect(refusal(#"{"jsonrpc":"2.0","id":1,"result":{}}"#, response) == "mcp_header_mismatch")
    }

    @Test("the stateless revision has nothing but POST, and a notification needs no version inside")
    func keepsToPost() {
        var modern = Modern()
        modern.head.isPost = false
        #expect(refusal(modern.body, modern.head) == "mcp_not_post")
        let head = MCPHead(
            versions: [Array("2026-07-28".utf8)],
            methods: [Array("notifications/cancelled".utf8)]
        )
        #expect(refusal(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, head) == nil)
    }
}
