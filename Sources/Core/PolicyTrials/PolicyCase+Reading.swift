import AuditTrail
import NetworkTypes
import PolicyEngine
import SourceDocuments

extension PolicyCase {
    /// Reads a document of cases: `cases`, a list of mappings.
    ///
    /// - Parameters:
    ///   - document: what was read.
    ///   - canIntercept: whether what is inside TLS can be read.
    /// - Returns: the cases, at least one.
    /// - Throws: everything that is wrong with it, in the order of the text.
    package static func read(_ document: SourceNode, canIntercept: Bool) throws(SourceProblems) -> [PolicyCase] {
        try MappingReader.read(document, as: "the document") { reader in
            var names: [String: SourceLocation] = [:]
            let cases = reader.mappings("cases", .required) { Self.read(&$0, canIntercept, &names) }
            if reader.value(of: "cases")?.content == .sequence([]) {
                reader.note(
                    SourceProblem("`cases` is an empty list", at: reader.location(of: "cases"), remedy: "add one")
                )
            }
            return cases
        }
    }

    /// Reads a case; `names` are those that are taken, and where.
    private static func read(
        _ reader: inout MappingReader,
        _ canIntercept: Bool,
        _ names: inout [String: SourceLocation]
    ) -> PolicyCase? {
        reader.remedyForUnknownKeys = "`penstock policy test --help` names the keys"
        let name = reader.string("name", .required)
        let place = reader.location(of: "name")
        if let name, let first = names[name] {
            let remedy = "give the case a name of its own"
            reader.note(SourceProblem("the case name `\(name)` is taken, first at \(first)", at: place, remedy: remedy))
        } else if let name {
            names[name] = place
        }
        let question = Question.read(&reader, canIntercept)
        let expected = reader.choice("expect", .required, of: Expected.self)
        let reason = reader.choice("reason", of: Reason.self)
        let treatment = reader.value("treatment", .optional) { node, subject throws(SourceProblem) in
            try node.choice(subject, of: PolicyEngine.Treatment.self)
        }
        let rule = reader.string("rule")
        guard let name, let question, let expected else { return nil }
        return PolicyCase(
            name: name,
            location: reader.location,
            question: question,
            expected: expected,
            reason: reason,
            treatment: treatment,
            rule: rule.map { $0 == ExpectedRule.none.text ? .none : .rule($0) }
        )
    }
}

extension Question {
    /// Reads the facts of a case: the keys are the options of `explain`.
    static func read(_ reader: inout MappingReader, _ canIntercept: Bool) -> Question? {
        let host = reader.string("host", .required)
        let port = reader.integer("port", .required, in: 1...65535)
        let spoken = reader.choice("protocol", of: ApplicationProtocol.self) ?? .tls
        let sni = reader.string("sni")
        var question = Question(port: UInt16(clamping: port ?? 0), speech: .known(spoken))
        question.uid = reader.integer("uid", in: 0...4_294_967_294).map { UInt32(clamping: $0) }
        question.clientAddress = reader.value("client_address", .optional, readAddress)
        question.workload.namespace = reader.string("namespace")
        question.workload.serviceAccount = reader.string("service_account")
        question.now = reader.value("time", .optional, readTime)
        question.query = reader.value("query", .optional) { node, subject throws(SourceProblem) in
            node.content == .string("") ? "" : try node.string(subject)
        }
        question.addresses = reader.list("addr", of: "addresses", readAddress)
        question.method = reader.value("method", .optional, readMethod)
        question.path = reader.value("path", .optional, readPath)
        question.calls = readCalls(&reader)
        question.headers = reader.mapping("headers", .optional, readHeaders)
        guard let host, port != nil else { return nil }
        do throws(QuestionFault) {
            try question.aim(at: host, sni: sni, canIntercept: canIntercept)
            return question
        } catch {
            reader.note(SourceProblem(error.explanation(""), at: reader.keyLocation(of: error.key)))
            return nil
        }
    }

    private static func readAddress(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> IPAddress {
        let text = try node.string(subject, expected: "an IP address")
        guard let address = IPAddress(literal: text) else {
            throw SourceProblem("\(subject), `\(text)`, is no IP address; nothing is looked up here", at: node.location)
        }
        return address
    }

    private static func readMethod(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> RequestMethod {
        let text = try node.string(subject, expected: "a method such as GET")
        guard let method = RequestMethod(text) else {
            throw SourceProblem("\(subject), `\(text)`, is no method", at: node.location)
        }
        return method
    }

    /// An empty list, and `none` alone, are a body without calls.
    private static func readCalls(_ reader: inout MappingReader) -> [AgentCall]? {
        guard let calls = reader.list("calls", of: "calls", readCall) else { return nil }
        if calls.count > 1, calls.contains(nil) {
            reader.note(SourceProblem(AgentCall.absentBesideOthers, at: reader.location(of: "calls")))
        }
        return calls.compactMap(\.self)
    }

    /// `nil` for `none`.
    private static func readCall(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> AgentCall? {
        let text = try node.string(subject, expected: "a call such as tools/list")
        if text == AgentCall.absent { return nil }
        guard let call = AgentCall(text: text) else {
            throw SourceProblem("\(subject), `\(text)`, is no call", at: node.location, remedy: AgentCall.example)
        }
        return call
    }

    private static func readPath(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> String {
        let text = try node.string(subject, expected: "a path such as /v1/messages")
        guard !text.contains("?") else {
            throw SourceProblem(
                "\(subject) goes without the query",
                at: node.location,
                remedy: "write what follows the `?` as `query`"
            )
        }
        return text
    }

    private static func readTime(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> Int64 {
        let expected = "a time such as 2026-11-21T10:15:04Z"
        let text = try node.string(subject, expected: expected)
        guard let microseconds = microseconds(rfc3339: text) else {
            throw SourceProblem("\(subject) is `\(text)`, expected \(expected)", at: node.location)
        }
        return microseconds / 1_000_000
    }

    private static func readHeaders(_ reader: inout MappingReader) -> [RequestField]? {
        var fields: [RequestField] = []
        for key in reader.keys {
            let values = reader.list(key, of: "values") { node, subject throws(SourceProblem) in
                node.content == .string("") ? [] : Array(try node.string(subject, expected: "a value").utf8)
            }
            if RequestMethod(key) == nil {
                reader.note(SourceProblem("`\(key)` is no header name", at: reader.keyLocation(of: key)))
            }
            fields += (values ?? []).map { RequestField(name: key.lowercased(), value: $0) }
        }
        return fields
    }
}
