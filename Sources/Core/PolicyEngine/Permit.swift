import NetworkTypes

/// The right to open one upstream connection, or to send one request up an open one.
///
/// A policy alone makes it, opening an upstream socket or taking an open one consumes it, and there is no other way out.
package struct Permit: ~Copyable {
    /// The rule that allowed it; `nil` for the default, and for `mode: audit`.
    package let rule: RuleName?
    /// The name that is dialled; `nil` where the original destination is.
    package let name: HostName?
    package let port: UInt16
    /// The addresses that may be dialled, best first; never empty.
    package let addresses: [UpstreamAddress]

    init(rule: RuleName?, name: HostName?, port: UInt16, addresses: [UpstreamAddress]) {
        self.rule = rule
        self.name = name
        self.port = port
        self.addresses = addresses
    }
}

extension Permit {
    /// Spends the permit on a connection that is open already, instead of opening one.
    ///
    /// A second request of the same client may go up the connection of the first: judge it with `facts.addresses` being the
    /// address that is connected, make a permit of the answer, and ask here.
    ///
    /// - Parameters:
    ///   - address: what the connection is connected to.
    ///   - name: the name of the permit that opened it; `nil` where that was the original destination.
    /// - Returns: true where this permit could have opened the very same; false where a new one must be dialled.
    package consuming func covers(_ address: UpstreamAddress, dialledFor name: HostName?) -> Bool {
        self.name == name && addresses.contains(address)
    }
}

extension Policy {
    /// Makes a permit of a decision; `nil` unless it allows and its addresses are known.
    package func permit(for decision: Decision) -> Permit? {
        guard decision.verdict == .allow, let addresses = decision.addresses, !addresses.isEmpty else { return nil }
        let name: HostName? =
            switch decision.dial {
            case .name(let name): name
            case .original, nil: nil
            }
        let rule: RuleName? =
            switch decision.basis {
            case .rule(let name): name
            case .standard, .nothing: nil
            }
        return Permit(rule: rule, name: name, port: decision.port, addresses: addresses)
    }
}
