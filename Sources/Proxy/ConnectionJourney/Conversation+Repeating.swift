import AuditStore
import AuditTrail
import ContentInspection
import EventLoops
import HTTPExchange
import NetworkTypes
import PolicyEngine
import Telemetry
import WireFormats

/// What the requests before have left, so that the next one need not be taken for the first of its kind.
///
/// Nothing here decides, or skips a record or a permit: what is the same is not worked out again, and whatever it hangs on is
/// compared each time.
struct Repetition {
    /// What the facts in hand were compared with, or told to the policy; `nil` where they are not those of a decision that stands.
    var standing: StandingDecision?
    /// What the record that was encoded last was about; `nil` where it had more of its own than identifier and path.
    var recorded: RecordedAlike?
    /// What the record of an end was about that was encoded last; `nil` where that was out of the ordinary.
    var ended: EndedAlike?
    /// The request that went up last.
    var request: HTTP1Request?
    /// What the next one with the same head needs no more; its facts are those in hand.
    var whole: RepeatedRequest?

    /// The facts in hand are others.
    mutating func forgetFacts() {
        standing = nil
        whole = nil
    }

    /// The upstream goes to others, or is closed, which it is not while anybody holds it.
    mutating func forgetUpstream() {
        whole = nil
        ended = nil
    }
}

/// What two records of requests have in common, where `StandingDecision` and these are the same.
final class RecordedAlike {
    let standing: StandingDecision
    let method: String
    let host: HTTPHost

    init(_ standing: StandingDecision, method: String, host: HTTPHost) {
        self.standing = standing
        self.method = method
        self.host = host
    }
}

/// What two records of requests' ends have in common, where both were answered whole and nothing was found.
struct EndedAlike {
    let line: UpstreamLine
    let status: Int?
}

/// A request that has gone up twice, octet by octet the same, on one upstream and by one decision.
final class RepeatedRequest {
    let request: HTTP1Request
    let standing: StandingDecision
    let line: UpstreamLine
    let original: OriginalDestination?
    /// What its record was about.
    let recorded: RecordedAlike
    /// Its path, as it is recorded.
    let path: String
    /// The head as it is sent.
    let head: [UInt8]

    init(
        _ request: HTTP1Request,
        _ standing: StandingDecision,
        _ line: UpstreamLine,
        _ original: OriginalDestination?,
        _ recorded: RecordedAlike,
        path: String,
        head: [UInt8]
    ) {
        self.request = request
        self.standing = standing
        self.line = line
        self.original = original
        self.recorded = recorded
        self.path = path
        self.head = head
    }
}

extension Conversation {
    /// What stands of this request, whose head is that of the one before.
    private func repeated(_ request: HTTP1Request) -> RepeatedRequest? {
        guard let whole = repetition.whole, whole.request.isSameHead(as: request) else { return nil }
        return whole
    }

    /// The answer for a request whose head is that of the one before, where what else it hangs on is the same, too: the policy, the
    /// upstream, and which addresses are our own.
    func judgeAgain(_ request: HTTP1Request) -> Decision? {
        guard let before = repeated(request), let upstream, upstream.line === before.line,
            before.standing.holds(
                isOwnListener: before.original.map { worker.isOwnListener($0.socket) } ?? false,
                worker.snapshot.generation
            )
        else { return nil }
        return before.standing.decision
    }

    /// Writes down what stands, anew no more of it than differs from the record before.
    func recordAgain(_ decision: Decision, _ request: HTTP1Request) -> UInt64 {
        let whole = repeated(request)
        // What was encoded last may be another's: it is what was remembered, or nothing is taken of it.
        if let whole, whole.recorded === repetition.recorded,
            let ticket = recordAlike(decision, path: whole.path)
        {
            return ticket
        }
        // The same head by the same policy: nothing is changed in it, and there is nothing to mask.
        if whole == nil {
            revise(request, decision)
            terms = terms(behind: decision)
        }
        guard let standing = repetition.standing, isAllButPath(request), let method = facts.request?.method?.text,
            let path = facts.request?.path?.text
        else { return recordInFull(decision, request) }
        if let before = repetition.recorded, before.standing === standing, before.method == method,
            before.host == request.host, let ticket = recordAlike(decision, path: path)
        {
            return ticket
        }
        let ticket = recordInFull(decision, request)
        repetition.recorded = RecordedAlike(standing, method: method, host: request.host)
        return ticket
    }

    /// Writes down what stands of a request whose record has all but identifier and path in common with the one before; `nil` where
    /// none was encoded.
    private func recordAlike(_ decision: Decision, path: String) -> UInt64? {
        let now = worker.audit.clock()
        let id = worker.nextIdentifier(at: now)
        guard let record = encoding.encodeAgain(id, path: path, at: now) else { return nil }
        worker.metrics.count(request: decision)
        self.decision = decision
        judgedGeneration = worker.snapshot.generation
        return submit(record, id, isAllowed: true)
    }

    /// True where the record of a request has nothing of its own but identifier and path, as far as standing decisions go.
    private func isAllButPath(_ request: HTTP1Request) -> Bool {
        if repeated(request) != nil { return true }
        return revision == nil && detail == nil && spoken == nil && request.query == nil && !request.fields.hasSecrets
    }

    /// The head as it is sent, written anew only if it was not the same before.
    func headSentAgain(for request: HTTP1Request, on line: UpstreamLine) -> OutgoingHead {
        if let whole = repeated(request) { return OutgoingHead(whole.head) }
        let head = headSent(for: request)
        guard let before = repetition.request, before.isSameHead(as: request) else {
            repetition.request = request.headBytes <= worker.settings.http.recalledHeadBytes ? request : nil
            return head
        }
        if let standing = repetition.standing, let recorded = repetition.recorded, recorded.standing === standing,
            head.stage == nil, worker.snapshot.generation == judgedGeneration, let path = facts.request?.path?.text
        {
            repetition.whole = RepeatedRequest(
                request,
                standing,
                line,
                facts.original,
                recorded,
                path: path,
                head: head.octets
            )
        }
        return head
    }

    /// Writes down how a request went that was answered whole, as the one before was; false where its record is another.
    func noteAgain(_ exchanged: Exchanged, on loop: isolated EventLoop) -> Bool {
        guard let before = repetition.ended, let upstream, upstream.line === before.line,
            exchanged.status == before.status, isEndAlike(exchanged, upstream)
        else { return false }
        let duration = (loop.now &- begun) / 1_000_000
        let now = worker.audit.clock()
        guard entry != nil,
            let id = requestID,
            let record = encoding.encodeEndAgain(
                id,
                bytesUp: exchanged.bytesUp,
                bytesDown: exchanged.bytesDown,
                durationMilliseconds: duration,
                at: now
            )
        else { return false }
        bytesUp &+= exchanged.bytesUp
        bytesDown &+= exchanged.bytesDown
        worker.metrics.requestEnds.increment()
        entry.take()?.finish { _ in record }
        if upstream.exchange.authenticatesConnection { isPinned = true }
        return true
    }

    /// Notes what the record of this end was about, for the next.
    func rememberEnd(_ exchanged: Exchanged) {
        guard let upstream, isEndAlike(exchanged, upstream) else { return }
        repetition.ended = EndedAlike(line: upstream.line, status: exchanged.status)
    }

    /// True where the record of an end has nothing of its own but its figures, as far as the upstream's line and the status go.
    private func isEndAlike(_ exchanged: Exchanged, _ upstream: OpenUpstream) -> Bool {
        upstream.line.hasServed && exchanged.keepsUpstream && !exchanged.mayBeTruncated && scrubbing == nil
            && exchanged.findings.notes.isEmpty
    }
}
