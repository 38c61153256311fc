import AuditTrail
import NetworkTypes
import PolicyEngine

/// A decision that a record tells of, and the question that it answered, as far as the record holds it.
package struct RecordedDecision: Hashable, Sendable {
    package let kind: RecordKind
    /// As the line has it: `2026-11-21T10:15:04.123456Z`.
    package let time: String
    package let identifier: String
    /// True where it went on; in audit mode nearly everything does.
    package let wasAllowed: Bool
    package let reason: String
    package let question: Question

    /// Why a record holds no question.
    package enum Gap: Error, Hashable, Sendable {
        /// It tells of no decision.
        case noDecision
        case unjudged(UnjudgedCause)
    }

    /// Reads the record that was read last from its line.
    package init(_ record: StoredRecord, in line: borrowing Span<UInt8>) throws(Gap) {
        guard let kind = record.decisionKind(in: line) else { throw .noDecision }
        self.kind = kind
        time = line.storedCharacters(record.frame.time)
        identifier = record.text("id", in: line) ?? ""
        wasAllowed = record.text("decision", in: line) == AuditTrail.Decision.allow.rawValue
        reason = record.text("reason", in: line) ?? ""
        if reason == Reason.perRequest.rawValue { throw .unjudged(.carrier) }
        if reasonsOfCounters.contains(reason) { throw .unjudged(.spent) }
        if reason == Reason.unreadableContent.rawValue { throw .unjudged(.unreadContent) }
        if reasonsBeyondPolicy.contains(reason) { throw .unjudged(.beyondPolicy) }
        question = try Question(record, of: kind, reason, in: line)
    }

    /// True where the addresses of the name were what it was refused for.
    var wasRefusedForAddresses: Bool { reasonsOfAddresses.contains(reason) }
}

extension StoredRecord {
    /// The kind, where the record tells of a decision about traffic.
    fileprivate func decisionKind(in line: borrowing Span<UInt8>) -> RecordKind? {
        let kinds: [RecordKind] = [.connection, .request, .check]
        return kinds.first { frame.isKind($0, in: line) }
    }
}

/// What is refused for itself; the words that only records have among it.
private let reasonsBeyondPolicy: Set<String> = Set(
    Reason.allCases.filter(isBeyondPolicy).map(\.rawValue) + ["abandoned"]
)

private let reasonsOfAddresses: Set<String> = Set(
    [Reason.specialAddress, .deniedAddress, .outsideCIDRs].map(\.rawValue)
)

private let reasonsOfCounters: Set<String> = Set(
    [Reason.rateExceeded, .budgetExhausted, .countersUnavailable].map(\.rawValue)
)

private func isBeyondPolicy(_ reason: Reason) -> Bool {
    switch reason {
    case .ownListener, .noOriginalDestination, .malformedOpening, .malformedName, .proxyInCapture, .malformedRequest,
        .nameMismatch, .encryptedName, .unknownAction, .sniffLimit, .undecidedLimit, .auditUnavailable,
        .decisionRate, .draining, .requestTooLarge, .responseTooLarge, .policyChanged:
        true
    case .ruleAllow, .ruleDeny, .defaultAllow, .defaultDeny, .specialAddress, .deniedAddress, .outsideCIDRs,
        .unresolvable, .noPolicy, .rateExceeded, .budgetExhausted, .countersUnavailable, .perRequest, .ambiguousPath,
        .ambiguousMethod, .ambiguousField, .ambiguousQuery, .malformedCall, .unreadableContent, .undetermined:
        false
    }
}
