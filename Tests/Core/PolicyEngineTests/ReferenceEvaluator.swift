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

    func decide(_ facts: Facts) -> String {
        let answer = judge(facts)
        if case .known(.http, _) = facts.opening, answer.hasPrefix("allow") { return "deny http_unsupported" }
        return answer
    }

    private func judge(_ facts: Facts) -> String {
        if facts.isOwnListener { return "deny own_listener" }
        let denying = policy.rules.filter { $0.action == .deny }
        if let sure = denying.first(where: { rule in openings(facts).allSatisfy { denies(rule, facts, $0, .all) } }) {
            return "deny rule_deny by \(sure.name)"
        }
        if let unsure = denying.first(where: { rule in openings(facts).allSatisfy { denies(rule, facts, $0, .any) } }) {
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

    private func openings(_ facts: Facts) -> [(ApplicationProtocol, HostName?)] {
        switch facts.opening {
        case .known(let spoken, let name): [(spoken, spoken == .h2c ? nil : name)]
        case .silent:
            ApplicationProtocol.allCases.flatMap { spoken in
                spoken == .h2c ? [(spoken, nil)] : names.map { (spoken, $0) }
            }
        }
    }

    private func denies(
        _ rule: Rule,
        _ facts: Facts,
        _ opening: (ApplicationProtocol, HostName?),
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

    private func allowsOriginal(_ rule: Rule, _ facts: Facts, _ opening: (ApplicationProtocol, HostName?)) -> Bool {
        if let cidrs = rule.match.cidrs {
            if cidrs.isEmpty { return false }
            if rule.match.hosts == nil {
                guard let original = facts.original?.socket.address else { return false }
                guard cidrs.contains(where: { $0.contains(original) }) else { return false }
            }
        }
        return (facts.workloadUID.map { [$0] } ?? uids).allSatisfy { matches(rule, facts.port, opening, $0) }
    }

    private func matches(_ rule: Rule, _ port: UInt16, _ opening: (ApplicationProtocol, HostName?), _ uid: UInt32)
        -> Bool
    {
        var conditions: [Bool] = []
        if let hosts = rule.match.hosts {
            conditions.append(hosts.contains { pattern in opening.1.map { covers(pattern, $0) } ?? false })
        }
        if let ports = rule.match.ports {
            conditions.append(ports.contains { $0.lowerBound <= port && port <= $0.upperBound })
        } else if rule.match.hosts != nil, rule.action != .deny {
            conditions.append(port == 80 || port == 443)
        }
        if let protocols = rule.match.protocols { conditions.append(protocols.contains(opening.0)) }
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
            address.specialRange != nil && !own.contains { $0.contains(address) }
        }
        let original = facts.original?.socket.address
        var target: HostName?
        if case .known(let spoken, let name) = facts.opening, spoken != .h2c { target = name }
        if let match = winner?.match, match.cidrs != nil, match.hosts == nil { target = nil }
        if target == nil, original == nil { return "deny no_original_destination" + by }
        if let original, isGuarded(original) { return "deny special_address" + by }
        let allowed = "allow " + (winner == nil ? "default_allow" : "rule_allow") + by
        let dialled = allowed + ", dial " + (target?.text ?? "original")
        guard let given = facts.addresses else { return dialled }
        let candidates = target == nil ? [original].compactMap(\.self) : given
        let verdicts = candidates.map { address -> String? in
            let naming = denying.filter { $0.match.cidrs != nil }
            for (quantity, reason) in [(Quantity.all, "denied_address"), (.any, "undetermined")] {
                if let rule = naming.first(where: { rule in
                    openings(facts).allSatisfy { denies(rule, facts, $0, quantity, address: address) }
                }) {
                    return "deny \(reason) by \(rule.name)"
                }
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
