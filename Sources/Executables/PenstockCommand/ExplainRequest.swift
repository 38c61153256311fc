import AuditTrail
import LinuxBindings
import NetworkTypes
import PolicyEngine
import PolicyTrials
import SourceDocuments

/// What `penstock policy explain` is asked.
struct ExplainRequest: Hashable {
    var policy: String
    var question: Question
    var daemon: DaemonKind

    /// Reads the words after `policy explain`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, Self.forms, .explain)
        guard !options.wantsHelp else { return nil }
        guard let policy = options.operands.first else { throw options.misuse("a policy file or directory is needed") }
        try options.refuseOperands(after: 1)
        self.policy = policy
        daemon = DaemonKind(options)
        let host = try options.required("--host", "HOST")
        question = Question(port: try Self.port(options), speech: .known(try Self.spoken(options)))
        question.uid = try Self.uid(options)
        question.clientAddress = try Self.clientAddress(options)
        question.workload.namespace = options.value("--namespace")
        question.workload.serviceAccount = options.value("--service-account")
        // What holds now is asked, unless another time is given.
        question.now = try Self.time(options) ?? wallClockMicroseconds() / 1_000_000
        question.addresses = try Self.addresses(options)
        question.method = try Self.method(options)
        question.path = try Self.path(options)
        question.query = options.value("--query")
        question.headers = try Self.headers(options)
        question.calls = try Self.calls(options)
        do throws(QuestionFault) {
            try question.aim(at: host, sni: options.value("--sni"), canIntercept: daemon.canIntercept)
        } catch {
            throw options.misuse(error.explanation("--"))
        }
    }

    private static let forms: [Options.Form] =
        [
            .value("--host"), .value("--port"), .value("--sni"), .value("--uid"), .value("--protocol"),
            .values("--addr"),
            .value("--method"), .value("--path"), .value("--query"), .values("--header"), .value("--namespace"),
            .value("--service-account"), .value("--client-address"),
            .value("--time"), .values("--call"),
        ] + DaemonKind.options

    private static func port(_ options: Options) throws(Misuse) -> UInt16 {
        let text = try options.required("--port", "PORT")
        guard let port = portNumber(text), port > 0 else {
            throw options.misuse("--port '\(text)' is no port; write 1 to 65535")
        }
        return port
    }

    private static func spoken(_ options: Options) throws(Misuse) -> ApplicationProtocol {
        guard let text = options.value("--protocol") else { return .tls }
        guard let spoken = ApplicationProtocol(rawValue: text) else {
            throw Misuse(unknown: "protocol", text, among: ApplicationProtocol.allCases.map(\.rawValue), .explain)
        }
        return spoken
    }

    private static func uid(_ options: Options) throws(Misuse) -> UInt32? {
        guard let text = options.value("--uid") else { return nil }
        guard let uid = UInt32(text), uid < .max, text.allSatisfy(\.isNumber) else {
            throw options.misuse("--uid '\(text)' is no user number; write 0 to 4294967294")
        }
        return uid
    }

    private static func clientAddress(_ options: Options) throws(Misuse) -> IPAddress? {
        guard let text = options.value("--client-address") else { return nil }
        guard let address = IPAddress(literal: text) else {
            throw options.misuse("--client-address '\(text)' is no IP address")
        }
        return address
    }

    private static func time(_ options: Options) throws(Misuse) -> Int64? {
        guard let text = options.value("--time") else { return nil }
        guard let time = microseconds(rfc3339: text) else {
            throw options.misuse("--time '\(text)' is no time; write 2026-11-21T10:15:04Z")
        }
        return time / 1_000_000
    }

    private static func addresses(_ options: Options) throws(Misuse) -> [IPAddress]? {
        guard options.has("--addr") else { return nil }
        var addresses: [IPAddress] = []
        for text in options.all("--addr") {
            guard let address = IPAddress(literal: text) else {
                throw options.misuse("--addr '\(text)' is no IP address; nothing is looked up here")
            }
            addresses.append(address)
        }
        return addresses
    }

    private static func method(_ options: Options) throws(Misuse) -> RequestMethod? {
        guard let text = options.value("--method") else { return nil }
        guard let method = RequestMethod(text) else { throw options.misuse("--method '\(text)' is no method") }
        return method
    }

    private static func path(_ options: Options) throws(Misuse) -> String? {
        let path = options.value("--path")
        guard path?.contains("?") != true else {
            throw options.misuse("--path goes without the query, which is --query")
        }
        return path
    }

    private static func calls(_ options: Options) throws(Misuse) -> [AgentCall]? {
        guard options.has("--call") else { return nil }
        let texts = options.all("--call")
        if texts == [AgentCall.absent] { return [] }
        guard !texts.contains(AgentCall.absent) else { throw options.misuse("--call \(AgentCall.absentBesideOthers)") }
        var calls: [AgentCall] = []
        for text in texts {
            guard let call = AgentCall(text: text) else {
                throw options.misuse("--call '\(text)' is no call; \(AgentCall.example)")
            }
            calls.append(call)
        }
        return calls
    }

    private static func headers(_ options: Options) throws(Misuse) -> [RequestField]? {
        guard options.has("--header") else { return nil }
        var fields: [RequestField] = []
        for text in options.all("--header") {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            // A field's name is a token as a method is.
            guard parts.count == 2, let name = RequestMethod(parts[0]) else {
                throw options.misuse("--header '\(text)' is no header; write 'Name: value'")
            }
            fields.append(RequestField(name: name.text.lowercased(), value: Array(trimmed(parts[1]).utf8)))
        }
        return fields
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
