import NetworkTypes

/// Finds the rules that may match, by one key of a `match` after the other.
///
/// What it leaves out cannot match; what it finds is compared in full. It is an immutable tree: a node asks for one key, and
/// has a branch for each value that rules name, and one for the rules that do not ask for it.
final class RuleIndex: Sendable {
    /// The places of rules that are compared one after the other.
    private let places: [Int]
    private let branches: Branches
    /// The rules that do not ask for this key.
    private let rest: RuleIndex?

    private enum Branches: Sendable {
        case none
        case host(HostTable<RuleIndex>, all: [RuleIndex])
        case address(AddressTable<RuleIndex>)
        case port(PortTable<RuleIndex>)
        case user([UInt32: RuleIndex])
        case path([String: RuleIndex])
    }

    /// The keys that are looked up, the most telling first.
    private enum Key: CaseIterable {
        case host
        case address
        case port
        case user
        case path
    }

    /// Sorts rules in.
    ///
    /// - Parameters:
    ///   - rules: all rules.
    ///   - chosen: the places of those that are meant, ascending.
    ///   - leafSize: how many are compared one after the other rather than looked up.
    convenience init(_ rules: [Rule], _ chosen: [Int], leafSize: Int) {
        self.init(rules, chosen, Key.allCases[...], leafSize)
    }

    private init(_ rules: [Rule], _ chosen: [Int], _ keys: ArraySlice<Key>, _ leafSize: Int) {
        guard chosen.count > leafSize, let key = keys.first else {
            places = chosen
            branches = .none
            rest = nil
            return
        }
        places = []
        let asking = chosen.filter { Self.asks(rules[$0], for: key) }
        let others = chosen.filter { !Self.asks(rules[$0], for: key) }
        let grow = { (places: [Int]) in RuleIndex(rules, places, keys.dropFirst(), leafSize) }
        rest = others.isEmpty ? nil : grow(others)
        branches = asking.isEmpty ? .none : Self.branch(rules, asking, key, grow)
    }

    private static func asks(_ rule: Rule, for key: Key) -> Bool {
        switch key {
        case .host: rule.match.hosts != nil
        // What allows a name within blocks says nothing of where the agent was going.
        case .address: rule.match.cidrs != nil && (rule.action == .deny || rule.match.hosts == nil)
        case .port: rule.ports != nil
        case .user: rule.match.uids != nil
        case .path: rule.match.http?.exactPaths != nil
        }
    }

    private static func branch(
        _ rules: [Rule],
        _ places: [Int],
        _ key: Key,
        _ grow: ([Int]) -> RuleIndex
    ) -> Branches {
        switch key {
        case .host:
            let table = HostTable(places.map { (rules[$0].match.hosts ?? [], $0) }).mapValues(grow)
            return .host(table, all: table.values)
        case .address: return .address(AddressTable(places.map { (rules[$0].match.cidrs ?? [], $0) }).mapValues(grow))
        case .port: return .port(PortTable(places.map { (rules[$0].ports, $0) }).mapValues(grow))
        case .user: return .user(grouped(places) { rules[$0].match.uids.map(Array.init) ?? [] }.mapValues(grow))
        case .path: return .path(grouped(places) { rules[$0].match.http?.exactPaths ?? [] }.mapValues(grow))
        }
    }

    private static func grouped<Value: Hashable>(_ places: [Int], by values: (Int) -> [Value]) -> [Value: [Int]] {
        var groups: [Value: [Int]] = [:]
        for place in places {
            for value in Set(values(place)) { groups[value, default: []].append(place) }
        }
        return groups
    }

    /// The places of every rule that may match, in any order, and of some more than once.
    func places(_ probe: Probe) -> [Int] {
        // Few rules are no tree, and their list is there.
        if rest == nil, case .none = branches { return places }
        var found: [Int] = []
        var pending = [self]
        // No closures: each would copy what it captures.
        while let node = pending.popLast() {
            found += node.places
            node.follow(probe, &pending)
            if let rest = node.rest { pending.append(rest) }
        }
        return found
    }

    private func follow(_ probe: Probe, _ pending: inout [RuleIndex]) {
        switch branches {
        case .none: return
        case .host(let table, let all):
            switch probe.host {
            case .any: pending += all
            case .none: return
            case .name(let name): table.collect(name, into: &pending)
            }
        case .address(let table):
            if let address = probe.address { table.collect(address, into: &pending) }
        case .port(let table): table.collect(probe.port, into: &pending)
        case .user(let table):
            switch probe.user {
            case .any: pending += table.values
            case .none: return
            case .user(let uid): if let branch = table[uid] { pending.append(branch) }
            }
        case .path(let table):
            if let path = probe.path {
                if let branch = table[path] { pending.append(branch) }
            } else {
                pending += table.values
            }
        }
    }
}

/// What an index is asked.
struct Probe {
    var host: Host
    /// `nil`: rules with `cidrs` do not match.
    var address: IPAddress?
    var port: UInt16
    var user: User
    /// `nil`: rules with paths may match.
    var path: String?

    enum Host {
        /// Rules with hosts may match.
        case any
        /// They do not.
        case none
        case name(HostName)
    }

    enum User {
        case any
        case none
        case user(UInt32)
    }

    /// Asks for the rules that may match facts.
    ///
    /// - Parameters:
    ///   - facts: what is known.
    ///   - action: what the rules do; what is said of `allow` goes for whatever allows.
    ///   - isLastQuestion: whether a deny that may match counts.
    ///   - address: the address that is about to be dialled, instead of the original destination.
    init(
        _ facts: borrowing Facts,
        of action: RuleAction,
        isLastQuestion: Bool = false,
        address: IPAddress? = nil
    ) {
        let isDeny = action == .deny
        host =
            switch facts.opening {
            // Rules that allow names have a table of their own for it.
            case .silent: isDeny && isLastQuestion ? .any : .none
            case .known, .asked: facts.name.map(Host.name) ?? .none
            }
        self.address = address ?? facts.original?.socket.address
        port = facts.port
        user = facts.workloadUID.map(User.user) ?? (isDeny ? .any : .none)
        // Before it speaks, nothing that somebody says about a request counts.
        path = if case .known = facts.opening { facts.request?.path?.text } else { nil }
    }
}

extension RequestMatch {
    /// The paths, where none of them stands for several.
    var exactPaths: [String]? {
        guard let paths else { return nil }
        var texts: [String] = []
        for path in paths {
            guard case .exact(let exact) = path else { return nil }
            texts.append(exact.text)
        }
        return texts
    }
}
