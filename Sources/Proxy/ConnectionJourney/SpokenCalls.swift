import AgentProtocols
import AuditTrail
import HTTPExchange
import PolicyEngine
import WireFormats

/// What the whole body of a request was found to call.
enum SpokenCalls: Sendable {
    case nothing
    case message(MCPMessage)
    case malformed(MCPViolation)
    /// It could not be read; why, for the record's `detail`.
    case unreadable(String?)

    /// Reads a body, its content codings undone; `coded` is what was found of it before, where it had any.
    init(_ body: [UInt8], of request: HTTP1Request, coded: JSONOpening?) {
        do throws(MCPViolation) {
            self = try MCPReader().read(body, of: MCPHead(request), coded: coded).map(SpokenCalls.message) ?? .nothing
        } catch {
            self = .malformed(error)
        }
    }

    /// What policy is told.
    var calls: RequestCalls {
        switch self {
        case .nothing: .calls([])
        case .message(let message): .calls(message.calls.map(AgentCall.init))
        case .malformed: .malformed
        case .unreadable: .unreadable
        }
    }

    /// What the record of the request tells.
    var recorded: RecordedMessage? {
        switch self {
        case .message(let message): RecordedMessage(message)
        case .nothing, .malformed, .unreadable: nil
        }
    }

    /// What is wrong with the body, for the record's `detail`.
    var detail: String? {
        switch self {
        case .malformed(let violation): violation.fault.word
        case .unreadable(let detail): detail
        case .nothing, .message: nil
        }
    }

    /// The refusal in the protocol that the client speaks; `nil` where it asks for no answer in it, so that a `Problem` tells
    /// it as any other request.
    func answer(
        refusing decision: PolicyEngine.Decision,
        id: RecordIdentifier?,
        retrySeconds: Int64? = nil
    ) -> OwnAnswer? {
        let refusal = MCPAnswer.Refusal(
            decision: id,
            rule: decision.rule?.text,
            reason: decision.reason.rawValue,
            retryAfter: retrySeconds
        )
        let answer: MCPAnswer?
        switch self {
        case .nothing, .unreadable: answer = nil
        case .message(let message): answer = MCPAnswer(refusing: message, refusal)
        case .malformed(let violation):
            answer = decision.reason == .malformedCall ? MCPAnswer(refusing: violation, refusal) : nil
        }
        return answer.map { OwnAnswer($0.status, contentType: MCPAnswer.contentType, body: $0.body) }
    }
}

extension AgentCall {
    fileprivate init(_ call: MCPCall) {
        switch call.kind {
        case .request, .notification: self.init(method: call.method ?? "", tool: call.tool)
        case .response: self = .response
        }
    }
}

extension RecordedMessage {
    fileprivate init(_ message: MCPMessage) {
        self.init(
            era: message.era.rawValue,
            calls: message.calls.map { call in
                Call(
                    method: call.method ?? AgentCall.response.method,
                    tool: call.tool,
                    id: call.id.map { String(decoding: $0, as: UTF8.self) }
                )
            },
            isBatch: message.isBatch
        )
    }
}
