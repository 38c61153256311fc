import SourceDocuments

/// One thing to say about a pod that is to be guarded.
package struct PodFinding: Hashable, Sendable {
    package var severity: Severity
    /// The threats of docs/threat-model.md that it is about.
    package var threats: [String]
    package var problem: SourceProblem

    /// What follows from a finding.
    package enum Severity: Hashable, Sendable {
        /// The pod cannot be guarded as it is.
        case refusal
        /// It can, and somebody should know.
        case warning
    }

    package init(_ severity: Severity, _ threats: [String], _ problem: SourceProblem) {
        self.severity = severity
        self.threats = threats
        self.problem = problem
    }
}
