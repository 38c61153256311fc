import NetworkTypes
import PolicyEngine

/// The manual's sentences as slow code: what is not known is tried out in every way it could turn out.
///
/// It goes through all rules for every question, and shares nothing with the engine but the types.
package struct ReferenceEvaluator {
    private let policy: Policy
    /// What the unknown could be.
    private let world: ReferenceWorld

    package init(policy: Policy, world: ReferenceWorld) {
        self.policy = policy
        self.world = world
    }

    /// What the policy should say, as `Decision.summary` says it.
    package func decide(_ facts: Facts) -> String {
        if facts.isOwnListener { return "deny own_listener" }
        if policy.mode == .audit { return inAudit(judge(facts, isStrict: true), facts).summary }
        let answer = judge(facts, isStrict: false)
        guard answer.verdict == .allow, answer.target != nil else { return answer.summary }
        let strict = judge(facts, isStrict: true)
        if strict.verdict == .needsBody { return strict.summary }
        guard strict.verdict == .deny else { return answer.summary }
        var trial = answer
        trial.wouldDeny = true
        trial.reason = strict.reason
        trial.rule = strict.rule
        return trial.summary
    }

    private func judge(_ facts: Facts, isStrict: Bool) -> ReferenceAnswer {
        var facts = facts
        let obstacles: [RequestCalls: String] = [.malformed: "malformed_call", .unreadable: "unreadable_content"]
        let obstacle = facts.request?.calls.flatMap { obstacles[$0] }
        if obstacle != nil { facts.request?.calls = nil }
        let answer = weigh(ReferenceQuestion(facts, policy, world, isStrict: isStrict))
        if let obstacle, answer.verdict == .needsBody { return .deny(obstacle, answer.rule) }
        let isLeftOpen = facts.isFinal && [.undetermined, .needsBody].contains(answer.verdict)
        return isLeftOpen ? .deny("undetermined", answer.rule) : answer
    }

    private func weigh(_ question: ReferenceQuestion) -> ReferenceAnswer {
        let facts = question.facts
        if let path = facts.request?.path, path.text.contains("//"), question.canRead,
            policy.rules.contains(where: { $0.match.http?.paths != nil && (question.isStrict || !$0.terms.isOnTrial) })
        {
            return .deny("ambiguous_path", nil)
        }
        if question.hasAmbiguousMethod { return .deny("ambiguous_method", nil) }
        if question.hasAmbiguousField { return .deny("ambiguous_field", nil) }
        if let denial = question.denial(original: facts.original?.socket.address, sure: "rule_deny") { return denial }
        let allows = policy.rules.filter { $0.action != .deny }
        let winner = allows.first { question.allows($0) == .surely }
        let earlier = allows.prefix { $0.name != winner?.name }
        let helpers = earlier.filter { question.allows($0) == .maybe }
        let helpersByBody = earlier.filter { question.allows($0) == .byBody }
        let original = [facts.original?.socket.address].compactMap(\.self)
        let mayLook = question.isUnread && !facts.isFinal
        if mayLook, let looking = lookInside(question, winner, helpers.first, at: original) { return looking }
        if winner == nil, policy.defaultAction == .deny, helpersByBody.isEmpty {
            return helpers.isEmpty ? .deny("default_deny", nil) : .undetermined
        }
        let denier = question.denierByBody(original: facts.original?.socket.address)
        let asking = policy.rules.first { $0.name == denier?.name || $0.name == helpersByBody.first?.name }
        if !helpersByBody.isEmpty { return .needsBody(asking?.name.text) }
        let answer = question.admit(winner)
        if mayLook, answer.verdict == .allow, let looking = lookInside(question, winner, nil, at: answer.dialled) {
            return looking
        }
        if answer.verdict == .allow, denier != nil { return .needsBody(asking?.name.text) }
        return answer.verdict == .deny && !helpers.isEmpty ? .undetermined : answer
    }

    /// TLS is looked into where a rule that may come first asks for it, or a deny may, unless it leaves tunnels alone.
    private func lookInside(
        _ question: ReferenceQuestion,
        _ winner: Rule?,
        _ helper: Rule?,
        at places: [IPAddress]
    ) -> ReferenceAnswer? {
        if let helper { return .perRequest(helper.name.text) }
        let denies = policy.rules.filter { $0.action == .deny && question.mayDenyLater($0, at: places) }
        switch winner?.action {
        case nil: return policy.defaultAction == .allow && !denies.isEmpty ? .perRequest(nil) : nil
        case .inspect?: return .perRequest(winner?.name.text)
        case .tunnel?:
            let isStrict = denies.contains { !$0.terms.exceptsTunnels }
            return isStrict ? .perRequest(winner?.name.text) : nil
        case .allow?, .deny?: return denies.isEmpty ? nil : .perRequest(winner?.name.text)
        }
    }

    private func inAudit(_ answer: ReferenceAnswer, _ facts: Facts) -> ReferenceAnswer {
        guard ![.undetermined, .needsBody].contains(answer.verdict), answer.reason != "per_request" else {
            return answer
        }
        let original = facts.original?.socket.address
        guard let target = original == nil ? facts.spokenName?.text : "original" else {
            return .deny("no_original_destination", answer.rule)
        }
        var trial = answer
        trial.verdict = .allow
        trial.wouldDeny = answer.verdict == .deny
        trial.target = target
        trial.draws = answer.draws.map { $0.hasSuffix(" on trial") ? $0 : $0 + " on trial" }
        guard let given = facts.addresses else {
            trial.addresses = nil
            return trial
        }
        let candidates = original.map { [$0] } ?? given
        let clothed = candidates.filter { !$0.isMappedIPv4 }
        if clothed.isEmpty { return .deny(candidates.isEmpty ? "unresolvable" : "special_address", answer.rule) }
        trial.addresses = clothed.map { SocketAddress($0, port: facts.port).description }
        return trial
    }
}

/// What the reference says, in parts.
struct ReferenceAnswer {
    var verdict: Verdict
    var reason: String
    var rule: String?
    var wouldDeny = false
    /// A name, or `original`; `nil` where nothing is dialled.
    var target: String?
    var addresses: [String]?
    /// The same addresses, without the port.
    var dialled: [IPAddress] = []
    var draws: [String] = []

    static let undetermined = ReferenceAnswer(verdict: .undetermined, reason: "undetermined")

    static func deny(_ reason: String, _ rule: String?) -> ReferenceAnswer {
        ReferenceAnswer(verdict: .deny, reason: reason, rule: rule)
    }

    static func needsBody(_ rule: String?) -> ReferenceAnswer {
        ReferenceAnswer(verdict: .needsBody, reason: "undetermined", rule: rule)
    }

    static func perRequest(_ rule: String?) -> ReferenceAnswer {
        ReferenceAnswer(verdict: .allow, reason: "per_request", rule: rule)
    }

    var summary: String {
        var text = "\(verdict) \(reason)"
        if wouldDeny { text += " (would deny)" }
        if let rule { text += " by \(rule)" }
        if let target { text += ", dial \(target)" }
        if let addresses { text += " " + addresses.joined(separator: " ") }
        for draw in draws { text += ", draws \(draw)" }
        return text
    }
}

extension Facts {
    /// The name that the client said, where it can have said one.
    var spokenName: HostName? {
        switch opening {
        case .known(let spoken, let name): spoken == .h2c ? nil : name
        case .asked(let name): name
        case .silent: nil
        }
    }
}
