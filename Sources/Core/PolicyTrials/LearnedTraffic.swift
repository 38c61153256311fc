import AuditTrail
import NetworkTypes
import PolicyEngine

/// Recorded traffic, put together by where it went: what a policy that allows it has to name.
package struct LearnedTraffic: Sendable {
    /// Where something went, and what it spoke.
    struct Endpoint: Hashable {
        var host: Host
        var port: UInt16
        var speech: Question.Speech
    }

    /// How it is named.
    enum Host: Hashable {
        case name(HostName)
        case address(IPAddress)
    }

    /// How often, and when last.
    struct Sighting: Hashable {
        var count: UInt64 = 0
        /// As records have it.
        var last = ""

        mutating func add(_ time: String) {
            count += 1
            last = max(last, time)
        }

        mutating func add(_ other: Sighting) {
            count += other.count
            last = max(last, other.last)
        }
    }

    /// What was asked for in plain HTTP; `nil` for what a question left open.
    struct RequestShape: Hashable {
        var method: RequestMethod?
        var path: CanonicalPath?
    }

    /// What is known of an endpoint.
    struct Account {
        var sighting = Sighting()
        /// What was dialled for the name, or where the agent was going.
        var addresses: Set<IPAddress> = []
        var requests: [RequestShape: Sighting] = [:]
        /// None of its clients said a server name.
        var isNameless = true
        /// One that stands for all: the policy is put to it in the end.
        var examples: [Question] = []
    }

    /// What no policy can be made of.
    package enum LeftOut: String, Hashable, Sendable, CaseIterable {
        /// It was denied.
        case denied
        /// Neither a name nor an address is known that a rule could name.
        case nameless
        /// The name or the path is none that policy allows.
        case unallowable
    }

    private(set) var accounts: [Endpoint: Account] = [:]
    package private(set) var learned: UInt64 = 0
    package private(set) var leftOut: [LeftOut: UInt64] = [:]
    package private(set) var unjudged: [UnjudgedCause: UInt64] = [:]
    package private(set) var firstTime: String?
    package private(set) var lastTime: String?
    private let takesDenied: Bool

    /// With `takesDenied`, what was denied is learned, too.
    package init(takesDenied: Bool = false) {
        self.takesDenied = takesDenied
    }

    /// Takes in what a record tells; what tells of no decision is passed over.
    package mutating func add(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        do throws(RecordedDecision.Gap) {
            add(try RecordedDecision(record, in: line))
        } catch {
            switch error {
            case .noDecision: return
            case .unjudged(let cause): unjudged[cause, default: 0] += 1
            }
        }
    }

    private mutating func add(_ recorded: RecordedDecision) {
        if firstTime == nil { firstTime = recorded.time }
        lastTime = recorded.time
        guard recorded.wasAllowed || takesDenied else {
            leftOut[.denied, default: 0] += 1
            return
        }
        guard let endpoint = Endpoint(recorded.question) else {
            leftOut[recorded.question.name == nil ? .nameless : .unallowable, default: 0] += 1
            return
        }
        guard let shape = RequestShape(recorded.question) else {
            leftOut[.unallowable, default: 0] += 1
            return
        }
        learned += 1
        note(recorded, at: endpoint, shape)
    }

    private mutating func note(_ recorded: RecordedDecision, at endpoint: Endpoint, _ shape: RequestShape) {
        let question = recorded.question
        var account = accounts.removeValue(forKey: endpoint) ?? Account()
        account.sighting.add(recorded.time)
        account.addresses.formUnion(question.addresses ?? [])
        if let original = question.original { account.addresses.insert(original) }
        account.isNameless = account.isNameless && !(question.hasServerName ?? (question.name != nil))
        let isNew = account.requests[shape] == nil
        account.requests[shape, default: Sighting()].add(recorded.time)
        if isNew { account.examples.append(question) }
        accounts[endpoint] = account
    }
}

extension LearnedTraffic.Endpoint {
    /// `nil` where a rule could name neither a name nor an address.
    init?(_ question: Question) {
        port = question.port
        speech = question.speech
        if let text = question.name, question.carriesName, question.speech != .known(.h2c) {
            guard let name = try? HostName(text) else { return nil }
            host = .name(name)
        } else {
            guard let original = question.original else { return nil }
            host = .address(original)
        }
    }
}

extension LearnedTraffic.RequestShape {
    /// `nil` where the path is none that policy allows.
    init?(_ question: Question) {
        method = question.isRequest ? question.method : nil
        guard question.isRequest, let text = question.path else { return }
        guard let path = try? CanonicalPath(text), !path.hasEmptySegment else { return nil }
        self.path = path
    }
}
