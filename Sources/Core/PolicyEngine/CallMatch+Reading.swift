import SourceDocuments

extension CallMatch {
    /// Reads an `mcp`.
    static func read(_ reader: inout MappingReader) -> CallMatch? {
        var match = CallMatch()
        match.tools = reader.list("tools", of: "tools", readTool)
        match.methods = reader.list("methods", of: "methods", readMethod)
        reader.refuseEmpty("mcp", wouldMatch: "every call", remedy: "name `tools` or `methods`, or remove it")
        if match.tools != nil, let methods = match.methods, !methods.isEmpty,
            !match.names(method: AgentCall.callingTools)
        {
            reader.note(
                SourceProblem(
                    "`tools` is about `\(AgentCall.callingTools)`, which `methods` does not name",
                    at: reader.keyLocation(of: "tools"),
                    remedy: "add `\(AgentCall.callingTools)` to `methods`, or leave out one of the two"
                )
            )
        }
        return match
    }

    private static func readTool(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> CallPattern {
        try readPattern(node, subject, expected: "the name of a tool such as read_file or read_*")
    }

    private static func readMethod(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> CallPattern {
        let pattern = try readPattern(node, subject, expected: "a method such as tools/call or notifications/*")
        // A deny of `Tools/Call` would look right and never fire.
        if let method = methodsOfMCP.first(where: { $0.lowercased() == pattern.text.lowercased() }),
            method != pattern.text
        {
            throw SourceProblem(
                "\(subject) is `\(pattern.text)`, which no client says: case counts",
                at: node.location,
                remedy: "write \(method)"
            )
        }
        return pattern
    }

    private static func readPattern(
        _ node: SourceNode,
        _ subject: String,
        expected: String
    ) throws(SourceProblem) -> CallPattern {
        let text = try node.string(subject, expected: expected)
        guard let pattern = CallPattern(text) else {
            throw SourceProblem(
                "\(subject), `\(printable(text))`, is no name that could be called",
                at: node.location,
                remedy:
                    "write at most 256 characters of printable ASCII; `*` stands for any characters, and at most "
                    + "\(CallPattern.limit) of them in one name"
            )
        }
        return pattern
    }
}

/// The methods that clients call, of all revisions.
private let methodsOfMCP = [
    "initialize", "ping", "server/discover", "tools/list", "tools/call", "resources/list", "resources/templates/list",
    "resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/list", "prompts/get",
    "completion/complete", "logging/setLevel", "subscriptions/listen", "tasks/get", "tasks/update", "tasks/result",
    "tasks/list", "tasks/cancel", "notifications/initialized", "notifications/cancelled", "notifications/progress",
    "notifications/roots/list_changed", "rpc.response",
]
