/// What policies call a way out; the daemon's configuration says what it is.
package struct EgressName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Takes lower-case letters, digits, `-`, `_` and `.`, 1 to 64 of them; `nil` for anything else.
    package init?(_ text: String) {
        guard isConfiguredName(text) else { return nil }
        self.text = text
    }

    private init(builtIn text: String) {
        self.text = text
    }

    /// From here, as the machine's own routes lead; every configuration has it.
    package static let direct = EgressName(builtIn: "direct")

    package var description: String { text }
}

/// Who finds the address of a name that is reached by a way out.
package enum EgressKind: Hashable, Sendable {
    /// The daemon: it dials an address that it has judged, or names one to a proxy.
    case here
    /// A proxy, which is told the name: nobody here sees the address.
    case there
    /// Nobody: nothing is dialled.
    case nowhere
}

/// A way out that a policy names, and as much of what it is as judging needs.
package struct Egress: Hashable, Sendable, CustomStringConvertible {
    package var name: EgressName
    package var kind: EgressKind

    package init(_ name: EgressName, _ kind: EgressKind) {
        self.name = name
        self.kind = kind
    }

    /// From here, as the machine's own routes lead.
    package static let direct = Egress(.direct, .here)

    package var description: String { name.text }
}

/// The ways out that a rule states, in the order in which they are tried; empty for `direct` alone.
package typealias EgressList = [Egress]

extension EgressList {
    /// Those that are meant: `direct`, where none is stated.
    package var meant: [Egress] { isEmpty ? [.direct] : self }

    /// True where some of them need the addresses of a name.
    package var needAddresses: Bool { isEmpty || contains { $0.kind == .here } }

    /// The first of those whose names a proxy resolves.
    package var resolvingElsewhere: Egress? { first { $0.kind == .there } }

    /// The names, in their order.
    package var texts: [String] { map(\.name.text) }

    /// True where whatever went by these may still do so under others.
    func isStill(within others: EgressList) -> Bool {
        if isEmpty, others.isEmpty { return true }
        let others = others.meant
        return meant.allSatisfy(others.contains)
    }
}
