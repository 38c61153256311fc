/// The policy that a record was decided by.
package struct RecordedPolicy: Hashable, Sendable {
    /// `sha256:` and 64 digits; nil where no policy is loaded.
    package var hash: String?
    package var mode: PolicyMode
    /// Counts the policies that this daemon has loaded.
    package var generation: UInt64?

    package init(hash: String?, mode: PolicyMode, generation: UInt64? = nil) {
        self.hash = hash
        self.mode = mode
        self.generation = generation
    }
}

extension RecordedPolicy {
    func write(into members: inout JSONMembers) {
        members.text("policy_hash", orNull: hash)
        members.text("mode", mode.rawValue)
        if let generation { members.number("policy_generation", generation) }
    }
}
