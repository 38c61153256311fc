import AgentProtocols
import Testing
import WireFormats

@Suite struct MCPReaderTests {
    @Test(
        "a call is read in every revision that a header names, and its era is told",
        arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
    )
    func readsEachEra(version: String) throws {
        let message = try #require(try read(toolCall("read_file"), head(version)))
        #expect(message.era.rawValue == version)
        #expect(message.calls.map(\.method) == ["tools/call"])
        #expect(message.calls.map(\.tool) == ["read_file"])
        #expect(message.calls.map(\.kind) == [.request(id: Array("1".utf8))])
        #expect(!message.isBatch)
    }

    @Test("a call of the stateless revision is read where its headers say what it says")
    func readsStateless() throws {
        let message = try #require(try Modern().read())
        #expect(message.era == .stateless)
        #expect(message.calls.map(\.tool) == ["read_file"])
    }

    @Test("without a header, a handshake says its revision, and anything else says none")
    func readsUndeclared() throws {
        let handshake = #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2024-11-05"}}"#
        #expect(try read(handshake)?.era == .events)
        #expect(try read(toolCall("x"))?.era == .undeclared)
        let offer = #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2031-01-01"}}"#
        #expect(try read(offer)?.era == .undeclared)
    }

    @Test(
        "what is no message is none, whoever sends it",
        arguments: [
            "", "  \n", "hello", "a=b&c=d", "--boundary", "17", "\"text\"", "null", "[]", "[1,2]", "{}",
            #"{"model":"m","messages":[{"role":"user","content":"x"}]}"#, #"[{"a":1},{"b":2}]"#,
        ]
    )
    func readsNothing(body: String) throws {
        #expect(try read(body, MCPHead()) == nil)
    }

    @Test("what says that it is JSON and is not is refused, and so is a head that speaks of a message without one")
    func refusesClaims() {
        #expect(
            refusal("hello", head()) == "mcp_json_bad_literal" || refusal("hello", head()) == "mcp_json_unexpected_byte"
        )
        #expect(refusal("", Modern().head) == "mcp_header_alone")
        #expect(refusal(#"{"a":1}"#, Modern().head) == "mcp_header_alone")
        var session = MCPHead()
        session.sessions = [Array("3f0c".utf8)]
        #expect(refusal("a=b", session) == "mcp_header_alone")
        session.isPost = false
        #expect(refusal("", session) == nil)
    }

    @Test("notifications and responses are told apart from requests")
    func tellsKinds() throws {
        let notification = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
        #expect(try read(notification)?.calls.map(\.kind) == [.notification])
        let result = #"{"jsonrpc":"2.0","id":"s-1","result":{"role":"assistant"}}"#
        let response = try #require(try read(result, head("2025-06-18")))
        #expect(response.calls.map(\.kind) == [.response])
        #expect(response.calls.map(\.method) == [nil])
        let error = #"{"jsonrpc":"2.0","id":"s-1","error":{"code":-1,"message":"no"}}"#
        #expect(try read(error)?.calls.map(\.kind) == [.response])
    }

    @Test("a call without an identifier is still a call of its tool")
    func readsSilentCalls() throws {
        let call = #"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"wipe"}}"#
        let message = try #require(try read(call))
        #expect(message.calls.map(\.tool) == ["wipe"])
        #expect(message.calls.map(\.id) == [nil])
    }

    @Test("a message is found whatever the content type and the method of the request say")
    func ignoresHints() throws {
        var head = MCPHead(isPost: false, contentTypes: [Array("text/plain".utf8)])
        #expect(try read(" \r\n\t" + toolCall("x"), head)?.calls.map(\.tool) == ["x"])
        head.contentTypes = []
        #expect(try read(toolCall("x"), head)?.calls.map(\.tool) == ["x"])
    }

    @Test("a limit holds what it says and no more")
    func keepsLimits() {
        var limits = MCPLimits()
        limits.calls = 2
        let batch = { (count: Int) in "[" + (0..<count).map { toolCall("x", id: "\($0)") }.joined(separator: ",") + "]"
        }
        #expect(refusal(batch(2), limits: limits) == nil)
        #expect(refusal(batch(3), limits: limits) == "mcp_batch_too_long")
        limits.nameBytes = 10
        #expect(refusal(toolCall("a123456789"), limits: limits) == nil)
        #expect(refusal(toolCall("a1234567890"), limits: limits) == "mcp_tool_name")
        limits.json.bytes = toolCall("a").utf8.count
        #expect(refusal(toolCall("a"), limits: limits) == nil)
        #expect(refusal(toolCall("ab"), limits: limits) == "mcp_json_too_long")
    }
}
