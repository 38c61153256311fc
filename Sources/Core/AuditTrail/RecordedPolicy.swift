/// The policy that a record was decided by.
package struct RecordedPolicy: Hashable, Sendable {
    /// `sha256:` and 64 digits; nil where no policy is loaded.
    package let hash: String?
    package let mode: PolicyMode
    /// Counts the policies that this daemon has loaded.
    package let generation: UInt64?
    /// The members as they are written: a policy is named by the record of every request.
    private let encoded: [UInt8]

    package init(hash: String?, mode: PolicyMode, generation: UInt64? = nil) {
        self.hash = hash
        self.mode = mode
        self.generation = generation
        var members = JSONMembers(reserving: 160, limits: .standard)
        members.text("policy_hash", orNull: hash)
        members.text("mode", mode.rawValue)
        if let generation { members.number("policy_generation", generation) }
        encoded = members.finish()
    }
}

extension RecordedPolicy {
    func write(into members: inout JSONMembers) {
        members.encoded(encoded.span)
    }
}
