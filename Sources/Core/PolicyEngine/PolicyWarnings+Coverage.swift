import NetworkTypes
import SourceDocuments

extension Policy {
    /// Blocks that add up to all of a family, in one rule or in several: nobody who means that writes it so.
    static func coverageWarnings(_ rules: [LocatedRule]) -> [SourceProblem] {
        let allowing = rules.filter { $0.rule.action != .deny && $0.rule.match.cidrs != nil }
        return AddressCoverage.families.flatMap { family -> [SourceProblem] in
            let inRules = allowing.filter { family.isCovered(by: family.blocks(of: $0)) }
            if !inRules.isEmpty { return inRules.map { coverageWarning(family, $0, words(family.blocks(of: $0))) } }
            // Together, only rules that ask for nothing but addresses let everything through.
            let unnamed = allowing.filter { $0.rule.match.hosts == nil }
            let blocks = unnamed.flatMap { family.blocks(of: $0) }
            guard let last = unnamed.last(where: { !family.blocks(of: $0).isEmpty }), family.isCovered(by: blocks)
            else {
                return []
            }
            return [coverageWarning(family, last, "with those of the rules before, the blocks of `cidrs` add up to")]
        }
    }

    private static func words(_ blocks: [CIDR]) -> String {
        guard blocks.count == 1, let block = blocks.first else { return "the blocks of `cidrs` add up to" }
        return "the block \(block) holds"
    }

    private static func coverageWarning(
        _ family: AddressCoverage,
        _ rule: LocatedRule,
        _ subject: String
    ) -> SourceProblem {
        SourceProblem(
            "\(subject) every public \(family.name) address",
            at: rule.itemLocations.cidrs.first ?? rule.matchLocation,
            remedy: "name the blocks that are meant, or say `default: allow` if it is all of them"
        )
    }
}

/// What it takes to be all of a family: whatever is not special.
private struct AddressCoverage {
    let name: String
    let isIPv4: Bool
    /// The addresses that need not be covered.
    let special: [ClosedRange<UInt128>]
    let last: UInt128

    static let families = [
        AddressCoverage(
            name: "IPv4",
            isIPv4: true,
            special: [
                "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
            ],
            last: UInt128(UInt32.max) << 96
        ),
        // Only 2000::/3 is global unicast.
        AddressCoverage(name: "IPv6", isIPv4: false, special: ["::/3", "4000::/2", "8000::/1"], last: .max),
    ]

    private init(name: String, isIPv4: Bool, special: [String], last: UInt128) {
        self.name = name
        self.isIPv4 = isIPv4
        self.last = last
        self.special = special.compactMap { text in (try? CIDR(text)).map(\.span) }
    }

    func blocks(of rule: LocatedRule) -> [CIDR] {
        (rule.rule.match.cidrs ?? []).filter { ($0.base.family == .ipv4) == isIPv4 }
    }

    /// True where the blocks and the special addresses leave no gap.
    func isCovered(by blocks: [CIDR]) -> Bool {
        guard !blocks.isEmpty else { return false }
        var next: UInt128 = 0
        for span in (blocks.map(\.span) + special).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if span.lowerBound > next { return false }
            if span.upperBound >= last { return true }
            next = max(next, span.upperBound + 1)
        }
        return false
    }
}

extension CIDR {
    /// From the first address to the last, as `leadingBits` says them.
    fileprivate var span: ClosedRange<UInt128> {
        let first = base.leadingBits
        return first...(first | ~AddressPrefix.mask(prefixLength))
    }
}
