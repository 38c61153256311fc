import NetworkTypes
import PolicyEngine
import TestSupport

extension Seeded {
    /// One or two items, rarely none.
    package mutating func some<Item>(of items: [Item]) -> [Item] {
        chance(4) ? [] : Array(items.shuffled(using: &self).prefix(Int.random(in: 1...2, using: &self)))
    }

    /// One of the items, or `nil` in so many of a hundred cases.
    package mutating func one<Item>(of items: [Item], orNothingIn percent: Int) -> Item? {
        chance(percent) ? nil : items.randomElement(using: &self)
    }
}

/// A small world in which rules and connections meet often.
package struct PolicyWorld {
    package let reference: ReferenceWorld
    let names: [HostName]
    let patterns: [HostPattern]
    let addresses: [IPAddress]
    let blocks: [CIDR]
    let ports: [UInt16] = [22, 80, 443, 8443]
    let pathPatterns: [PathPattern]
    let windows: [TimeWindow]
    let queries: [RequestQuery]
    let tools: [CallPattern]
    let callMethods: [CallPattern]

    package init() throws {
        struct NoPattern: Error {}
        names = try ["a.example", "b.a.example", "c.b.a.example", "x.test"].map { try HostName($0) }
        patterns = try ["a.example", "*.a.example", "b.a.example", "*.example", "x.test", "*.test"].map {
            try HostPattern($0)
        }
        addresses = try [
            "203.0.113.1", "203.0.113.200", "198.51.100.1", "10.0.0.1", "127.0.0.1", "169.254.169.254", "2001:db8::1",
            "fd00::1", "::ffff:10.0.0.1",
        ].map { text in
            guard let address = IPAddress(text) else { throw NoPattern() }
            return address
        }
        blocks = try [
            "203.0.113.0/24", "203.0.113.128/25", "198.51.100.1", "10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8",
            "2001:db8::/32",
        ].map { try CIDR($0) }
        pathPatterns = try ["/v1/a", "/v2", "/*", "/v1/*", "/v1/a/*", "/*/a", "/v*", "/**/b", "/v1/*a*/b"].map {
            guard let pattern = try PathPattern($0) else { throw NoPattern() }
            return pattern
        }
        windows = [
            TimeWindow(days: [.monday, .tuesday, .friday], from: 540, to: 1050, zone: 60),
            TimeWindow(from: 1320, to: 360), TimeWindow(days: [.saturday], zone: -300),
            TimeWindow(days: [.sunday], from: 1410, to: 15),
        ]
        queries = ["", "q=one", "q=two&q=one", "x=1", "q=%zz", "q=one;r", "%=1", "q", "q=%6Fne"].map {
            RequestQuery($0)
        }
        tools = ["read_file", "write_file", "*_file", "read*"].compactMap { CallPattern($0) }
        callMethods = ["tools/call", "tools/list", "tools/*", "init*ze", "*"].compactMap { CallPattern($0) }
        let read = AgentCall(method: "tools/call", tool: "read_file")
        let monday: Int64 = 1_764_547_200
        reference = ReferenceWorld(
            names: names + [nil],
            uids: [0, 1000, 1001],
            namespaces: ["one", "two", "three"],
            serviceAccounts: ["ci", "dev", "ops"],
            clients: ["10.88.0.2", "10.88.0.3", "2001:db8:88::2", "192.0.2.9"].compactMap { IPAddress($0) },
            moments: [
                0, 21_599, 21_600, 28_799, 28_800, 59_399, 59_400, 79_199, 79_200, 86_399, 432_000 + 18_000, 518_400,
                603_000 - 1,
            ]
            .map { monday + $0 },
            // The last of each value, and the path `*`, no rule names.
            requests: ReferenceRequests(
                methods: ["GET", "POST", "PUT"].compactMap { RequestMethod($0) },
                paths: try ["/v1/a", "/v1/", "/v1/a/b", "/v2", "/x/y"].map { try CanonicalPath($0) } + [.server],
                fieldName: "x-tenant",
                fieldValues: ["one", "two", "three"].map { Array($0.utf8) },
                queryKey: Array("q".utf8),
                queryValues: ["one", "two", "three"].map { Array($0.utf8) }
            ),
            calls: ReferenceCalls(
                possible: [
                    [], [read], [AgentCall(method: "tools/call", tool: "write_file")],
                    [AgentCall(method: "tools/call", tool: "other")], [AgentCall(method: "tools/list")],
                    [AgentCall(method: "initialize")], [.response], [read, AgentCall(method: "tools/list")],
                ]
            )
        )
    }

    var requests: ReferenceRequests { reference.requests }

    private var clientBlocks: [CIDR] {
        ["10.88.0.0/24", "10.88.0.2/32", "2001:db8:88::/64"].compactMap { try? CIDR($0) }
    }

    package func match(_ random: inout Seeded) -> RuleMatch {
        var match = RuleMatch()
        if random.chance(50) { match.hosts = random.some(of: patterns) }
        if random.chance(35) { match.cidrs = random.some(of: random.chance(50) ? Array(blocks.prefix(3)) : blocks) }
        if random.chance(35) { match.ports = random.some(of: [22...22, 80...443, 443...443, 8000...9000, 1...65535]) }
        if random.chance(25) { match.protocols = Set(random.some(of: ApplicationProtocol.allCases)) }
        if random.chance(8) { match.sni = random.chance(50) ? .present : .absent }
        if random.chance(15) { match.uids = Set(random.some(of: [0, 1000])) }
        if random.chance(6) { match.namespaces = Set(random.some(of: ["one", "two"])) }
        if random.chance(6) { match.serviceAccounts = Set(random.some(of: ["ci", "dev"])) }
        if random.chance(6) { match.clientBlocks = random.some(of: clientBlocks) }
        if random.chance(8) { match.times = random.some(of: windows) }
        if random.chance(25) { match.http = requestMatch(&random) }
        if random.chance(20) { match.mcp = callMatch(&random) }
        if match.looksInside, match.protocols != nil || random.chance(60) { match.protocols = [.http] }
        return match
    }

    private func callMatch(_ random: inout Seeded) -> CallMatch {
        CallMatch(
            tools: random.chance(70) ? random.some(of: tools) : nil,
            methods: random.chance(40) ? random.some(of: callMethods) : nil
        )
    }

    private func calls(_ random: inout Seeded) -> RequestCalls? {
        if random.chance(40) { return nil }
        if random.chance(12) { return [.malformed, .unreadable, .unread].randomElement(using: &random) }
        return reference.calls.possible.randomElement(using: &random).map { .calls($0) }
    }

    private func requestMatch(_ random: inout Seeded) -> RequestMatch {
        var match = RequestMatch()
        if random.chance(50) { match.methods = random.some(of: requests.methods.dropLast()) }
        if random.chance(50) { match.paths = random.some(of: pathPatterns) }
        if random.chance(30) {
            match.fields = [FieldMatch(name: requests.fieldName, values: values(requests.fieldValues, &random))]
        }
        if random.chance(30) {
            match.query = [QueryMatch(key: requests.queryKey, values: values(requests.queryValues, &random))]
        }
        return match
    }

    private func values(_ values: [[UInt8]], _ random: inout Seeded) -> [[UInt8]]? {
        random.chance(25) ? nil : random.some(of: values.dropLast())
    }

    /// What is known of a request; all of it, or nothing, or a part.
    private func request(_ random: inout Seeded) -> RequestFacts? {
        guard random.chance(85) else { return nil }
        let isWhole = random.chance(60)
        var request = RequestFacts(method: nil, path: nil, fields: nil)
        if isWhole || random.chance(60) { request.method = requests.methods.randomElement(using: &random) }
        if isWhole || random.chance(60) { request.path = requests.paths.randomElement(using: &random) }
        if random.chance(3) { request.method = RequestMethod("Get") }
        if random.chance(3) { request.path = try? CanonicalPath("/v1//a") }
        if isWhole || random.chance(60) {
            let values = random.chance(20) ? [] : random.some(of: requests.fieldValues)
            let fields = values.map { RequestField(name: requests.fieldName, value: $0) }
            let asked = random.chance(90) ? [requests.fieldName] : []
            let lookalikes = random.chance(3) ? [requests.fieldName.replacing("-", with: "_")] : []
            request.fields = RequestFields(of: asked, fields, lookalikes: lookalikes)
        }
        request.calls = calls(&random)
        if isWhole || random.chance(60) { request.query = queries.randomElement(using: &random) }
        return request
    }

    private func opening(_ random: inout Seeded) -> Opening {
        let spoken = ApplicationProtocol.allCases.randomElement(using: &random) ?? .opaque
        let name = random.one(of: names, orNothingIn: 20)
        if random.chance(20) { return .silent }
        if random.chance(15) { return .asked(name) }
        return .known(random.chance(30) ? .http : spoken, name: name)
    }

    private func terms(_ action: RuleAction, _ random: inout Seeded) -> RuleTerms {
        var terms = RuleTerms(isOnTrial: random.chance(15))
        if action == .deny {
            terms.exceptsTunnels = random.chance(40)
            return terms
        }
        let scope = CountingScope.allCases.randomElement(using: &random) ?? .rule
        if random.chance(15) { terms.rate = RateLimit(limit: 5, per: .minute, by: scope) }
        guard random.chance(15) else { return terms }
        let bytes: UInt64? = random.chance(50) ? nil : 1024
        terms.budget = Budget(bytesUp: bytes, requests: random.chance(50) ? nil : 7, per: nil, by: scope)
        return terms
    }

    package func policy(_ random: inout Seeded, auditing: Int = 0) -> Policy {
        let rules = (0..<Int.random(in: 0...6, using: &random)).compactMap { index in
            RuleName("r\(index)").map { name in
                let action: RuleAction =
                    random.chance(35) ? .deny : random.chance(75) ? .allow : random.chance(60) ? .tunnel : .inspect
                return Rule(name, action, match(&random), terms(action, &random))
            }
        }
        return Policy(
            name: "random",
            mode: random.chance(auditing) ? .audit : .enforce,
            defaultAction: random.chance(30) ? .allow : .deny,
            hash: "sha256:random",
            rules: rules,
            canIntercept: random.chance(40),
            leafSize: random.chance(80) ? 0 : 2
        )
    }

    package func facts(_ random: inout Seeded) -> Facts {
        let port = ports.randomElement(using: &random) ?? 443
        // The first three are public: a special original destination ends most stories early.
        let places = random.chance(70) ? Array(addresses.prefix(3)) : addresses
        let original = random.one(of: places, orNothingIn: 10)
        var facts = Facts(
            original: original.map { OriginalDestination(SocketAddress($0, port: port)) },
            port: port,
            opening: opening(&random),
            workloadUID: random.one(of: reference.uids, orNothingIn: 20),
            clientAddress: random.one(of: reference.clients, orNothingIn: 20),
            workload: WorkloadNames(
                namespace: random.one(of: reference.namespaces, orNothingIn: 20),
                serviceAccount: random.one(of: reference.serviceAccounts, orNothingIn: 20)
            ),
            now: random.one(of: reference.moments, orNothingIn: 10),
            hasServerName: random.chance(90) ? nil : random.chance(50),
            isOwnListener: random.chance(2),
            addresses: random.chance(40) ? nil : random.chance(10) ? [] : random.some(of: addresses),
            request: request(&random),
            isFinal: random.chance(15)
        )
        // What decides whether somebody looks inside, which is rare by chance.
        if random.chance(12) {
            facts.opening = .known(.tls, name: names.randomElement(using: &random))
            facts.request = nil
            facts.isFinal = false
        }
        return facts
    }

    /// Some of the counters that a decision would draw on.
    package func exhausted(_ draws: [CounterDraw], _ random: inout Seeded) -> Set<PolicyCounter> {
        guard random.chance(40) else { return [] }
        return Set(draws.map(\.counter).filter { _ in random.chance(60) })
    }
}
