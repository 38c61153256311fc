extension CallMatch {
    /// Compares the calls of a request: a deny holds where it holds for any of them, every other action where there is one
    /// and it holds for all.
    func likelihood(_ request: RequestFacts?, for action: RuleAction) -> Likelihood {
        guard !holdsForNothing else { return .no }
        guard let request else { return .maybe }
        switch request.calls {
        case nil: return .body
        case .malformed?, .unreadable?, .unread?: return action == .deny ? .unprovable : .no
        case .calls(let calls)?:
            switch action {
            case .deny: return calls.contains(where: holds) ? .yes : .no
            case .allow, .tunnel, .inspect: return !calls.isEmpty && calls.allSatisfy(holds) ? .yes : .no
            }
        }
    }

    /// True where a list is empty, so that nothing needs to be known.
    var holdsForNothing: Bool {
        (tools?.isEmpty ?? false) || (methods?.isEmpty ?? false)
    }

    /// True where one of the methods that hold is this one.
    func names(method: String) -> Bool {
        if let methods { return methods.contains { $0.matches(method) } }
        return tools == nil || method == AgentCall.callingTools
    }

    private func holds(_ call: AgentCall) -> Bool {
        guard names(method: call.method) else { return false }
        guard let tools, call.method == AgentCall.callingTools else { return true }
        guard let tool = call.tool else { return false }
        return tools.contains { $0.matches(tool) }
    }

    /// True where it holds for every call for which another one does; it may miss some.
    func covers(_ other: CallMatch) -> Bool {
        if let methods {
            let others = other.methods ?? other.tools.flatMap { _ in CallPattern(AgentCall.callingTools).map { [$0] } }
            let all = others ?? CallPattern("*").map { [$0] } ?? []
            guard all.allSatisfy({ method in methods.contains { $0.covers(method) } }) else { return false }
        } else if tools != nil {
            guard other.tools != nil, other.methods == nil else { return false }
        }
        guard let tools, other.names(method: AgentCall.callingTools) else { return true }
        guard let others = other.tools else { return false }
        return others.allSatisfy { tool in tools.contains { $0.covers(tool) } }
    }
}
