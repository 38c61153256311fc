/// The inspectors of one exchange, who all must agree.
///
/// Lives on one loop.
package final class InspectorPanel {
    private let inspectors: [any Inspector]
    /// What they noted so far.
    package private(set) var findings = Findings()
    /// Whose rule it is that content must be understood for; `nil`: content that cannot be is let through unseen, and noted.
    let denial: Denial?
    /// What their messages may take of memory; `nil`: nobody counts.
    let allowance: InspectionAllowance?

    /// Inspectors, and the denial of content that cannot be looked at; its detail is filled in.
    ///
    /// With `nil` they are on trial: what cannot be looked at passes, and is noted.
    package init(
        _ inspectors: [any Inspector],
        unreadable denial: Denial?,
        within allowance: InspectionAllowance? = nil
    ) {
        self.inspectors = inspectors
        self.denial = denial
        self.allowance = allowance
    }

    /// True where any of them needs whole messages.
    package var needsWholeMessages: Bool { inspectors.contains { $0.needsWholeMessages } }

    /// Those who look at events one by one, or those who do not.
    func group(wantingEvents: Bool) -> InspectorGroup {
        InspectorGroup(inspectors.filter { $0.wantsEvents == wantingEvents }, of: self, holdsParts: !wantingEvents)
    }

    /// All of them; with `holdsParts`, what they are shown stands for itself, octet by octet.
    func everybody(holdsParts: Bool) -> InspectorGroup {
        InspectorGroup(inspectors, of: self, holdsParts: holdsParts)
    }

    /// What they say to a body of so many octets, decoded.
    func denial(ofSize count: UInt64) -> Denial? {
        for inspector in inspectors {
            if let denial = inspector.inspectSize(count, &findings) { return denial }
        }
        return nil
    }

    /// What they say to a message of so many octets as they are sent, coded.
    func denial(ofCoded count: UInt64) -> Denial? {
        for inspector in inspectors {
            if let denial = inspector.inspectCoded(count, &findings) { return denial }
        }
        return nil
    }

    /// What is done about content that cannot be looked at: `nil` where it passes.
    package func denial(of fault: ContentFault) -> Denial? {
        guard var denial else {
            findings.note(fault.rawValue)
            return nil
        }
        denial.detail = fault.rawValue
        return denial
    }

    fileprivate func ask(_ inspector: any Inspector, _ octets: borrowing Span<UInt8>, _ message: InspectedMessage)
        -> InspectionVerdict
    {
        inspector.inspect(octets, of: message, &findings)
    }

    fileprivate func askAtEnd(_ inspector: any Inspector, _ message: InspectedMessage) -> InspectionVerdict {
        inspector.inspectEnd(of: message, &findings)
    }
}

/// Inspectors who are shown the same messages, and how far those may go.
struct InspectorGroup {
    private let inspectors: [any Inspector]
    private let panel: InspectorPanel
    private let holdsParts: Bool
    let needsWholeMessages: Bool
    /// One of them holds what it has seen, and what comes behind it.
    private(set) var isHolding = false
    /// Up to where, in octets of what it is shown, all may go.
    private(set) var releasable: UInt64 = 0

    init(_ inspectors: [any Inspector], of panel: InspectorPanel, holdsParts: Bool) {
        self.inspectors = inspectors
        self.panel = panel
        self.holdsParts = holdsParts
        needsWholeMessages = inspectors.contains { $0.needsWholeMessages }
    }

    var isEmpty: Bool { inspectors.isEmpty }

    /// Shows the next octets of a message, which stand before `position`; answers why they go no further, if they do not.
    mutating func inspect(
        _ octets: borrowing Span<UInt8>,
        of message: InspectedMessage,
        before position: UInt64
    ) -> Denial? {
        guard !octets.isEmpty, !isEmpty else { return nil }
        var verdict = InspectionVerdict.release
        for inspector in inspectors { verdict.join(panel.ask(inspector, octets, message)) }
        return take(verdict, before: position, isEnd: false)
    }

    /// Shows the end of a message, which stands at `position`.
    mutating func inspectEnd(of message: InspectedMessage, at position: UInt64) -> Denial? {
        var verdict = InspectionVerdict.release
        for inspector in inspectors { verdict.join(panel.askAtEnd(inspector, message)) }
        return take(verdict, before: position, isEnd: true)
    }

    /// Lets go what is of no message, or of one that nobody needs whole, up to `position`.
    mutating func release(upTo position: UInt64) {
        if !isHolding { releasable = position }
    }

    private mutating func take(_ verdict: InspectionVerdict, before position: UInt64, isEnd: Bool) -> Denial? {
        isHolding = false
        switch verdict {
        case .release:
            if isEnd || !needsWholeMessages { releasable = position }
        case .hold(let last):
            isHolding = true
            guard holdsParts, isEnd || !needsWholeMessages, let last = UInt64(exactly: last), last < position else {
                return nil
            }
            releasable = max(releasable, position - last)
        case .deny(let denial): return denial
        }
        return nil
    }
}

extension InspectionVerdict {
    /// Takes the stricter of the two.
    mutating func join(_ other: InspectionVerdict) {
        switch (self, other) {
        case (.deny, _), (_, .release): break
        case (_, .deny), (.release, .hold): self = other
        case (.hold(let one), .hold(let two)): self = .hold(last: max(one, two))
        }
    }
}
