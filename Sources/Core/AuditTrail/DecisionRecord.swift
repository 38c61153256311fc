/// A record of a decision that owes an end where it allows.
package protocol DecisionRecord: RecordBody {
    /// The record of how it ended.
    associatedtype End: EndRecord

    /// What ties it to its end.
    var id: RecordIdentifier { get set }
    var decision: Decision { get set }
    var would: Decision? { get set }
    var treatment: Treatment { get set }
    var rule: String? { get set }
    var reason: String { get set }
}

extension DecisionRecord {
    /// Makes it the refusal of something that nobody has judged: a defect of ours.
    package mutating func becomeAbandoned() {
        decision = .deny
        would = nil
        treatment = .refuse
        rule = nil
        reason = "abandoned"
    }
}

/// A record of how something that was allowed came to its end.
package protocol EndRecord: RecordBody {
    var id: RecordIdentifier { get set }
    /// An end of which nothing but the outcome is known.
    init(id: RecordIdentifier, outcome: ConnectionOutcome)
}
