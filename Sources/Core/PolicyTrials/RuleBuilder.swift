import NetworkTypes
import PolicyEngine

/// Makes rules of traffic: what is alike shares one.
struct RuleBuilder {
    let wildcards: [HostPattern]
    let pathLimit: Int
    private var taken: Set<String> = []
    /// The number that was tried last behind a name; those before it are taken.
    private var numbers: [String: Int] = [:]

    init(wildcards: [HostPattern], pathLimit: Int) {
        self.wildcards = wildcards
        self.pathLimit = pathLimit
    }

    /// What rules have in common, but for the hosts or blocks that they name.
    private struct Shape: Hashable {
        var isNamed: Bool
        var port: UInt16
        /// `nil` for any.
        var protocols: Set<ApplicationProtocol>?
        /// What may be dialled for the names, where that is special.
        var blocks: [CIDR]
        /// TLS without a server name alone.
        var isNameless = false
        var http: RequestMatch?
        /// What may be called; `nil` for anything.
        var mcp: CallMatch?
        /// Of requests whose calls were not read, others to the same path called something.
        var isBesideCalls = false
        /// Nothing inside is read.
        var isTunnel = false
        /// Special addresses have rules of their own.
        var isSpecial: Bool
    }

    /// What one destination was asked for.
    private struct Destination: Hashable {
        var host: LearnedTraffic.Host
        var port: UInt16
    }

    mutating func rules(_ traffic: LearnedTraffic) -> [LearnedRule] {
        var members: [Shape: [String: LearnedTraffic.Sighting]] = [:]
        for (destination, accounts) in bySpeech(traffic.accounts) {
            for (shape, sighting) in shapes(of: destination, accounts) {
                members[shape, default: [:]][item(destination.host), default: .init()].add(sighting)
            }
        }
        for (endpoint, account) in traffic.rejectedByAll {
            let destination = Destination(host: endpoint.host, port: endpoint.port)
            var shape = shape(destination, [endpoint.spoken: account], [.tls], nil)
            shape.isNameless = account.isNameless
            shape.isTunnel = true
            members[shape, default: [:]][item(destination.host), default: .init()].add(account.sighting)
        }
        let ordered = members.sorted { sortKey($0.key, $0.value) < sortKey($1.key, $1.value) }
        var rules: [LearnedRule] = []
        for (shape, items) in ordered {
            if let rule = rule(shape, items) { rules.append(rule) }
        }
        return rules
    }

    private func bySpeech(
        _ accounts: [LearnedTraffic.Endpoint: LearnedTraffic.Account]
    ) -> [Destination: [LearnedTraffic.Spoken: LearnedTraffic.Account]] {
        var found: [Destination: [LearnedTraffic.Spoken: LearnedTraffic.Account]] = [:]
        for (endpoint, account) in accounts {
            found[Destination(host: endpoint.host, port: endpoint.port), default: [:]][endpoint.spoken] = account
        }
        return found
    }

    /// What has to be allowed at one destination, each with how often it was seen.
    private func shapes(
        of destination: Destination,
        _ accounts: [LearnedTraffic.Spoken: LearnedTraffic.Account]
    ) -> [(Shape, LearnedTraffic.Sighting)] {
        var sighting = LearnedTraffic.Sighting()
        var protocols: Set<ApplicationProtocol>? = []
        var found: [(Shape, LearnedTraffic.Sighting)] = []
        for (spoken, account) in accounts {
            switch spoken.speech {
            case .known(let carrier) where carrier == .http || spoken.isInsideTLS:
                found += requestShapes(shape(destination, accounts, [carrier], nil), account)
                continue
            case .known(let spoken): protocols?.insert(spoken)
            // Before anybody spoke: a rule that asks for a protocol would not allow it.
            case .silent, .asked: protocols = nil
            }
            sighting.add(account.sighting)
        }
        guard sighting.count > 0 else { return found }
        var shape = shape(destination, accounts, protocols, nil)
        let tunnels = accounts[LearnedTraffic.Spoken(speech: .known(.tls))]
        shape.isNameless = protocols == [.tls] && tunnels?.isNameless ?? false
        return found + [(shape, sighting)]
    }

    private func shape(
        _ destination: Destination,
        _ accounts: [LearnedTraffic.Spoken: LearnedTraffic.Account],
        _ protocols: Set<ApplicationProtocol>?,
        _ http: RequestMatch?
    ) -> Shape {
        let isNamed: Bool
        let addresses: Set<IPAddress>
        switch destination.host {
        case .name:
            isNamed = true
            addresses = accounts.values.reduce(into: []) { $0.formUnion($1.addresses) }
        case .address(let address):
            isNamed = false
            addresses = [address]
        }
        let isSpecial = addresses.contains { $0.specialRange != nil }
        let blocks = isNamed && isSpecial ? addresses.map { CIDR(single: $0) }.sorted { "\($0)" < "\($1)" } : []
        return Shape(
            isNamed: isNamed,
            port: destination.port,
            protocols: protocols,
            blocks: blocks,
            http: http,
            isSpecial: isSpecial
        )
    }

    /// Where requests went, and whether it is known what they called.
    private struct Target: Hashable {
        var path: CanonicalPath?
        var calls: Bool
    }

    /// What they asked for there.
    private struct Asked: Hashable {
        var methods: Set<String?> = []
        var calls: Set<AgentCall> = []
    }

    /// One shape for each set of methods and calls, with the paths that it was seen with.
    private func requestShapes(
        _ base: Shape,
        _ account: LearnedTraffic.Account
    ) -> [(Shape, LearnedTraffic.Sighting)] {
        var asked: [Target: Asked] = [:]
        var sightings: [Target: LearnedTraffic.Sighting] = [:]
        for (request, sighting) in account.requests {
            let target = Target(path: request.path, calls: request.call != nil)
            asked[target, default: Asked()].methods.insert(request.method?.text)
            if let call = request.call { asked[target, default: Asked()].calls.insert(call) }
            sightings[target, default: .init()].add(sighting)
        }
        let called = Set(asked.keys.filter(\.calls).map(\.path))
        return Dictionary(grouping: asked.keys) { asked[$0] ?? Asked() }.map { asked, targets in
            var shape = base
            shape.http = requestMatch(asked.methods, targets.map(\.path))
            shape.mcp = callMatch(asked.calls)
            shape.isBesideCalls = targets.contains { !$0.calls && called.contains($0.path) }
            return (shape, targets.reduce(into: .init()) { $0.add(sightings[$1] ?? .init()) })
        }
    }

    private func requestMatch(_ methods: Set<String?>, _ paths: [CanonicalPath?]) -> RequestMatch? {
        var match = RequestMatch()
        // A question that leaves the method or the path out is answered where no rule depends on it.
        if !methods.contains(nil) {
            match.methods = methods.compactMap { $0 }.sorted().compactMap { RequestMethod($0) }
        }
        if !paths.contains(nil) { match.paths = pathPatterns(paths.compactMap { $0 }, limit: pathLimit) }
        return match.methods == nil && match.paths == nil ? nil : match
    }

    private func callMatch(_ calls: Set<AgentCall>) -> CallMatch? {
        guard !calls.isEmpty else { return nil }
        let methods = Set(calls.map(\.method)).sorted().compactMap { CallPattern($0) }
        let tools = Set(calls.compactMap(\.tool)).sorted().compactMap { CallPattern($0) }
        return CallMatch(tools: tools.isEmpty ? nil : tools, methods: methods)
    }

    private func item(_ host: LearnedTraffic.Host) -> String {
        switch host {
        case .name(let name): (wildcards.first { $0.matches(name) } ?? .exact(name)).description
        case .address(let address): CIDR(single: address).description
        }
    }

    private func sortKey(_ shape: Shape, _ items: [String: LearnedTraffic.Sighting]) -> (Int, UInt16, String) {
        // The first rule that allows may look inside.
        let kind = (shape.isTunnel ? 0 : 4) + (shape.isNamed ? 0 : 2) + (shape.isSpecial ? 1 : 0)
        return (kind, shape.port, "\(protocolText(shape)) \(items.keys.min() ?? "") \(requestText(shape))")
    }

    private mutating func rule(_ shape: Shape, _ items: [String: LearnedTraffic.Sighting]) -> LearnedRule? {
        var match = RuleMatch()
        let texts = items.keys.sorted()
        if shape.isNamed {
            match.hosts = texts.compactMap { try? HostPattern($0) }
            match.cidrs = shape.blocks.isEmpty ? nil : shape.blocks
        } else {
            match.cidrs = texts.compactMap { try? CIDR($0) }
        }
        guard let name = ruleName(shape, texts) else { return nil }
        match.ports = [shape.port...shape.port]
        match.protocols = shape.protocols
        if shape.isNameless { match.sni = .absent }
        match.http = shape.http
        match.mcp = shape.mcp
        return LearnedRule(
            rule: Rule(name, shape.isTunnel ? .tunnel : .allow, match),
            comments: [comment(shape, texts.count)] + callComment(shape),
            sightings: items
        )
    }

    /// Such as `tls-443`; where that is taken, with a number behind it.
    private mutating func ruleName(_ shape: Shape, _ items: [String]) -> RuleName? {
        var words = [shape.isTunnel ? "tunnel" : protocolText(shape), "\(shape.port)"]
        if shape.isSpecial { words.insert("private", at: 0) }
        if let host = items.first, items.count == 1, shape.isNamed { words.insert(host, at: 0) }
        let base = String(words.joined(separator: "-").prefix(100))
        var name = base
        while !taken.insert(name).inserted {
            let number = numbers[base, default: 1] + 1
            numbers[base] = number
            name = "\(base)-\(number)"
        }
        return RuleName(name)
    }

    private func protocolText(_ shape: Shape) -> String {
        guard let protocols = shape.protocols else { return "any" }
        return protocols.map(\.rawValue).sorted().joined(separator: "-")
    }

    private func requestText(_ shape: Shape) -> String {
        let methods = shape.http?.methods?.map(\.text) ?? []
        let paths = (shape.http?.paths ?? []).map(\.text)
        let calls = (shape.mcp?.methods ?? []) + (shape.mcp?.tools ?? [])
        return (methods + paths + calls.map(\.text)).joined(separator: " ")
    }

    private func comment(_ shape: Shape, _ count: Int) -> String {
        let noun = shape.isNamed ? (count == 1 ? "name" : "names") : (count == 1 ? "address" : "addresses")
        let line = "\(spokenText(shape)) to port \(shape.port): \(count == 1 ? "one" : "\(count)") \(noun)"
        if shape.isTunnel { return "\(line), where clients did not take the certificate of the daemon." }
        let special = "private, loopback or otherwise special"
        guard shape.isSpecial else { return line + "." }
        return shape.isNamed
            ? "\(line). It resolved to addresses that are \(special): `cidrs` must name them." : "\(line), \(special)."
    }

    /// That any tool may be called by requests of which no call is known.
    private func callComment(_ shape: Shape) -> [String] {
        guard let http = shape.http, shape.mcp == nil else { return [] }
        guard http.methods?.contains(where: { $0.text == "POST" }) ?? true else { return [] }
        return shape.isBesideCalls
            ? ["NOT LIMITED: others to the same path called tools. With this rule, any tool may be called there."]
            : ["No calls were read there: where a server has tools (MCP), they are not limited."]
    }

    private func spokenText(_ shape: Shape) -> String {
        guard let protocols = shape.protocols else { return "Any protocol" }
        let words = protocols.sorted { $0.rawValue < $1.rawValue }.map { spoken in
            switch spoken {
            case .tls: "TLS"
            case .http: "Plain HTTP"
            case .h2c: "HTTP/2 without TLS"
            case .opaque: "Some other protocol"
            }
        }
        return words.joined(separator: ", ")
    }
}
