import NetworkTypes

extension Rule {
    /// True where the rule matches whatever another one does.
    ///
    /// It may miss some that are covered, and never names one that is not.
    func covers(_ other: Rule, canIntercept: Bool) -> Bool {
        coversPlaces(of: other) && coversPorts(of: other) && coversCircumstances(of: other)
            && (protocols ?? .all).isSuperset(of: other.readable(canIntercept))
            && (match.sni == nil || match.sni == other.match.sni)
            && (match.http?.covers(other.match.http) ?? true) && coversCalls(of: other)
    }

    private func readable(_ canIntercept: Bool) -> ProtocolSet {
        guard match.looksInside else { return protocols ?? .all }
        return (protocols ?? .all).intersection(canIntercept ? [.http, .tls] : .http)
    }

    private func coversPlaces(of other: Rule) -> Bool {
        if let hosts = match.hosts {
            guard let others = other.match.hosts else { return false }
            guard others.allSatisfy({ pattern in hosts.contains { $0.covers(pattern) } }) else { return false }
            // What allows names within blocks refuses those that lie outside; no later rule is asked.
            if action != .deny { return true }
        }
        guard let cidrs = match.cidrs else { return true }
        let isOfOriginal = other.match.hosts == nil || other.action == .deny
        guard isOfOriginal, let others = other.match.cidrs else { return false }
        return others.isCovered(by: cidrs)
    }

    private func coversPorts(of other: Rule) -> Bool {
        guard let ports else { return true }
        return (other.ports ?? [0 ... .max]).allSatisfy { range in
            var next = Int(range.lowerBound)
            for own in ports.sorted(by: { $0.lowerBound < $1.lowerBound }) where Int(own.lowerBound) <= next {
                next = max(next, Int(own.upperBound) + 1)
            }
            return next > Int(range.upperBound)
        }
    }

    /// Several calls in one request hold a deny if any does, and what allows only if all do.
    private func coversCalls(of other: Rule) -> Bool {
        guard let mcp = match.mcp else { return true }
        guard let others = other.match.mcp, action == .deny || other.action != .deny else { return false }
        return mcp.covers(others)
    }

    private func coversCircumstances(of other: Rule) -> Bool {
        isPart(other.match.uids, of: match.uids) && isPart(other.match.namespaces, of: match.namespaces)
            && isPart(other.match.serviceAccounts, of: match.serviceAccounts)
            && coversClients(of: other)
            && isPart(other.match.times.map(Set.init), of: match.times.map(Set.init))
    }

    private func coversClients(of other: Rule) -> Bool {
        guard let blocks = match.clientBlocks else { return true }
        return other.match.clientBlocks.map { $0.isCovered(by: blocks) } ?? false
    }

    /// `nil` is all there is.
    private func isPart<Value>(_ some: Set<Value>?, of all: Set<Value>?) -> Bool {
        guard let all else { return true }
        return some?.isSubset(of: all) ?? false
    }
}

extension [CIDR] {
    /// True where each lies in one of others.
    fileprivate func isCovered(by blocks: [CIDR]) -> Bool {
        allSatisfy { block in
            blocks.contains { $0.prefixLength <= block.prefixLength && $0.contains(block.base) }
        }
    }
}

extension HostPattern {
    /// True where the pattern matches every name that another does.
    func covers(_ other: HostPattern) -> Bool {
        switch (self, other) {
        case (_, .exact(let name)): matches(name)
        case (.below(let wide), .below(let narrow)): wide == narrow || narrow.isBelow(wide)
        case (.exact, .below): false
        }
    }
}

extension RequestMatch {
    fileprivate func covers(_ other: RequestMatch?) -> Bool {
        guard let other else { return false }
        if let methods {
            guard let others = other.methods, others.allSatisfy(methods.contains) else { return false }
        }
        if let paths {
            guard let others = other.paths, others.allSatisfy({ path in paths.contains { $0.covers(path) } }) else {
                return false
            }
        }
        let coversFields = (fields ?? []).allSatisfy { own in
            other.fields?.contains { $0.name == own.name && isPart($0.values, of: own.values) } ?? false
        }
        let coversQuery = (query ?? []).allSatisfy { own in
            other.query?.contains { $0.key == own.key && isPart($0.values, of: own.values) } ?? false
        }
        return coversFields && coversQuery
    }

    private func isPart(_ some: [[UInt8]]?, of all: [[UInt8]]?) -> Bool {
        guard let all else { return true }
        return some?.allSatisfy(all.contains) ?? false
    }
}

extension PathPattern {
    fileprivate func covers(_ other: PathPattern) -> Bool {
        switch (self, other) {
        case (_, .exact(let path)): matches(path)
        case (.below(let wide), .below(let narrow)): narrow.text.hasPrefix(wide.text)
        case (.below(let wide), .glob(let glob)): glob.text.prefix { $0 != "*" }.hasPrefix(wide.text)
        case (.glob(let one), .glob(let two)): one == two
        case (.exact, .below), (.exact, .glob), (.glob, .below): false
        }
    }
}
