/// One thing that was looked at, and what it says of the boundary.
package struct PostureCheck: Hashable, Sendable {
    /// What a check came to; the order is from the best to the worst.
    package enum Status: String, CaseIterable, Sendable {
        case ok
        /// It could not be looked at here, or there is nothing to look at.
        case skipped
        /// Worth knowing; the boundary is as strong with it.
        case note
        /// The boundary may have a hole, or nobody can tell that it has none.
        case weak
        /// It does not work.
        case failed

        /// Whether the boundary is weak by it.
        package var weakens: Bool {
            switch self {
            case .ok, .skipped, .note: false
            case .weak, .failed: true
            }
        }
    }

    package var name: String
    package var status: Status
    /// What was found: one line, without a secret, because the health port tells it.
    package var detail: String
    /// What to do about it; nil where there is nothing to do.
    package var remedy: String?

    package init(_ name: String, _ status: Status, _ detail: String, remedy: String? = nil) {
        self.name = name
        self.status = status
        self.detail = detail
        self.remedy = remedy
    }
}
