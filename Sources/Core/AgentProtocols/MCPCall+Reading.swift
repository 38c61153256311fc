import WireFormats

extension MCPCall {
    /// Reads one message of JSON-RPC.
    init(_ message: JSONValue, _ limits: MCPLimits) throws(MCPViolation) {
        let id: JSONValue? = message.member("id")
        let written = id.map { Array($0.source) }
        do throws(MCPFault) {
            try message.refuseOtherCase(of: keysOfMessages)
            guard message.member("jsonrpc")?.text == "2.0" else { throw .jsonrpcVersion }
            try id?.checkIdentifier(limits)
        } catch {
            throw MCPViolation(error)
        }
        do throws(MCPFault) {
            self = try MCPCall.read(message, id: written, limits)
        } catch {
            throw MCPViolation(error, id: written)
        }
    }

    private static func read(_ message: JSONValue, id: [UInt8]?, _ limits: MCPLimits) throws(MCPFault) -> MCPCall {
        let outcomes = [message.member("result"), message.member("error")].compactMap(\.self)
        guard let name = message.member("method") else {
            guard outcomes.count == 1, id != nil else { throw .messageKind }
            return MCPCall(kind: .response, method: nil, tool: nil)
        }
        guard outcomes.isEmpty else { throw .messageKind }
        let method = try name.callableName(limits, or: .methodName)
        guard !methodsOfMCP.holdInOtherCase(method) else { throw .methodCase }
        guard method != "rpc.response" else { throw .methodReserved }
        let params = message.member("params")
        if let params {
            guard params.kind == .object || !methodsWithNames.contains(method) else { throw .paramsType }
            try params.refuseOtherCase(of: keysOfParams)
            try params.member("_meta")?.refuseOtherCase(of: keysOfMeta)
        }
        let tool: String?
        if method == "tools/call" {
            guard let name = params?.member("name") else { throw .toolName }
            tool = try name.callableName(limits, or: .toolName)
        } else {
            tool = nil
        }
        return MCPCall(kind: id.map { .request(id: $0) } ?? .notification, method: method, tool: tool)
    }
}

extension JSONValue {
    /// Refuses a key of an object that is one of these in another case, or up to a control character.
    fileprivate func refuseOtherCase(of keys: CaseSensitiveNames) throws(MCPFault) {
        for (name, _) in members {
            if let text = name.text, keys.holdInOtherCase(text) { throw .keyCase }
        }
    }

    /// An identifier is a string or a whole number, and short enough to be echoed and written down.
    fileprivate func checkIdentifier(_ limits: MCPLimits) throws(MCPFault) {
        guard source.count <= limits.idBytes else { throw .idTooLong }
        switch kind {
        case .string: return
        case .number:
            // What a 64-bit number cannot hold, servers round each in its own way.
            guard Int64(String(decoding: source, as: UTF8.self)) != nil else { throw .idType }
        case .null, .boolean, .object, .array: throw .idType
        }
    }

    /// The name of a method or a tool.
    ///
    /// One that is empty, has control characters in it or white space around it is cut short or trimmed by some servers.
    fileprivate func callableName(_ limits: MCPLimits, or fault: MCPFault) throws(MCPFault) -> String {
        guard let text, !text.isEmpty, text.utf8.count <= limits.nameBytes else { throw fault }
        let scalars = text.unicodeScalars
        guard !scalars.contains(where: { $0.properties.generalCategory == .control }) else { throw fault }
        guard scalars.first?.properties.isWhitespace == false, scalars.last?.properties.isWhitespace == false else {
            throw fault
        }
        return text
    }
}

/// The methods whose `params` name what is meant.
let methodsWithNames: Set = ["tools/call", "prompts/get", "resources/read"]

/// What an object of JSON-RPC is judged by.
private let keysOfMessages = CaseSensitiveNames(["jsonrpc", "id", "method", "params", "result", "error"])

/// What its `params` are judged by.
private let keysOfParams = CaseSensitiveNames(["name", "arguments", "uri", "_meta", "protocolVersion"])

/// What their `_meta` is judged by.
private let keysOfMeta = CaseSensitiveNames(["io.modelcontextprotocol/protocolVersion"])

/// The methods that clients call, of all revisions.
private let methodsOfMCP = CaseSensitiveNames([
    "initialize", "ping", "server/discover", "tools/list", "tools/call", "resources/list", "resources/templates/list",
    "resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/list", "prompts/get",
    "completion/complete", "logging/setLevel", "subscriptions/listen", "tasks/get", "tasks/update", "tasks/result",
    "tasks/list", "tasks/cancel", "notifications/initialized", "notifications/cancelled", "notifications/progress",
    "notifications/roots/list_changed",
])
