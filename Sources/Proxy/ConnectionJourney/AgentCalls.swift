import AgentProtocols
import AuditTrail
import PolicyEngine

extension RequestCalls {
    /// What policy is told of a body that was read whole; `nil` is one that holds no message.
    init(_ message: MCPMessage?) {
        self = .calls(message?.calls.map(AgentCall.init) ?? [])
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
    /// What the record of a request tells of its body.
    init(_ message: MCPMessage) {
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
