import AuditTrail
import NetworkTypes
import PolicyEngine

/// Recorded traffic, put together by where it went: what a policy that allows it has to name.
package struct LearnedTraffic: Sendable {
    /// Where something went, and what it spoke.
    struct Endpoint: Hashable {
        var host: Host
        var port: UInt16
        var spoken: Spoken
    }

    /// What was spoken, as far as it was read.
    struct Spoken: Hashable {
        var speech: Question.Speech
        /// True of requests that were read inside TLS.
        var isInsideTLS = false
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

    /// What a request asked for; `nil` for what a question left open.
    struct RequestShape: Hashable {
        var method: RequestMethod?
        var path: CanonicalPath?
        /// What its body called; `nil` where nobody looked, and where it called nothing.
        var call: AgentCall?
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
        /// Its method differs from a registered one in case alone: where a rule asks for methods, it is refused.
        case ambiguousMethod
        /// Its method has an asterisk, which no rule names: it stands for no other method.
        case starredMethod
        /// What it called could be read in more than one way, and `mode: audit` let it go on.
        case unreadCalls
    }

    private(set) var accounts: [Endpoint: Account] = [:]
    /// Whose clients did not take the daemon's certificate.
    private(set) var rejected: [Endpoint: Account] = [:]
    /// Connections that were to be looked into, by their identifiers.
    private var lookedInto: [String: Question] = [:]
    package private(set) var learned: UInt64 = 0
    package private(set) var leftOut: [LeftOut: UInt64] = [:]
    package private(set) var unjudged: [UnjudgedCause: UInt64] = [:]
    package private(set) var firstTime: String?
    package private(set) var lastTime: String?
    private let takesDenied: Bool
    private let canIntercept: Bool

    /// - Parameters:
    ///   - takesDenied: what was denied is learned, too.
    ///   - canIntercept: whether the policy is for a daemon that looks into TLS.
    package init(takesDenied: Bool = false, canIntercept: Bool = false) {
        self.takesDenied = takesDenied
        self.canIntercept = canIntercept
    }

    /// Takes in what a record tells; what tells of no decision is passed over.
    package mutating func add(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        noteInterception(record, in: line)
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
        guard canIntercept || !recorded.question.isInsideTLS else {
            unjudged[.insideTLS, default: 0] += 1
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
        // A rule without calls would allow any.
        guard recorded.reason != Reason.malformedCall.rawValue else {
            leftOut[.unreadCalls, default: 0] += 1
            return
        }
        guard shape.method?.registeredSpelling == nil else {
            leftOut[.ambiguousMethod, default: 0] += 1
            return
        }
        guard shape.method?.isNameable ?? true else {
            leftOut[.starredMethod, default: 0] += 1
            return
        }
        learned += 1
        note(recorded, at: endpoint, shape)
    }

    private mutating func note(_ recorded: RecordedDecision, at endpoint: Endpoint, _ shape: RequestShape) {
        let question = recorded.question
        var account = accounts.removeValue(forKey: endpoint) ?? Account()
        account.add(question, recorded.time)
        let isNew = account.requests[shape] == nil
        account.requests[shape, default: Sighting()].add(recorded.time)
        if isNew { account.examples.append(question) }
        accounts[endpoint] = account
    }
}

extension LearnedTraffic {
    /// Notes which connections were to be looked into, and whose client did not take the certificate for that.
    private mutating func noteInterception(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        if record.frame.isKind(.connection, in: line) {
            guard record.text("treatment", in: line) == AuditTrail.Treatment.inspect.rawValue,
                let identifier = record.text("id", in: line),
                let question = try? Question(record, of: .connection, "", in: line)
            else { return }
            lookedInto[identifier] = question
        } else if record.frame.isKind(.connectionEnd, in: line) {
            guard let identifier = record.text("id", in: line),
                let question = lookedInto.removeValue(forKey: identifier),
                record.text("outcome", in: line) == ConnectionOutcome.clientRejectedInterception.rawValue,
                let endpoint = Endpoint(question)
            else { return }
            rejected[endpoint, default: Account()].add(question, line.storedCharacters(record.frame.time))
        }
    }

    /// Where no client took the certificate: what can only be tunnelled.
    var rejectedByAll: [Endpoint: Account] {
        rejected.filter { accounts[$0.key.readInside] == nil }
    }

    /// Where some clients did not take the certificate and others did: no rule is made for the former.
    package var rejectedBySome: [String] {
        rejected.keys.filter { accounts[$0.readInside] != nil }.map { endpoint in
            switch endpoint.host {
            case .name(let name): return "\(name.text):\(endpoint.port)"
            case .address(let address): return SocketAddress(address, port: endpoint.port).description
            }
        }.sorted()
    }
}

extension LearnedTraffic.Account {
    mutating func add(_ question: Question, _ time: String) {
        sighting.add(time)
        addresses.formUnion(question.addresses ?? [])
        if let original = question.original { addresses.insert(original) }
        isNameless = isNameless && !(question.hasServerName ?? (question.name != nil))
    }
}

extension LearnedTraffic.Endpoint {
    /// The same, where its requests are read.
    fileprivate var readInside: Self {
        var read = self
        read.spoken.isInsideTLS = true
        return read
    }

    /// `nil` where a rule could name neither a name nor an address.
    init?(_ question: Question) {
        port = question.port
        spoken = LearnedTraffic.Spoken(speech: question.speech, isInsideTLS: question.isInsideTLS)
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
    /// `nil` where the path, or what is called, is none that policy allows.
    init?(_ question: Question) {
        method = question.isRequest ? question.method : nil
        if question.isRequest, let call = question.calls?.first {
            guard call.method.isCallName, call.tool?.isCallName ?? true else { return nil }
            self.call = call
        }
        guard question.isRequest, let text = question.path else { return }
        guard let path = try? CanonicalPath(text), !path.hasEmptySegment else { return nil }
        self.path = path
    }
}

extension String {
    /// True where a rule can name it, and means nothing else by that.
    fileprivate var isCallName: Bool { CallPattern(self) != nil && !contains("*") }
}
