import WireFormats

/// Why a body that claims to be a message of MCP is refused: a server could read it otherwise than we do.
package struct MCPViolation: Error, Hashable, Sendable {
    package let fault: MCPFault
    /// The identifier of the one message in the body, as it stands in the text, where it was read.
    package let id: [UInt8]?

    init(_ fault: MCPFault, id: [UInt8]? = nil) {
        self.fault = fault
        self.id = id
    }
}

/// What is wrong with a message.
package enum MCPFault: Error, Hashable, Sendable {
    case json(JSONViolation.Fault)
    /// The text is not in UTF-8, as some servers find out from its first bytes, and others from `charset`.
    case encoding
    /// The body is coded, and without undoing that it could be JSON as well.
    case coding
    /// A number is beyond what servers can hold.
    case numberRange
    /// A key that matters is spelled in another case, which some servers do not tell apart.
    case keyCase
    /// `jsonrpc` is not `"2.0"`.
    case jsonrpcVersion
    /// There is neither a method, nor a result, nor an error; or more than one of them.
    case messageKind
    /// The method is no string, or none that could be called.
    case methodName
    /// The method is one of MCP's in another case.
    case methodCase
    /// JSON-RPC keeps this name for itself.
    case methodReserved
    /// Neither a string nor a whole number.
    case idType
    case idTooLong
    /// Two requests of a body have the same identifier.
    case idRepeated
    /// `params` is no object where one is needed.
    case paramsType
    /// The tool's name is missing, no string, or none that could be called.
    case toolName
    /// Several messages in one body, which the revision does not have.
    case batch
    case batchTooLong
    /// Something in a batch is no message.
    case batchElement
    /// A response, which the revision lets no client send.
    case response
    /// A revision that is not known here.
    case versionUnknown
    case headerRepeated
    case headerMissing
    /// A header says something else than the body.
    case headerMismatch
    case headerEncoding
    /// The headers speak of a message, and the body holds none.
    case headerAlone
    /// A message in a request that is no POST, which the revision does not have.
    case notPost

    /// The word for it in records and answers.
    package var word: String {
        switch self {
        case .json(let fault): "mcp_json_\(fault.rawValue)"
        case .encoding: "mcp_encoding"
        case .coding: "mcp_coding"
        case .numberRange: "mcp_number_range"
        case .keyCase: "mcp_key_case"
        case .jsonrpcVersion: "mcp_jsonrpc_version"
        case .messageKind: "mcp_message_kind"
        case .methodName: "mcp_method_name"
        case .methodCase: "mcp_method_case"
        case .methodReserved: "mcp_method_reserved"
        case .idType: "mcp_id_type"
        case .idTooLong: "mcp_id_too_long"
        case .idRepeated: "mcp_id_repeated"
        case .paramsType: "mcp_params_type"
        case .toolName: "mcp_tool_name"
        case .batch: "mcp_batch"
        case .batchTooLong: "mcp_batch_too_long"
        case .batchElement: "mcp_batch_element"
        case .response: "mcp_response"
        case .versionUnknown: "mcp_version_unknown"
        case .headerRepeated: "mcp_header_repeated"
        case .headerMissing: "mcp_header_missing"
        case .headerMismatch: "mcp_header_mismatch"
        case .headerEncoding: "mcp_header_encoding"
        case .headerAlone: "mcp_header_alone"
        case .notPost: "mcp_not_post"
        }
    }

    /// The code of JSON-RPC and MCP for it.
    package var code: Int {
        switch self {
        case .json, .encoding, .coding: -32700
        case .headerRepeated, .headerMissing, .headerMismatch, .headerEncoding, .headerAlone: -32020
        case .versionUnknown: -32022
        case .numberRange, .keyCase, .jsonrpcVersion, .messageKind, .methodName, .methodCase, .methodReserved, .idType,
            .idTooLong, .idRepeated, .paramsType, .toolName, .batch, .batchTooLong, .batchElement,
            .response, .notPost:
            -32600
        }
    }
}
