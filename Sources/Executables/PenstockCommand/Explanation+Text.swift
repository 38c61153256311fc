import NetworkTypes
import PolicyEngine

extension Explanation {
    /// `key: value`, the decision first.
    var lines: [String] {
        var lines = ["decision: \(isAllowed ? "allow" : "deny")"]
        if decision.wouldDeny { lines.append("would: deny") }
        lines.append("treatment: \(decision.treatment.rawValue)")
        lines.append("reason: \(decision.reason.rawValue)")
        if let sentence { lines.append("because: \(sentence)") }
        lines.append("rule: \(decision.rule?.text ?? "none")")
        lines.append("protocol: \(request.spoken.rawValue)")
        lines.append("name: \(facts.openingName ?? "none")")
        lines += requestLines
        lines.append("original: \(facts.original?.description ?? "unknown")")
        lines.append("dial: \(dialled)")
        lines += addressLines
        lines += notes.map { "note: \($0)" }
        lines.append("mode: \(policy.mode.rawValue)")
        lines.append("policy: \(policy.name)")
        lines.append("policy_hash: \(policy.hash)")
        return lines
    }

    private var isAllowed: Bool {
        switch decision.verdict {
        case .allow: true
        // Nobody waits here for more to be known.
        case .deny, .undetermined: false
        }
    }

    private var dialled: String {
        switch decision.dial {
        case nil: "nothing"
        case .name(let name): "\(name):\(decision.port)"
        case .original: facts.original?.description ?? "nothing"
        }
    }

    /// One line for each address; those of a name are also judged one by one, to say what is wrong with which.
    private var addressLines: [String] {
        guard let addresses = facts.addresses else { return ["address: unchecked"] }
        return addresses.map { address in
            var alone = facts
            alone.addresses = [address]
            let answer = policy.decide(alone)
            switch answer.verdict {
            case .allow: return "address: \(address) may be dialled"
            case .deny, .undetermined:
                let rule = answer.rule.map { ", rule \($0)" } ?? ""
                return "address: \(address) may not be dialled (\(answer.reason.rawValue)\(rule))"
            }
        }
    }

    private var notes: [String] {
        var notes: [String] = []
        if request.name != nil, !request.spoken.carriesName {
            notes.append("\(request.spoken.rawValue) carries no name: the connection is judged by its address")
        }
        if facts.original == nil, fault == nil {
            notes.append("no address was given (--addr): rules with `cidrs` alone were not compared")
        }
        return notes
    }

    /// What the reason alone does not say.
    private var sentence: String? {
        if case .name(let malformed) = fault {
            let name = request.name ?? ""
            return "'\(name)' is no host name: \(malformed.explanation(for: name))"
        }
        let reason = decision.reason
        switch reason {
        case .undetermined: return "a rule asks for what is not known; say \(missingOptions.joined(separator: ", "))"
        case .ambiguousPath:
            let ambiguity = if case .path(let ambiguity) = fault { ambiguity } else { PathAmbiguity.emptySegment }
            return "the path \(ambiguity.explanation); servers differ in what that means"
        case .specialAddress: return "a special address is reached only where the rule's own `cidrs` name it"
        case .outsideCIDRs: return "none of the name's addresses lies within the rule's `cidrs`"
        case .deniedAddress: return "the rule denies the addresses that would be dialled"
        case .noOriginalDestination: return "there is neither a name nor an address to dial"
        default: return nil
        }
    }
}

extension Facts {
    /// The name that the client said.
    fileprivate var openingName: String? {
        switch opening {
        case .silent: nil
        case .known(_, let name), .asked(let name): name?.text
        }
    }
}
