import NetworkTypes
import PolicyEngine

/// The manual's sentences as slow code: what is not known is tried out in every way it could turn out.
///
/// It shares nothing with the engine but the types.
struct ReferenceEvaluator {
    var policy: Policy
    /// Every name that a client could say later.
    var names: [HostName?]
    /// Every user that an unknown one could be.
    var uids: [UInt32]
    /// Every request that an unknown one could be.
    var requests: ReferenceRequests

    func decide(_ facts: Facts) -> String {
        let answer = judge(facts)
        return facts.isFinal && answer.hasPrefix("undetermined") ? "deny undetermined" : answer
    }

    private func judge(_ facts: Facts) -> String {
        if facts.isOwnListener { return "deny own_listener" }
        if case .known(.http, _) = facts.opening, let path = facts.request?.path, path.text.contains("//"),
            policy.rules.contains(where: { $0.match.http?.paths != nil })
        {
            return "deny ambiguous_path"
        }
        let denying = policy.rules.filter { $0.action == .deny }
        if let sure = denying.first(where: { rule in openings(facts).allSatisfy { denies(rule, facts, $0, .all) } }) {
            return "deny rule_deny by \(sure.name)"
        }
        if let unsure = denying.first(where: { rule in mayDeny(rule, facts) }) {
            return "deny undetermined by \(unsure.name)"
        }
        let allows = policy.rules.filter { $0.action != .deny }
        let winner = allows.first { rule in openings(facts).allSatisfy { allowsOriginal(rule, facts, $0) } }
        let inFront = allows.prefix { $0.name != winner?.name }
        let mayHelp = inFront.contains { rule in openings(facts).contains { allowsOriginal(rule, facts, $0) } }
        if winner == nil, policy.defaultAction == .deny {
            return mayHelp ? "undetermined undetermined" : "deny default_deny"
        }
        let answer = admit(facts, winner, denying)
        return answer.hasPrefix("deny") && mayHelp ? "undetermined undetermined" : answer
    }

    private enum Quantity {
        case all
        case any
    }

    /// A way in which the connection could turn out.
    private struct Outcome {
        var spoken: ApplicationProtocol
        var name: HostName?
        var request: ReferenceRequest?
    }

    private func openings(_ facts: Facts) -> [Outcome] {
        switch facts.opening {
        case .known(let spoken, let name): outcomes(spoken, [spoken == .h2c ? nil : name], facts)
        case .asked(let name): ApplicationProtocol.allCases.flatMap { outcomes($0, [name], facts) }
        case .silent: ApplicationProtocol.allCases.flatMap { outcomes($0, $0 == .h2c ? [nil] : names, facts) }
        }
    }

    private func outcomes(_ spoken: ApplicationProtocol, _ names: [HostName?], _ facts: Facts) -> [Outcome] {
        guard spoken == .http else { return names.map { Outcome(spoken: spoken, name: $0) } }
        // Before it speaks, nothing that somebody says about a request counts.
        let told: RequestFacts? = if case .known = facts.opening { facts.request } else { nil }
        let requests = requests.all(told, policy)
        return names.flatMap { name in requests.map { Outcome(spoken: spoken, name: name, request: $0) } }
    }

    /// What could deny does where nobody will ask again; before that, only what denies whatever the client says.
    private func mayDeny(_ rule: Rule, _ facts: Facts, address: IPAddress? = nil) -> Bool {
        let holds = openings(facts).map { denies(rule, facts, $0, .any, address: address) }
        if case .known = facts.opening { return holds.contains(true) }
        return facts.isFinal ? holds.contains(true) : !holds.contains(false)
    }

    private func denies(
        _ rule: Rule,
        _ facts: Facts,
        _ opening: Outcome,
        _ quantity: Quantity,
        address: IPAddress? = nil
    ) -> Bool {
        let place = address ?? facts.original?.socket.address
        if let cidrs = rule.match.cidrs, !(place.map { place in cidrs.contains { $0.contains(place) } } ?? false) {
            return false
        }
        let users = facts.workloadUID.map { [$0] } ?? uids
        let holds = users.map { matches(rule, facts.port, opening, $0) }
        return quantity == .all ? !holds.contains(false) : holds.contains(true)
    }

    private func allowsOriginal(_ rule: Rule, _ facts: Facts, _ opening: Outcome) -> Bool {
        if let cidrs = rule.match.cidrs {
            if cidrs.isEmpty { return false }
            if rule.match.hosts == nil {
                guard let original = facts.original?.socket.address else { return false }
                guard cidrs.contains(where: { $0.contains(original) }) else { return false }
            }
        }
        return (facts.workloadUID.map { [$0] } ?? uids).allSatisfy { matches(rule, facts.port, opening, $0) }
    }

    private func matches(_ rule: Rule, _ port: UInt16, _ opening: Outcome, _ uid: UInt32)
        -> Bool
    {
        var conditions: [Bool] = []
        if let hosts = rule.match.hosts {
            conditions.append(hosts.contains { pattern in opening.name.map { covers(pattern, $0) } ?? false })
        }
        if let ports = rule.match.ports {
            conditions.append(ports.contains { $0.lowerBound <= port && port <= $0.upperBound })
        } else if rule.match.hosts != nil, rule.action != .deny {
            conditions.append(port == 80 || port == 443)
        }
        if let protocols = rule.match.protocols { conditions.append(protocols.contains(opening.spoken)) }
        if let http = rule.match.http {
            conditions.append(opening.request.map { $0.satisfies(http, isDeny: rule.action == .deny) } ?? false)
        }
        if let uids = rule.match.uids { conditions.append(uids.contains(uid)) }
        return !conditions.contains(false)
    }

    private func covers(_ pattern: HostPattern, _ name: HostName) -> Bool {
        switch pattern {
        case .exact(let host): name.text == host.text
        case .below(let parent): name.text.hasSuffix("." + parent.text)
        }
    }

    private func admit(_ facts: Facts, _ winner: Rule?, _ denying: [Rule]) -> String {
        let by = winner.map { " by \($0.name)" } ?? ""
        let own = winner?.match.cidrs ?? []
        let isGuarded = { (address: IPAddress) in
            address.specialRange != nil && (address.isMappedIPv4 || !own.contains { $0.contains(address) })
        }
        let original = facts.original?.socket.address
        var target: HostName?
        switch facts.opening {
        case .known(let spoken, let name): target = spoken == .h2c ? nil : name
        case .asked(let name): target = name
        case .silent: break
        }
        if let match = winner?.match, match.cidrs != nil, match.hosts == nil { target = nil }
        if target == nil, original == nil { return "deny no_original_destination" + by }
        if let original, isGuarded(original) { return "deny special_address" + by }
        let allowed = "allow " + (winner == nil ? "default_allow" : "rule_allow") + by
        let dialled = allowed + ", dial " + (target?.text ?? "original")
        guard let given = facts.addresses else { return dialled }
        let candidates = target == nil ? [original].compactMap(\.self) : given
        let verdicts = candidates.map { address -> String? in
            let naming = denying.filter { $0.match.cidrs != nil }
            if let rule = naming.first(where: { rule in
                openings(facts).allSatisfy { denies(rule, facts, $0, .all, address: address) }
            }) {
                return "deny denied_address by \(rule.name)"
            }
            if let rule = naming.first(where: { mayDeny($0, facts, address: address) }) {
                return "deny undetermined by \(rule.name)"
            }
            if isGuarded(address) { return "deny special_address" + by }
            let isOutside = winner?.match.cidrs != nil && !own.contains { $0.contains(address) }
            return isOutside ? "deny outside_cidrs" + by : nil
        }
        let passed = zip(candidates, verdicts).filter { $0.1 == nil }
            .map { SocketAddress($0.0, port: facts.port).description }
        guard passed.isEmpty else { return dialled + " " + passed.joined(separator: " ") }
        return verdicts.compactMap(\.self).first ?? "deny unresolvable" + by
    }
}
