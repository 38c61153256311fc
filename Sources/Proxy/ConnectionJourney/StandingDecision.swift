import NetworkTypes
import PolicyEngine

/// What a policy that asks for nothing of a request has decided of one, and would decide of the next.
///
/// Whatever else it was told is compared each time. A permit is spent on each request all the same.
package final class StandingDecision {
    package let decision: PolicyEngine.Decision
    /// The address of the upstream that was open.
    package let addresses: [IPAddress]
    private let generation: UInt64
    private let original: OriginalDestination?
    private let port: UInt16
    private let opening: Opening
    private let isOwnListener: Bool

    /// Keeps what `policy` has decided; `nil` where the next request may be decided differently.
    package init?(
        _ decision: PolicyEngine.Decision,
        _ facts: borrowing Facts,
        _ addresses: [IPAddress],
        _ policy: Policy,
        _ generation: UInt64
    ) {
        // Times pass and counters run out.
        guard !policy.asksForRequests, !policy.hasTimes, !policy.hasCounters, decision.verdict == .allow else {
            return nil
        }
        self.decision = decision
        self.addresses = addresses
        self.generation = generation
        original = facts.original
        port = facts.port
        opening = facts.opening
        isOwnListener = facts.isOwnListener
    }

    /// True where the policy would be told the same once more of a request that is the same, octet by octet.
    package func holds(isOwnListener: Bool, _ generation: UInt64) -> Bool {
        generation == self.generation && isOwnListener == self.isOwnListener
    }

    /// True where the policy would be told the same once more; who the workload is does not change on a connection.
    package func holds(_ facts: borrowing Facts, at address: UpstreamAddress, _ generation: UInt64) -> Bool {
        generation == self.generation && facts.port == port && facts.isOwnListener == isOwnListener
            && addresses.first == address.socket.address && facts.opening == opening && facts.original == original
    }
}
