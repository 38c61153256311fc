import AuditTrail
import WireFormats

/// A question whether something would be let out, after everything in it was found to have the right shape.
struct CheckRequest {
    /// What is about to be done, in the caller's words.
    let action: String
    /// Who the caller says that it is.
    let agent: String?
    /// By what the caller will know the answer.
    let requestID: String?
    /// Where it is about to go; nil where the action is none that this API knows.
    let destination: CheckedDestination?

    /// Reads a question.
    ///
    /// - Throws: all that is wrong with it.
    init(_ question: GovernanceQuestion, _ settings: GovernanceSettings) throws(CheckFault) {
        let body = try Self.body(question, settings.json)
        var reader = CheckReader(body, settings)
        let action = reader.text(["action", "toolName"], isRequired: true)
        agent = reader.text(["agent_did", "agent_id", "agentId"], characters: settings.claimCharacters)
        let resource = reader.found(["resource", "target"])
        var sources = reader.objects(["context", "params"])
        sources += try reader.parsed("argumentsJson")
        reader.checkTexts("policies")
        requestID = reader.text(["request_id", "callId"], characters: settings.claimCharacters)
        for name in ["traceparent", "traceId"] { _ = reader.text([name]) }
        self.action = action ?? ""
        if let known = knownActions[self.action], reader.faults.isEmpty {
            destination = CheckedDestination(known, resource, sources, &reader)
        } else {
            destination = nil
        }
        guard reader.faults.isEmpty else { throw .invalid(reader.faults) }
    }

    /// The object that a body is.
    private static func body(_ question: GovernanceQuestion, _ limits: JSONLimits) throws(CheckFault) -> JSONValue {
        let place: [InputFault.Place] = [.name("body")]
        guard question.body.count <= limits.bytes else { throw .tooLarge }
        guard !question.body.isEmpty else {
            throw .invalid([InputFault(.missing, place, input: Array("null".utf8))])
        }
        guard isJSON(question.contentType) else {
            let text = String(decoding: question.body, as: UTF8.self)
            throw .invalid([InputFault(.noFields, place, input: jsonText(text))])
        }
        let body: JSONValue
        do throws(JSONViolation) {
            body = try JSONDocument(question.body, limits: limits).root
        } catch {
            throw CheckFault(error)
        }
        guard body.kind == .object else { throw .invalid([InputFault(.noFields, place, body)]) }
        return body
    }

    /// `application/json` and `application/…+json`, with or without parameters.
    private static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        return type == "application/json" || type.hasPrefix("application/") && type.hasSuffix("+json")
    }

    /// A text as JSON.
    private static func jsonText(_ text: String) -> [UInt8] {
        // Written as a member, and taken out of its object again.
        let object = jsonObject { $0.text("x", text) }
        return Array(object.dropFirst(#"{"x":"#.utf8.count).dropLast())
    }
}
