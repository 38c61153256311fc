import Configuration
import Credentials
import OpenSSLBindings
import PolicyEngine

/// A policy as it was read, with the secrets that it puts into requests.
struct ReadPolicy {
    let policy: Policy
    let vault: CredentialVault

    /// Reads the secrets first: a policy that names one that is not there does not load.
    ///
    /// - Throws: `ConfigurationError`.
    init(_ paths: [String], secrets: [SecretName: SecretSettings], canIntercept: Bool) throws {
        let read = try loadSecrets(secrets.mapValues(\.path))
        let scopes = secrets.mapValues(\.scope)
        let loaded = try loadPolicy(paths: paths, canIntercept: canIntercept, secrets: scopes) {
            SHA256Digest(of: $0.span).bytes
        }
        policy = loaded.policy
        let used = Set(policy.rules.flatMap { $0.terms.credentials.map(\.secret) })
        vault = CredentialVault(read.secrets.filter { used.contains($0.key) }, placeholders: policy.placeholders)
        for warning in read.warnings { say("warning: \(warning)") }
        for warning in loaded.warnings { say("warning: \(warning)") }
    }
}
