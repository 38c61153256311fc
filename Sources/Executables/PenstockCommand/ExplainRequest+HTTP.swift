import PolicyEngine

extension ExplainRequest {
    /// Only what is said in plain HTTP can be read.
    func refuseUnreadableRequest(_ options: Options) throws(Misuse) {
        guard spoken != .http, let given = Self.requestOptions.first(where: options.has) else { return }
        throw options.misuse("\(given) goes with --protocol http")
    }

    static func method(_ options: Options) throws(Misuse) -> RequestMethod? {
        guard let text = options.value("--method") else { return nil }
        guard let method = RequestMethod(text) else { throw options.misuse("--method '\(text)' is no method") }
        return method
    }

    static func path(_ options: Options) throws(Misuse) -> String? {
        let path = options.value("--path")
        guard path?.contains("?") != true else {
            throw options.misuse("--path goes without the query: policy does not judge it")
        }
        return path
    }

    static func headers(_ options: Options) throws(Misuse) -> [RequestField]? {
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

    private static let requestOptions = ["--method", "--path", "--header"]

    private static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

extension Explanation {
    /// What is known of the request, where there is one.
    static func requestFacts(_ request: ExplainRequest, _ policy: Policy) throws(Fault) -> RequestFacts? {
        guard request.spoken == .http else { return nil }
        do throws(PathAmbiguity) {
            let path: CanonicalPath? = if let text = request.path { try CanonicalPath(text) } else { nil }
            // Whoever names headers names all that the request has.
            let fields = request.headers.map { RequestFields(of: policy.askedFields, $0) }
            return RequestFacts(method: request.method, path: path, fields: fields)
        } catch {
            throw .path(error)
        }
    }

    /// The request as it was judged; nothing where the connection alone is.
    var requestLines: [String] {
        guard request.spoken == .http else { return [] }
        return [
            "method: \(request.method?.text ?? "unknown")",
            "path: \(facts.request?.path?.text ?? request.path ?? "unknown")",
        ]
    }

    /// What the command line left open although rules ask for it.
    var missingOptions: [String] {
        let asking = policy.rules.filter { decision.rule == nil || $0.name == decision.rule }.map(\.match)
        let requests = asking.compactMap(\.http)
        let missing: [(String, Bool)] = [
            ("--uid", request.uid == nil && asking.contains { $0.uids != nil }),
            ("--method", request.method == nil && requests.contains { $0.methods != nil }),
            ("--path", request.path == nil && requests.contains { $0.paths != nil }),
            ("--header", request.headers == nil && requests.contains { $0.fields != nil }),
        ]
        return missing.filter(\.1).map(\.0)
    }
}
