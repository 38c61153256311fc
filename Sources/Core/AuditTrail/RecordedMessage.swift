/// What the body of a request said to an MCP server: which tool was called, never with what.
package struct RecordedMessage: Hashable, Sendable {
    /// The revision of the protocol, or `undeclared`.
    package var era: String
    /// In the order of the body.
    package var calls: [Call]
    /// True where the body was a list of messages.
    package var isBatch: Bool

    /// One message.
    package struct Call: Hashable, Sendable {
        /// `rpc.response` where the agent answered what the server had asked.
        package var method: String
        /// What `tools/call` named.
        package var tool: String?
        /// The identifier as it stood in the body, with its quotes; nil where no answer was asked for.
        package var id: String?

        package init(method: String, tool: String? = nil, id: String? = nil) {
            self.method = method
            self.tool = tool
            self.id = id
        }

        fileprivate func write(into members: inout JSONMembers) {
            members.text("method", method)
            if let tool { members.text("tool", tool) }
            if let id { members.text("id", id) }
        }
    }

    package init(era: String, calls: [Call], isBatch: Bool = false) {
        self.era = era
        self.calls = calls
        self.isBatch = isBatch
    }

    /// How many messages of a batch are told.
    private static let mostCalls = 16

    func write(into members: inout JSONMembers) {
        members.text("era", era)
        if isBatch {
            members.number("calls", UInt64(calls.count))
            members.objects("batch", Array(calls.prefix(Self.mostCalls))) { call, members in
                call.write(into: &members)
            }
        } else {
            calls.first?.write(into: &members)
        }
    }
}
