import Configuration
import ConnectionJourney
import Credentials
import OpenSSLBindings
import PolicyEngine

/// A policy as it was read, with the secrets that it puts into requests.
struct ReadPolicy {
    let policy: Policy
    let vault: CredentialVault
    let ways: WaysOut

    /// Reads the secrets first: a policy that names one that is not there does not load.
    ///
    /// - Throws: `ConfigurationError`.
    init(
        _ paths: [String],
        _ secrets: [SecretName: SecretSettings],
        _ egress: EgressPlan,
        canIntercept: Bool
    ) throws {
        let read = try loadSecrets(secrets.mapValues(\.path))
        ways = try egress.read()
        let scopes = secrets.mapValues(\.scope)
        let loaded = try loadPolicy(
            paths: paths,
            canIntercept: canIntercept,
            secrets: scopes,
            egress: egress.kinds,
            digest: { SHA256Digest(of: $0.span).bytes }
        )
        policy = loaded.policy
        let used = Set(policy.rules.flatMap { $0.terms.credentials.map(\.secret) })
        vault = CredentialVault(read.secrets.filter { used.contains($0.key) }, placeholders: policy.placeholders)
        for warning in read.warnings { say("warning: \(warning)") }
        for warning in loaded.warnings { say("warning: \(warning)") }
    }
}
