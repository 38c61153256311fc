/// What the body of a request calls, as far as policy looks at it.
package enum RequestCalls: Hashable, Sendable {
    /// The whole body was read; empty where it calls nothing.
    case calls([AgentCall])
    /// It claims to call something, and servers could read it in more than one way.
    case malformed
    /// It could not be read: it is too large, or coded as nobody here undoes it.
    case unreadable
    /// It went by without anybody reading it, and nobody will.
    case unread
}

/// One message that an agent sends to an MCP server.
package struct AgentCall: Hashable, Sendable {
    /// As it is said, escapes decoded; case counts.
    package var method: String
    /// The tool, where the method is `tools/call`.
    package var tool: String?

    package init(method: String, tool: String? = nil) {
        self.method = method
        self.tool = tool
    }

    /// The method that calls a tool.
    package static let callingTools = "tools/call"

    /// An answer of the agent to what the server asked it, such as to sample its model.
    ///
    /// JSON-RPC keeps names that begin so for itself, and no client can call one.
    package static let response = AgentCall(method: "rpc.response")
}
