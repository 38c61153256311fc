import PolicyEngine

/// Which way a message goes.
package enum MessageDirection: Hashable, Sendable {
    /// From the agent.
    case up
    /// To the agent.
    case down
}

/// What an inspector looks at: the body of a request or an answer, one event of a stream, or one WebSocket message.
package struct InspectedMessage: Hashable, Sendable {
    /// What it is one of.
    package enum Kind: Hashable, Sendable {
        /// A whole body, decoded.
        case body
        /// The data of one server-sent event; its type is empty where the event says none.
        case event(type: [UInt8])
        /// A WebSocket message of text.
        case text
        /// A WebSocket message of octets.
        case binary
    }

    package var direction: MessageDirection
    package var kind: Kind

    package init(_ direction: MessageDirection, _ kind: Kind) {
        self.direction = direction
        self.kind = kind
    }
}

/// Why something goes no further.
package struct Denial: Hashable, Sendable {
    /// What the client is told, where it can be told anything, in place of our own words.
    package struct Answer: Hashable, Sendable {
        package var status: Int
        package var contentType: String
        package var body: [UInt8]

        package init(status: Int, contentType: String, body: [UInt8]) {
            self.status = status
            self.contentType = contentType
            self.body = body
        }
    }

    package var reason: Reason
    /// The rule that it is for.
    package var rule: RuleName?
    /// What exactly, for the record.
    package var detail: String?
    package var answer: Answer?

    package init(_ reason: Reason, rule: RuleName? = nil, detail: String? = nil, answer: Answer? = nil) {
        self.reason = reason
        self.rule = rule
        self.detail = detail
        self.answer = answer
    }
}

/// What an inspector says of what it has seen so far.
package enum InspectionVerdict: Hashable, Sendable {
    /// All of it may go.
    case release
    /// The last `count` octets, decoded, may not go yet, and nothing behind them; `.max` is all that has not gone.
    ///
    /// Of events and WebSocket messages, whole ones are held.
    case hold(last: Int)
    case deny(Denial)

    /// All that has not gone may not go yet.
    package static let hold = InspectionVerdict.hold(last: .max)
}

/// What inspectors noted, for the record of the end: each once, the first few.
package struct Findings: Hashable, Sendable {
    /// The most that are kept.
    package static let most = 8
    package private(set) var notes: [String] = []

    package init() {}

    /// Notes something: short printable ASCII, for programs.
    package mutating func note(_ finding: String) {
        guard notes.count < Self.most, !notes.contains(finding) else { return }
        notes.append(finding)
    }

    /// Takes over what others noted.
    package mutating func add(_ others: Findings) {
        for note in others.notes { self.note(note) }
    }
}

/// Something that looks at the content of one exchange as it passes, decoded, both ways.
///
/// Lives on one loop, for one exchange.
///
/// What it has seen goes on as it came. It is shown each message in pieces and then its end, and says each time what may go.
/// What it holds back is bounded: beyond the bound, the message is denied. At the end of a body, nothing more can release what
/// is held, and it is denied, too.
package protocol Inspector: AnyObject {
    /// Nothing of a message goes on before its end was seen.
    ///
    /// A request whose inspector says so is read whole before it is decided, and its decision is recorded then; nothing has
    /// been dialled by that time.
    var needsWholeMessages: Bool { get }

    /// A stream of server-sent events is shown event by event; otherwise it is a body like any other.
    var wantsEvents: Bool { get }

    /// What it says to a body that will have so many octets, decoded, before any of them has come.
    func inspectSize(_ count: UInt64, _ findings: inout Findings) -> Denial?

    /// What it says to a message of which so many octets were sent that a coding makes others of, however many or few.
    func inspectCoded(_ count: UInt64, _ findings: inout Findings) -> Denial?

    /// Sees the next octets of a message, at least one.
    func inspect(
        _ octets: borrowing Span<UInt8>,
        of message: InspectedMessage,
        _ findings: inout Findings
    ) -> InspectionVerdict

    /// Sees that a message has ended.
    func inspectEnd(of message: InspectedMessage, _ findings: inout Findings) -> InspectionVerdict
}

extension Inspector {
    package var wantsEvents: Bool { false }

    package func inspectSize(_ count: UInt64, _ findings: inout Findings) -> Denial? { nil }

    package func inspectCoded(_ count: UInt64, _ findings: inout Findings) -> Denial? { nil }
}
