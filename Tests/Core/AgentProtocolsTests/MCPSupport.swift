import AgentProtocols

/// A message of the last revision with the headers that it needs.
struct Modern {
    var method = "tools/call"
    var name: String? = "read_file"
    var version: String? = "2026-07-28"
    var head = MCPHead(contentTypes: [Array("application/json".utf8)])

    init() {
        head.versions = [Array("2026-07-28".utf8)]
        head.methods = [Array("tools/call".utf8)]
        head.names = [Array("read_file".utf8)]
    }

    var body: String {
        let named = name.map { #""name":"\#($0)","# } ?? ""
        let meta = version.map { #""_meta":{"io.modelcontextprotocol/protocolVersion":"\#($0)"}"# } ?? #""_meta":{}"#
        return #"{"jsonrpc":"2.0","id":7,"method":"\#(method)","params":{\#(named)\#(meta)}}"#
    }

    func read() throws(MCPViolation) -> MCPMessage? { try AgentProtocolsTests.read(body, head) }
}

/// A head of a POST with JSON, and with `MCP-Protocol-Version` where one is given.
func head(_ version: String? = nil) -> MCPHead {
    MCPHead(contentTypes: [Array("application/json".utf8)], versions: version.map { [Array($0.utf8)] } ?? [])
}

func read(
    _ body: String,
    _ head: MCPHead = head(),
    limits: MCPLimits = MCPLimits()
) throws(MCPViolation) -> MCPMessage? {
    try MCPReader(limits: limits).read(Array(body.utf8), of: head)
}

/// The word of the refusal; `nil` where the body is read, or is no message.
func refusal(_ body: [UInt8], _ head: MCPHead = head(), limits: MCPLimits = MCPLimits()) -> String? {
    do throws(MCPViolation) {
        _ = try MCPReader(limits: limits).read(body, of: head)
        return nil
    } catch {
        return error.fault.word
    }
}

func refusal(_ body: String, _ head: MCPHead = head(), limits: MCPLimits = MCPLimits()) -> String? {
    refusal(Array(body.utf8), head, limits: limits)
}

/// A call of a tool in any revision but the last.
func toolCall(_ tool: String, id: String = "1") -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":{}}}"#
}
