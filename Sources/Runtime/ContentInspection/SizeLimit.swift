import PolicyEngine

/// Denies what is larger, decoded or as it is sent, than a rule lets pass.
///
/// Of a body, all of it counts, whatever it is called; of WebSocket, each message for itself. Codings can carry octets that make
/// none (RFC 1952, section 2.3; RFC 8878, section 3.1.2): what is sent may be as long as what it makes, and what honest coders add.
package final class SizeLimit: Inspector {
    private let most: UInt64
    private let mostCoded: UInt64
    private let denial: Denial
    private let isEnforced: Bool
    private var count: UInt64 = 0

    /// Lets `most` octets pass; what is more is denied, or only noted where it is not enforced.
    package init(_ most: UInt64, denial: Denial, isEnforced: Bool) {
        self.most = most
        mostCoded = most.addingReportingOverflow(most / 64 + 1024).partialValue
        self.denial = denial
        self.isEnforced = isEnforced
    }

    package var needsWholeMessages: Bool { false }

    package func inspectSize(_ count: UInt64, _ findings: inout Findings) -> Denial? {
        isEnforced && count > most ? denial : nil
    }

    package func inspectCoded(_ count: UInt64, _ findings: inout Findings) -> Denial? {
        guard count > mostCoded else { return nil }
        if isEnforced { return denial }
        findings.note(denial.reason.rawValue)
        return nil
    }

    package func inspect(
        _ octets: borrowing Span<UInt8>,
        of message: InspectedMessage,
        _ findings: inout Findings
    ) -> InspectionVerdict {
        count += UInt64(octets.count)
        guard count > most else { return .release }
        if isEnforced { return .deny(denial) }
        findings.note(denial.reason.rawValue)
        return .release
    }

    package func inspectEnd(of message: InspectedMessage, _ findings: inout Findings) -> InspectionVerdict {
        count = 0
        return .release
    }
}
