import PolicyEngine

extension AgentCall {
    /// Reads a call as people write it: a method, and behind a space the tool of `tools/call`.
    ///
    /// `nil` where the two do not go together.
    package init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard let method = parts.first, !method.isEmpty else { return nil }
        let tool = parts.count == 2 ? String(parts[1]) : nil
        guard (method == AgentCall.callingTools) == (tool != nil), tool?.isEmpty != true else { return nil }
        self.init(method: String(method), tool: tool)
    }

    /// What people write, alone, for a body that calls nothing.
    package static let absent = "none"

    /// What people are told who write that beside a call.
    package static let absentBesideOthers = "`none` stands alone: a body calls something, or nothing"

    /// As people write it.
    package var text: String { tool.map { "\(method) \($0)" } ?? method }

    /// What people are told who write something else.
    package static let example = "write a method such as tools/list, or `tools/call` and the name of the tool"
}
