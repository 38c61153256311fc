import WireFormats

/// What the one message of a body says that headers repeat.
struct MCPDeclaration {
    /// The revision in `_meta`; `nil` where none is said.
    private(set) var version: String?
    /// The revision that `initialize` offers.
    private(set) var offer: String?
    /// The name in `params` that `Mcp-Name` repeats; `nil` where there is none.
    private(set) var name: String?
    /// True where the method has a place for that name.
    private(set) var hasNamedMethod = false
    /// Every text right inside of `params`: extensions say which of them is the name.
    private(set) var texts: [String] = []

    /// Of several messages, headers say nothing.
    init() {}

    init(_ message: JSONValue) throws(MCPFault) {
        let method = message.member("method")?.text
        hasNamedMethod = methodsWithNames.contains(method ?? "")
        guard let params = message.member("params") else { return }
        let meta = params.member("_meta")
        if let said = meta?.member("io.modelcontextprotocol/protocolVersion") {
            guard let text = said.text else { throw .headerMismatch }
            version = text
        }
        if method == "initialize" { offer = params.member("protocolVersion")?.text }
        switch method {
        case "tools/call"?, "prompts/get"?: name = params.member("name")?.text
        case "resources/read"?: name = params.member("uri")?.text
        default: break
        }
        for (_, value) in params.members {
            if let text = value.text { texts.append(text) }
        }
    }
}
