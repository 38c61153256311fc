import NetworkTypes

/// The right to open one upstream connection, or to send one request up an open one.
///
/// A policy alone makes it, opening an upstream socket or taking an open one consumes it, and there is no other way out.
package struct Permit: ~Copyable {
    /// What it comes of: one that allows, and says what is dialled.
    private let decision: Decision
    /// The rule that allowed it; `nil` for the default, and for `mode: audit`.
    package var rule: RuleName? {
        switch decision.basis {
        case .rule(let name): name
        case .standard, .nothing: nil
        }
    }
    /// The name that is dialled; `nil` where the original destination is.
    package var name: HostName? { decision.dialledName }
    package var port: UInt16 { decision.port }
    /// The addresses that may be dialled, or named to a proxy, best first; empty only where no way out takes one.
    package var addresses: [UpstreamAddress] { decision.addresses ?? [] }
    /// The ways out that may be tried, in their order; empty for `direct`.
    package let egress: EgressList

    /// `egress`: those ways out of the decision that can be gone.
    fileprivate init(_ decision: Decision, egress: EgressList) {
        self.decision = decision
        self.egress = egress
    }
}

extension Permit {
    /// Spends the permit on a connection that is open already, instead of opening one.
    ///
    /// A second request of the same client may go up the connection of the first: judge it with `facts.addresses` being the
    /// address that is connected, make a permit of the answer, and ask here.
    ///
    /// - Parameters:
    ///   - address: what the connection is connected to; `nil` where a proxy was told the name.
    ///   - name: the name of the permit that opened it; `nil` where that was the original destination.
    ///   - way: the way out that it took.
    /// - Returns: true where this permit could have opened the very same; false where a new one must be dialled.
    package consuming func covers(
        _ address: UpstreamAddress?,
        dialledFor name: HostName?,
        by way: EgressName = .direct
    ) -> Bool {
        guard self.name == name, let kind = kind(of: way) else { return false }
        guard let address else { return kind == .there && name != nil }
        return addresses.contains(address)
    }

    /// What a way out is; `nil` for one that is not permitted.
    private borrowing func kind(of way: EgressName) -> EgressKind? {
        if egress.isEmpty { return way == .direct ? .here : nil }
        return egress.first { $0.name == way }?.kind
    }

    /// The right to connect to the proxy of one of the permitted ways out; `nil` for any other way.
    ///
    /// The proxy is the operator's: its addresses are whatever the configuration says, private ones among them.
    package borrowing func errand(by way: EgressName, to addresses: [UpstreamAddress]) -> ErrandPermit? {
        guard !addresses.isEmpty, kind(of: way) != nil else { return nil }
        return ErrandPermit(way: way, addresses: addresses)
    }
}

/// The right to open one connection to a sink that the configuration names, for the sake of a permit.
///
/// Whoever opens the connection consumes it.
package struct ErrandPermit: ~Copyable {
    /// The way out whose proxy is meant.
    package let way: EgressName
    /// Those of the sink, best first; never empty.
    package let addresses: [UpstreamAddress]

    fileprivate init(way: EgressName, addresses: [UpstreamAddress]) {
        self.way = way
        self.addresses = addresses
    }
}

extension Policy {
    /// Makes a permit of a decision; `nil` unless it allows, and the addresses are known that its ways out take.
    package func permit(for decision: Decision) -> Permit? {
        guard decision.verdict == .allow, decision.dialsSomething else { return nil }
        var egress = decision.egress
        if decision.addresses?.isEmpty ?? true {
            let isNamed = decision.dialledName != nil
            egress.removeAll { $0.kind == .here || ($0.kind == .there && !isNamed) }
            guard !egress.isEmpty else { return nil }
        }
        return Permit(decision, egress: egress)
    }

    /// Makes a permit of what more of a name's addresses came to; `nil` where it is not the first decision in all but those.
    package func permit(for decision: Decision, inPlaceOf first: Decision) -> Permit? {
        decision.isSame(asideFromAddresses: first) ? permit(for: decision) : nil
    }
}
