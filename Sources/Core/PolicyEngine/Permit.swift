import NetworkTypes

/// The right to open one upstream connection.
///
/// A policy alone makes it, opening an upstream socket consumes it, and there is no other way out.
package struct Permit: ~Copyable {
    /// The rule that allowed it; `nil` for the default.
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

extension Policy {
    /// Makes a permit of a decision; `nil` unless it allows and its addresses are known.
    package func permit(for decision: Decision) -> Permit? {
        guard decision.verdict == .allow, let addresses = decision.addresses, !addresses.isEmpty else { return nil }
        let name: HostName? =
            switch decision.dial {
            case .name(let name): name
            case .original, nil: nil
            }
        return Permit(rule: decision.rule, name: name, port: decision.port, addresses: addresses)
    }
}
