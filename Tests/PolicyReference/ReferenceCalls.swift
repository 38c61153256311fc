import PolicyEngine

/// What the body of a request could call, so that each rule could hold and could fail.
struct ReferenceCalls {
    var possible: [[AgentCall]]

    /// Whether a rule's `mcp` holds: an answer for everything that the body could be.
    func answers(_ match: CallMatch, _ told: RequestFacts?, isDeny: Bool) -> [Bool] {
        if match.tools?.isEmpty ?? false || match.methods?.isEmpty ?? false { return [false] }
        return switch told?.calls {
        case nil: possible.map { holds($0, match, isDeny: isDeny) }
        case .calls(let calls)?: [holds(calls, match, isDeny: isDeny)]
        // Nobody will know: that may be what a deny asks for, and allows nothing.
        case .malformed?, .unreadable?, .unread?: isDeny ? [true, false] : [false]
        }
    }

    private func holds(_ calls: [AgentCall], _ match: CallMatch, isDeny: Bool) -> Bool {
        let answers = calls.map { holds($0, match) }
        return isDeny ? answers.contains(true) : !answers.isEmpty && !answers.contains(false)
    }

    private func holds(_ call: AgentCall, _ match: CallMatch) -> Bool {
        let isOfTool = call.method == "tools/call"
        let methods = match.methods?.map(\.text) ?? (match.tools == nil ? ["*"] : ["tools/call"])
        guard methods.contains(where: { stands($0, for: call.method) }) else { return false }
        guard isOfTool, let tools = match.tools else { return true }
        return tools.contains { stands($0.text, for: call.tool ?? "") }
    }

    /// By trying everything out.
    private func stands(_ pattern: String, for name: String) -> Bool {
        stands(Array(pattern)[...], for: Array(name)[...])
    }

    private func stands(_ pattern: ArraySlice<Character>, for name: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" { return (0...name.count).contains { stands(rest, for: name.dropFirst($0)) } }
        return name.first == first && stands(rest, for: name.dropFirst())
    }
}
