import AuditTrail
import Credentials
import PolicyEngine
import TLSInterception

/// The policy in force, and how many there have been.
///
/// Replaced whole.
package struct PolicySnapshot: Sendable {
    /// `nil` where none could be loaded: everything is refused.
    package let policy: Policy?
    /// From 1, counted by the daemon.
    package let generation: UInt64
    /// The secrets that the policy puts into requests.
    package let vault: CredentialVault
    /// What the ways out are that the policy names.
    package let ways: WaysOut
    /// What TLS with servers is begun with; `nil` where nothing is intercepted.
    package let upstreamTLS: UpstreamTLS?

    package init(
        policy: Policy?,
        generation: UInt64,
        vault: CredentialVault = .empty,
        ways: WaysOut = .direct,
        upstreamTLS: UpstreamTLS? = nil
    ) {
        self.policy = policy
        self.vault = vault
        self.ways = ways
        self.upstreamTLS = upstreamTLS
        self.generation = generation
    }
}

/// A decision is the policy engine's, where nothing else is said: records have one of their own.
typealias Decision = PolicyEngine.Decision

extension RecordedPolicy {
    /// The policy as records name it.
    init(_ snapshot: PolicySnapshot) {
        self.init(
            hash: snapshot.policy?.hash,
            mode: snapshot.policy?.mode == .audit ? .audit : .enforce,
            generation: snapshot.generation
        )
    }
}
