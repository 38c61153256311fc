import PolicyEngine

/// Has a body judged as a whole, decoded, before any of it goes.
///
/// What is larger than it may be is denied.
package final class WholeBody: Inspector {
    private let most: Int
    private let denial: Denial
    private let judge: ([UInt8], inout Findings) -> InspectionVerdict
    private var octets: [UInt8] = []

    /// Keeps at most `most` octets and hands them to `judge`; a body of more has `denial`.
    package init(
        atMost most: Int,
        tooLarge denial: Denial,
        judge: @escaping ([UInt8], inout Findings) -> InspectionVerdict
    ) {
        self.most = most
        self.denial = denial
        self.judge = judge
    }

    package var needsWholeMessages: Bool { true }

    package func inspectSize(_ count: UInt64, _ findings: inout Findings) -> Denial? {
        count > UInt64(most) ? denial : nil
    }

    package func inspect(
        _ octets: borrowing Span<UInt8>,
        of message: InspectedMessage,
        _ findings: inout Findings
    ) -> InspectionVerdict {
        guard octets.count <= most - self.octets.count else { return .deny(denial) }
        for index in octets.indices { self.octets.append(octets[index]) }
        return .release
    }

    package func inspectEnd(of message: InspectedMessage, _ findings: inout Findings) -> InspectionVerdict {
        let whole = octets
        // The next one, of a direction that has several, begins anew.
        octets = []
        return judge(whole, &findings)
    }
}
