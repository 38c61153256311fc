/// What the body of a request says to an MCP server.
package struct MCPMessage: Hashable, Sendable {
    package let era: MCPEra
    /// In the order of the text; never empty.
    package let calls: [MCPCall]
    /// True where the body is an array, even of one.
    package let isBatch: Bool
}

/// One message of a client.
package struct MCPCall: Hashable, Sendable {
    /// What becomes of it.
    package enum Kind: Hashable, Sendable {
        /// It asks for an answer; its identifier as it stands in the text, a string or a whole number.
        case request(id: [UInt8])
        case notification
        /// It answers what the server asked for.
        case response
    }

    package let kind: Kind
    /// What it calls, escapes decoded; `nil` for a response.
    package let method: String?
    /// The tool that `tools/call` names, escapes decoded.
    package let tool: String?

    /// The identifier as it stands in the text; `nil` where nothing is to be answered.
    package var id: [UInt8]? {
        switch kind {
        case .request(let id): id
        case .notification, .response: nil
        }
    }
}
