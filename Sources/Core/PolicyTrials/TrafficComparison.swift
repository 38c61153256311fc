import AuditTrail
import NetworkTypes
import PolicyEngine

/// Recorded traffic, judged by two policies: what changes, by rule and destination.
package struct TrafficComparison: Sendable {
    /// How many groups are told apart; what is beyond is only counted.
    private static let groupLimit = 10_000
    private static let samplesPerGroup = 3

    private let old: Policy
    private let new: Policy
    private var indices: [ChangedTraffic.Key: Int] = [:]
    private var found: [ChangedTraffic] = []
    /// Decisions that both policies could be asked about.
    package private(set) var judged: UInt64 = 0
    package private(set) var changed: UInt64 = 0
    /// Changes in groups that had no room.
    package private(set) var ungrouped: UInt64 = 0
    /// Where the old policy says something else than was recorded: it was another that judged then.
    package private(set) var differentFromRecord: UInt64 = 0
    package private(set) var unjudged: [UnjudgedCause: UInt64] = [:]
    package private(set) var firstTime: String?
    package private(set) var lastTime: String?

    package init(old: Policy, new: Policy) {
        self.old = old
        self.new = new
    }

    /// Judges what a record tells; what tells of no decision is passed over.
    package mutating func add(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        do throws(RecordedDecision.Gap) {
            try add(try RecordedDecision(record, in: line))
        } catch {
            switch error {
            case .noDecision: return
            case .unjudged(let cause): unjudged[cause, default: 0] += 1
            }
        }
    }

    /// What changed, the most frequent first.
    package var groups: [ChangedTraffic] {
        found.sorted { one, other in
            (other.count, one.key.host, one.key.port) < (one.count, other.key.host, other.key.port)
        }
    }

    private mutating func add(_ recorded: RecordedDecision) throws(RecordedDecision.Gap) {
        let before = try ReplayedVerdict(recorded, by: old)
        let after = try ReplayedVerdict(recorded, by: new)
        judged += 1
        if firstTime == nil { firstTime = recorded.time }
        lastTime = recorded.time
        if (before.word != .deny) != recorded.wasAllowed { differentFromRecord += 1 }
        guard before.word != after.word else { return }
        changed += 1
        group(ChangedTraffic.Key(recorded.question, before, after), recorded)
    }

    private mutating func group(_ key: ChangedTraffic.Key, _ recorded: RecordedDecision) {
        let index: Int
        if let known = indices[key] {
            index = known
        } else {
            guard found.count < Self.groupLimit else {
                ungrouped += 1
                return
            }
            index = found.count
            indices[key] = index
            found.append(ChangedTraffic(key: key))
        }
        found[index].count += 1
        found[index].lastTime = recorded.time
        if found[index].samples.count < Self.samplesPerGroup { found[index].samples.append(recorded) }
    }
}

/// Decisions that come out another way, all for the same reason.
package struct ChangedTraffic: Hashable, Sendable {
    /// What they have in common.
    package struct Key: Hashable, Sendable {
        package let before: ReplayedVerdict
        package let after: ReplayedVerdict
        /// The name; where there is none, the address.
        package let host: String
        package let port: UInt16

        init(_ question: Question, _ before: ReplayedVerdict, _ after: ReplayedVerdict) {
            self.before = before
            self.after = after
            host = question.name ?? question.original?.description ?? ""
            port = question.port
        }
    }

    package let key: Key
    package internal(set) var count: UInt64 = 0
    /// The first of them.
    package internal(set) var samples: [RecordedDecision] = []
    package internal(set) var lastTime = ""

    init(key: Key) {
        self.key = key
    }
}
