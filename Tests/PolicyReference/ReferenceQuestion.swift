import NetworkTypes
import PolicyEngine

/// Everything that facts which are not known could be.
package struct ReferenceWorld {
    var names: [HostName?]
    var uids: [UInt32]
    var namespaces: [String]
    var serviceAccounts: [String]
    var clients: [IPAddress]
    var moments: [Int64]
    var requests: ReferenceRequests
    var calls: ReferenceCalls
}

/// One question put to the reference.
struct ReferenceQuestion {
    let facts: Facts
    let policy: Policy
    let world: ReferenceWorld
    /// Rules on trial are carried out.
    let isStrict: Bool
    private let outcomes: [Outcome]

    /// A way in which what the client says first could turn out.
    private struct Outcome {
        var spoken: ApplicationProtocol
        var name: HostName?
        var saysServerName = false
        /// What is known of the request.
        var request: RequestFacts?
    }

    enum Certainty {
        case never
        case maybe
        /// The body of the request tells.
        case byBody
        case surely
    }

    init(_ facts: Facts, _ policy: Policy, _ world: ReferenceWorld, isStrict: Bool) {
        self.facts = facts
        self.policy = policy
        self.world = world
        self.isStrict = isStrict
        switch facts.opening {
        case .known(let spoken, let name):
            let said = facts.hasServerName ?? (name != nil)
            outcomes = [
                Outcome(
                    spoken: spoken,
                    name: spoken == .h2c ? nil : name,
                    saysServerName: said,
                    request: facts.request
                )
            ]
        // Before it speaks, nothing that somebody says about a request counts.
        case .asked(let name):
            outcomes =
                [true, false].map { Outcome(spoken: .tls, name: name, saysServerName: $0) }
                + [.http, .h2c, .opaque].map { Outcome(spoken: $0, name: name) }
        case .silent:
            let named: [Outcome] = world.names.flatMap { name in
                [
                    Outcome(spoken: .tls, name: name, saysServerName: name != nil),
                    Outcome(spoken: .http, name: name), Outcome(spoken: .opaque, name: name),
                ]
            }
            outcomes = named + [Outcome(spoken: .h2c)]
        }
    }

    /// TLS whose requests nobody has read yet, and somebody could.
    var isUnread: Bool {
        guard policy.canIntercept, facts.request == nil, case .known(.tls, _) = facts.opening else { return false }
        return true
    }

    var canRead: Bool {
        switch facts.opening {
        case .known(.http, _): true
        case .known(.tls, _): policy.canIntercept
        case .known, .silent, .asked: false
        }
    }

    private var isLast: Bool {
        guard case .known = facts.opening, !isUnread else { return facts.isFinal }
        return true
    }

    private func isReadable(_ outcome: Outcome) -> Bool {
        outcome.spoken == .http || (outcome.spoken == .tls && policy.canIntercept)
    }

    /// What is asked of the connection and its request: an answer for every value that each fact could have.
    private func said(_ rule: Rule, _ outcome: Outcome) -> [[Bool]] {
        let match = rule.match
        var answers: [[Bool]] = []
        if let hosts = match.hosts {
            answers.append([hosts.contains { pattern in outcome.name.map { covers(pattern, $0) } ?? false }])
        }
        if let ports = match.ports {
            answers.append([ports.contains { $0.lowerBound <= facts.port && facts.port <= $0.upperBound }])
        } else if match.hosts != nil, rule.action != .deny {
            answers.append([facts.port == 80 || facts.port == 443])
        }
        if let protocols = match.protocols { answers.append([protocols.contains(outcome.spoken)]) }
        if rule.action == .inspect { answers.append([outcome.spoken == .tls || outcome.spoken == .http]) }
        if let sni = match.sni {
            answers.append([outcome.spoken == .tls && outcome.saysServerName == (sni == .present)])
        }
        if let http = match.http {
            answers +=
                isReadable(outcome)
                ? world.requests.answers(http, outcome.request, isDeny: rule.action == .deny) : [[false]]
        }
        if let mcp = match.mcp {
            answers.append(
                isReadable(outcome)
                    ? world.calls.answers(mcp, outcome.request, isDeny: rule.action == .deny) : [false]
            )
        }
        return answers
    }

    /// True where a request is known but for its body, which the rule asks for.
    private func lacksBody(_ rule: Rule) -> Bool {
        guard rule.match.mcp != nil, case .known = facts.opening, let request = facts.request else { return false }
        return request.calls == nil
    }

    /// What traffic has no part in.
    private func circumstances(_ rule: Rule) -> [[Bool]] {
        let match = rule.match
        return [
            match.uids.map { uids in (facts.workloadUID.map { [$0] } ?? world.uids).map(uids.contains) },
            match.namespaces.map { (facts.workload.namespace.map { [$0] } ?? world.namespaces).map($0.contains) },
            match.serviceAccounts.map {
                (facts.workload.serviceAccount.map { [$0] } ?? world.serviceAccounts).map($0.contains)
            },
            match.clientBlocks.map { blocks in
                (facts.clientAddress.map { [$0] } ?? world.clients).map { client in
                    blocks.contains { $0.contains(client) }
                }
            },
            match.times.map { windows in
                (facts.now.map { [$0] } ?? world.moments).map { moment in windows.contains { isOpen($0, moment) } }
            },
        ].compactMap(\.self)
    }

    private func isOpen(_ window: TimeWindow, _ moment: Int64) -> Bool {
        let local = moment + Int64(window.zone) * 60
        // The epoch was a Thursday.
        let days: [Weekday] = [.thursday, .friday, .saturday, .sunday, .monday, .tuesday, .wednesday]
        let day = Int(local / 86_400)
        let minute = Int(local % 86_400) / 60
        let today = window.days.contains(days[day % 7])
        let yesterday = window.days.contains(days[(day + 6) % 7])
        if window.from < window.to { return today && minute >= window.from && minute < window.to }
        return (today && minute >= window.from) || (yesterday && minute < window.to)
    }

    private func covers(_ pattern: HostPattern, _ name: HostName) -> Bool {
        switch pattern {
        case .exact(let host): name.text == host.text
        case .below(let parent): name.text.hasSuffix("." + parent.text)
        }
    }

    private func always(_ answers: [[Bool]]) -> Bool { !answers.contains { $0.contains(false) || $0.isEmpty } }
    private func ever(_ answers: [[Bool]]) -> Bool { !answers.contains { !$0.contains(true) } }

    // MARK: Allowing

    /// Whether a rule that allows holds; what cannot be found out about the circumstances counts against it.
    func allows(_ rule: Rule) -> Certainty {
        if let cidrs = rule.match.cidrs {
            if cidrs.isEmpty { return .never }
            let original = facts.original?.socket.address
            let isWithin = original.map { place in cidrs.contains { $0.contains(place) } } ?? false
            if rule.match.hosts == nil, !isWithin { return .never }
        }
        guard always(circumstances(rule)) else { return .never }
        let answers = outcomes.map { said(rule, $0) }
        if !answers.contains(where: { !always($0) }) { return .surely }
        guard answers.contains(where: { ever($0) }) else { return .never }
        return lacksBody(rule) ? .byBody : .maybe
    }

    // MARK: Denying

    private func denies(_ rule: Rule, at place: IPAddress?) -> Certainty {
        if let cidrs = rule.match.cidrs {
            guard let place, cidrs.contains(where: { $0.contains(place) }) else { return .never }
        }
        let circumstances = circumstances(rule)
        guard ever(circumstances) else { return .never }
        let answers = outcomes.map { said(rule, $0) }
        guard answers.contains(where: { ever($0) }) else { return .never }
        let isSaid = !answers.contains { !always($0) }
        if isSaid, always(circumstances) { return .surely }
        // Where nothing more will be known, no body is read.
        if lacksBody(rule), !facts.isFinal { return .byBody }
        // What could deny does where nobody will ask again; before that, only what denies whatever the client says.
        return isLast || isSaid ? .maybe : .never
    }

    /// A deny that may yet hold once the requests are read.
    func mayDenyLater(_ rule: Rule, at places: [IPAddress]) -> Bool {
        if let cidrs = rule.match.cidrs {
            guard places.contains(where: { place in cidrs.contains { $0.contains(place) } }) else { return false }
        }
        let answers = outcomes.map { said(rule, $0) }
        let isOpen = answers.contains { ever($0) } && answers.contains { !always($0) }
        return isOpen && ever(circumstances(rule))
    }

    /// The first deny that the body of the request would tell of.
    func denierByBody(original place: IPAddress?, naming: Bool = false) -> Rule? {
        denying(naming: naming).first { denies($0, at: place) == .byBody }
    }

    private func denying(naming: Bool) -> [Rule] {
        policy.rules.filter { rule in
            rule.action == .deny && (isStrict || !rule.terms.isOnTrial) && (!naming || rule.match.cidrs != nil)
        }
    }

    func denial(original place: IPAddress?, sure: String, naming: Bool = false) -> ReferenceAnswer? {
        let denying = denying(naming: naming)
        let certainties = denying.map { denies($0, at: place) }
        if let index = certainties.firstIndex(of: .surely) { return .deny(sure, denying[index].name.text) }
        return certainties.firstIndex(of: .maybe).map { index in
            let isForItsQuery = canRead && hinges(onQueryOf: facts.request, denying[index])
            return .deny(isForItsQuery ? "ambiguous_query" : "undetermined", denying[index].name.text)
        }
    }

    /// True where all that a deny asks of the request is told, and what it says can be read in several ways.
    private func hinges(onQueryOf request: RequestFacts?, _ rule: Rule) -> Bool {
        guard let http = rule.match.http, let request else { return false }
        let isTold = [
            http.methods == nil || request.method != nil, http.paths == nil || request.path != nil,
            (http.fields ?? []).isEmpty || request.fields.map { !$0.asked.isEmpty } ?? false,
            http.query == nil || request.query != nil,
        ]
        let answers = world.requests.answers(http, request, isDeny: true)
        return !isTold.contains(false) && ever(answers) && !always(answers)
    }

    /// True where a rule that counts asks for methods, and this one is GET or what a rule names but for its case.
    var hasAmbiguousMethod: Bool {
        guard canRead, let method = facts.request?.method?.text else { return false }
        let rules = policy.rules.filter { isStrict || !$0.terms.isOnTrial }
        let lists = rules.compactMap { $0.match.http?.methods?.map(\.text) }
        let known = ["GET", "POST", "PUT"] + lists.joined()
        return !lists.isEmpty && !known.contains(method) && known.contains { $0.lowercased() == method.lowercased() }
    }

    /// True where a rule that counts asks for a field, and one of another spelling was sent.
    var hasAmbiguousField: Bool {
        guard canRead, facts.request?.fields?.lookalikes.isEmpty == false else { return false }
        return policy.rules.contains { (isStrict || !$0.terms.isOnTrial) && $0.match.http?.fields?.isEmpty == false }
    }

    // MARK: Dialling

    func admit(_ winner: Rule?) -> ReferenceAnswer {
        let own = winner?.match.cidrs ?? []
        let isGuarded = { (address: IPAddress) in
            address.specialRange != nil && (address.isMappedIPv4 || !own.contains { $0.contains(address) })
        }
        let original = facts.original?.socket.address
        var target = facts.spokenName
        if let match = winner?.match, match.cidrs != nil, match.hosts == nil { target = nil }
        let name = winner?.name.text
        if target == nil, original == nil { return .deny("no_original_destination", name) }
        if let original, isGuarded(original) { return .deny("special_address", name) }
        var answer = ReferenceAnswer(
            verdict: .allow,
            reason: winner == nil ? "default_allow" : "rule_allow",
            rule: name
        )
        answer.target = target?.text ?? "original"
        if let given = facts.addresses {
            let candidates = target == nil ? [original].compactMap(\.self) : given
            var passed: [String] = []
            var dialled: [IPAddress] = []
            var objection: ReferenceAnswer?
            var question: ReferenceAnswer?
            for address in candidates {
                let isOutside = winner?.match.cidrs != nil && !own.contains { $0.contains(address) }
                let complaint =
                    denial(original: address, sure: "denied_address", naming: true)
                    ?? (isGuarded(address)
                        ? .deny("special_address", name) : isOutside ? .deny("outside_cidrs", name) : nil)
                    ?? denierByBody(original: address, naming: true).map { .needsBody($0.name.text) }
                if complaint == nil {
                    passed.append(SocketAddress(address, port: facts.port).description)
                    dialled.append(address)
                }
                objection = objection ?? complaint
                question = question ?? (complaint?.verdict == .needsBody ? complaint : nil)
            }
            if let question { return question }
            if passed.isEmpty { return objection ?? .deny("unresolvable", name) }
            answer.addresses = passed
            answer.dialled = dialled
        }
        return count(answer, winner)
    }

    /// A rule of which a counter is exhausted refuses, unless it is on trial.
    private func count(_ answer: ReferenceAnswer, _ winner: Rule?) -> ReferenceAnswer {
        guard let winner else { return answer }
        var answer = answer
        var quantities: [(CountedQuantity, CountingScope)] = []
        if let rate = winner.terms.rate { quantities.append((.rate, rate.by)) }
        if let budget = winner.terms.budget {
            if budget.requests != nil { quantities.append((.requests, budget.by)) }
            if budget.bytesUp != nil { quantities.append((.bytesUp, budget.by)) }
        }
        for (quantity, scope) in quantities {
            let key = key(scope, of: winner)
            let isExhausted = facts.exhausted.contains {
                $0.rule == winner.name && $0.quantity == quantity && $0.subject.key == key
                    && $0.subject.scope == scope
            }
            if isExhausted, isStrict || !winner.terms.isOnTrial {
                return .deny(quantity == .rate ? "rate_exceeded" : "budget_exhausted", winner.name.text)
            }
            if isExhausted { continue }
            let trial = winner.terms.isOnTrial ? " on trial" : ""
            answer.draws.append("\(winner.name) \(quantity.rawValue) \(scope.rawValue) '\(key)'\(trial)")
        }
        return answer
    }

    private func key(_ scope: CountingScope, of rule: Rule) -> String {
        switch scope {
        case .rule: return ""
        case .host:
            let address = facts.original?.socket.address.description
            let goesToAddress = rule.match.cidrs != nil && rule.match.hosts == nil
            return (goesToAddress ? nil : facts.spokenName?.text) ?? address ?? "-"
        case .workload:
            let uid = facts.workloadUID.map(String.init) ?? facts.clientAddress.map(String.init(describing:)) ?? "-"
            return "\(facts.workload.namespace ?? "-")/\(facts.workload.serviceAccount ?? "-")/\(uid)"
        }
    }
}
