import NetfilterBindings

extension Ruleset {
    /// How what the kernel holds differs from these rules, in words; empty where it does not.
    package func differences(from reading: RulesetReading) -> [String] {
        guard let found = reading.table else { return ["table inet \(table) is missing"] }
        var differences: [String] = []
        if found.flags & 1 != 0 { differences.append("table inet \(table) is switched off (dormant)") }
        if found.flags & ~1 != 0 { differences.append("table inet \(table) has flags \(found.flags), expected none") }
        differences += setDifferences(reading.sets)
        differences += chainDifferences(reading.chains)
        for chain in chains {
            differences += ruleDifferences(chain, reading.rules.filter { $0.chain == chain.name })
        }
        return differences + foreignDifferences(from: reading)
    }

    /// What others have put before these rules, in words; empty where they have not.
    func foreignDifferences(from reading: RulesetReading) -> [String] {
        // Only where we rewrite ourselves do others come before us.
        let hooks = chains.filter { $0.type == "nat" }.compactMap(\.hook?.rawValue)
        // A gateway of ours for other interfaces lets by what this one governs, as this one does the other way round.
        let own = Set(chains.first { $0.name == CapturePlan.captureChain }?.rules.first?.exceptedInterfaces ?? [])
        let gateways = reading.otherGateways.filter { !own.isEmpty && own.isDisjoint(with: $0.value) }
        return reading.earlierRewriters.filter { chain in
            hooks.contains(chain.base?.hook ?? .max)
                && !(chain.family == NetfilterFamily.inet && chain.name == CapturePlan.captureChain
                    && gateways[chain.table] != nil)
        }.map(Self.rewriterText)
    }

    private func setDifferences(_ found: [NetfilterSet]) -> [String] {
        var differences: [String] = []
        for expected in setObjects {
            guard let set = found.first(where: { $0.name == expected.name }) else {
                differences.append("set \(expected.name) is missing")
                continue
            }
            if set.keyLength != expected.keyLength || set.flags != expected.flags {
                differences.append(
                    "set \(expected.name) is of another kind (flags \(set.flags), keys of \(set.keyLength))"
                )
            }
            let missing = expected.elements.subtracting(set.elements).map(portText).sorted()
            let extra = set.elements.subtracting(expected.elements).map(portText).sorted()
            if !missing.isEmpty { differences.append("set \(set.name) lacks \(missing.joined(separator: ", "))") }
            if !extra.isEmpty { differences.append("set \(set.name) also holds \(extra.joined(separator: ", "))") }
        }
        let names = Set(sets.map(\.name))
        return differences + found.filter { !names.contains($0.name) }.map { "set \($0.name) is not ours" }
    }

    private func chainDifferences(_ found: [NetfilterChain]) -> [String] {
        var differences: [String] = []
        for (chain, expected) in zip(chains, chainObjects) {
            guard let other = found.first(where: { $0.name == chain.name }) else {
                differences.append("chain \(chain.name) is missing")
                continue
            }
            guard other.base != expected.base else { continue }
            let text = other.base.map(placeText) ?? "no hook"
            differences.append("chain \(chain.name) is '\(text)', expected '\(chain.placeText)'")
        }
        let names = Set(chains.map(\.name))
        return differences + found.filter { !names.contains($0.name) }.map { "chain \($0.name) is not ours" }
    }

    /// The first difference of a chain's rules; what follows it is mostly the same rules, moved.
    private func ruleDifferences(_ chain: Chain, _ found: [NetfilterRule]) -> [String] {
        for (index, rule) in chain.rules.enumerated() {
            guard index < found.count else {
                return ["chain \(chain.name): rule \(index + 1) is missing: \(rule.text)"]
            }
            let other = found[index]
            if other.expressions.withoutCounts != rule.expressions {
                let text = "'\(rule.text)', found \(description(of: other))"
                return ["chain \(chain.name): rule \(index + 1) is not \(text)"]
            }
            if other.comment != rule.comment {
                return ["chain \(chain.name): rule \(index + 1) has another comment than '\(rule.comment ?? "")'"]
            }
        }
        guard found.count > chain.rules.count else { return [] }
        let extra = found[chain.rules.count]
        return ["chain \(chain.name): rule \(chain.rules.count + 1) is not ours: \(description(of: extra))"]
    }

    /// A rule that was found: as one of ours where it is one, else by the names of what it does.
    private func description(of found: NetfilterRule) -> String {
        let ours = chains.flatMap(\.rules).first { $0.expressions == found.expressions.withoutCounts }
        if let ours { return "'\(ours.text)'" }
        return "[\(found.expressions.map(\.kernelName).joined(separator: " "))]"
            + (found.comment.map { " \"\($0)\"" } ?? "")
    }

    private static func rewriterText(_ chain: NetfilterChain) -> String {
        let families = [NetfilterFamily.inet: "inet", NetfilterFamily.ipv4: "ip", NetfilterFamily.ipv6: "ip6"]
        let table = "\(families[chain.family] ?? "?") \(chain.table)"
        return "chain \(chain.name) of table \(table) rewrites destinations before ours (priority "
            + "\(chain.base?.priority ?? 0), ours \(CapturePlan.capturePriority)): it may lead connections past the daemon"
    }
}

extension Rule {
    /// The interfaces that a gateway's first rule does not let by.
    fileprivate var exceptedInterfaces: [String] {
        matches.compactMap { match in
            if case .inputDevice(let name, false) = match { name } else { nil }
        }
    }
}

private func placeText(_ base: NetfilterChain.Base) -> String {
    let hook = Ruleset.Hook(rawValue: base.hook).map { "\($0)" } ?? "\(base.hook)"
    return
        "type \(base.type) hook \(hook) priority \(base.priority); policy \(base.dropsByDefault ? "drop" : "accept");"
}

private func portText(_ key: [UInt8]) -> String {
    "\(key.reduce(0) { $0 << 8 | UInt64($1) })"
}

extension [NetfilterExpression] {
    /// The same with every counter at zero.
    fileprivate var withoutCounts: [NetfilterExpression] {
        map {
            if case .counter = $0 { .counter(packets: 0, bytes: 0) } else { $0 }
        }
    }
}
