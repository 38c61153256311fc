import ByteRelay
import EventLoops
import LinuxBindings
import WireFormats

/// Each of these answers whether there may be more to move, or `nil` where it ended the exchange.
extension Exchange {
    /// How many heads of one answer are passed on before others get their turn.
    private static let budget = 16

    /// Moves the request.
    func pumpUp(on loop: isolated EventLoop) -> Bool? {
        guard !up.isFinished else { return false }
        do throws(MessageFailure) {
            return try up.pump(means, isLast: phase != .tunnel || down.isFinished)
        } catch {
            guard case .sink(let failure) = error, phase != .tunnel else {
                finish(Exchanged.Outcome(ofRequest: error), on: loop)
                return nil
            }
            // A server that wants no more of a request may have said why before it closed.
            uploadFailure = failure
            up.abandon(means)
            upstream.socket.isReadable = true
            return false
        }
    }

    /// Moves the answer.
    func pumpDown(on loop: isolated EventLoop) -> Bool? {
        do throws(MessageFailure) {
            for _ in 0..<Self.budget {
                let hasMore = try down.pump(means, isLast: phase != .tunnel || up.isFinished)
                guard phase == .head, down.isFinished else { return hasMore }
                switch upstream.readResponse(answering: terms.answering, means) {
                case .head(let response):
                    try passOn(response)
                    // Its other direction has something to do now, too.
                    if phase == .tunnel { return true }
                case .nothing: return false
                case .ended: throw .malformed(.messageIncomplete)
                case .malformed(let violation): throw .malformed(violation)
                case .failed(let error): throw .source(error)
                }
            }
            return true
        } catch {
            let outcome = Exchanged.Outcome(ofAnswer: error)
            // The server may have given up because its client has: one that is gone has refused what came of the answer.
            let isOfClient = hasPassedEnd && (try? isConnected(client.socket.descriptor)) == false
            if isOfClient, case .upstreamFailed = outcome {
                finish(.clientFailed(nil), on: loop)
            } else {
                finish(outcome, on: loop)
            }
            return nil
        }
    }

    private func passOn(_ received: HTTP1Response) throws(MessageFailure) {
        let response = try down.staged(received)
        if response.isInformational { return try passOn(informational: response) }
        if response.isSwitch { return try passOn(change: response) }
        self.response = response
        isAnsweredEarly = !hasSentRequest
        var forwarding = HTTP1ResponseForwarding(requestMinorVersion: terms.minorVersion)
        closesClient =
            !terms.keepsAlive || !mayKeepClient || isBodyUncertain(response)
            || response.forwardedFraming(forwarding) == .untilClose
        forwarding.closes = closesClient
        phase = .body
        try down.begin(
            head(response, forwarding),
            response.framing,
            writesChunks: terms.minorVersion > 0,
            inspection: inspection?.ofAnswer(response)
        )
    }

    /// Nobody can know what comes next: a client that was never told to go on may send its body or leave it out, and a
    /// server that closes takes no more of one.
    private func isBodyUncertain(_ response: HTTP1Response) -> Bool {
        guard !up.isFinished || uploadFailure != nil else { return false }
        return !response.keepsAlive || uploadFailure != nil || (terms.expectsContinue && !hasContinued)
    }

    private func passOn(informational response: HTTP1Response) throws(MessageFailure) {
        if response.status == 100 {
            // A client that was told by us is not told twice.
            if inspection?.hasContinued ?? false { return }
            hasContinued = true
        }
        // HTTP/1.0 knows no such answers (RFC 9110, section 15.2).
        guard terms.minorVersion > 0 else { return }
        try down.begin(head(response, HTTP1ResponseForwarding()), .none)
    }

    private func passOn(change response: HTTP1Response) throws(MessageFailure) {
        // What is left of a body would be taken for the new protocol.
        guard up.isFinished, uploadFailure == nil else { throw .malformed(.unexpectedSwitch) }
        let inspections = try inspection?.behindSwitch(response)
        self.response = response
        closesClient = true
        phase = .tunnel
        try down.becomeTunnel(behind: head(response, HTTP1ResponseForwarding()), inspection: inspections?.down)
        try up.becomeTunnel(inspection: inspections?.up)
    }

    private func head(_ response: HTTP1Response, _ forwarding: HTTP1ResponseForwarding) -> [UInt8] {
        var octets = down.takeRoom()
        // What has come of the body goes with it.
        octets.reserveCapacity(response.headBytes + 64 + upstream.unreadCount)
        if let passed, passed.response.isSameHead(as: response), passed.forwarding == forwarding {
            if let head = passed.octets {
                octets += head
            } else {
                response.append(to: &octets, forwarding: forwarding)
                self.passed = PassedHead(response: response, forwarding: forwarding, octets: array(octets))
            }
        } else {
            response.append(to: &octets, forwarding: forwarding)
            passed = PassedHead(response: response, forwarding: forwarding, octets: nil)
        }
        return octets
    }
}

/// The head of an answer that was passed on.
struct PassedHead {
    let response: HTTP1Response
    let forwarding: HTTP1ResponseForwarding
    /// As it was written; `nil` while it came only once.
    let octets: [UInt8]?
}

/// A copy that shares nothing: what is appended to the original stays in the room that was made for it.
private func array(_ octets: [UInt8]) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(octets.count)
    copy += octets
    return copy
}

extension Exchanged.Outcome {
    /// What it means that the request did not come through.
    init(ofRequest failure: MessageFailure) {
        self =
            switch failure {
            case .source(let error): .clientFailed(error)
            case .sink(let error): .upstreamFailed(error)
            case .malformed(.messageIncomplete): .clientFailed(nil)
            case .malformed(let violation): .requestMalformed(violation)
            case .denied(let denial): .requestDenied(denial)
            }
    }

    /// What it means that the answer did not come through.
    init(ofAnswer failure: MessageFailure) {
        self =
            switch failure {
            case .source(let error): .upstreamFailed(error)
            case .sink(let error): .clientFailed(error)
            case .malformed(.messageIncomplete): .upstreamFailed(nil)
            case .malformed(let violation): .upstreamMalformed(violation)
            case .denied(let denial): .answerDenied(denial)
            }
    }
}
