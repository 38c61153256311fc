import SourceDocuments

extension RequestMatch {
    /// Reads an `http`, and notes what is right but probably not meant.
    static func read(_ reader: inout MappingReader, doubting doubts: inout [SourceProblem]) -> RequestMatch? {
        var match = RequestMatch()
        var found: [SourceProblem] = []
        match.methods = reader.list("methods", of: "methods") { node, subject throws(SourceProblem) in
            let method = try readMethod(node, subject)
            if let doubt = methodDoubt(method, subject, at: node.location) { found.append(doubt) }
            return method
        }
        match.paths = reader.list("paths", of: "paths", readPathPattern)
        match.fields = reader.mapping("headers", .optional) { readFields(&$0, &found) }
        match.query = reader.mapping("query", .optional) { readQuery(&$0, &found) }
        doubts += found
        reader.refuseEmpty(
            "http",
            wouldMatch: "every request",
            remedy: "name `methods`, `paths`, `headers` or `query`, or remove it"
        )
        return match
    }
}

extension RequestMethod {
    /// False of what no rule may name: an asterisk looks as if it stood for other methods.
    package var isNameable: Bool { !text.utf8.contains(UInt8(ascii: "*")) }
}

private func readMethod(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> RequestMethod {
    let text = try node.string(subject, expected: "a method such as GET")
    guard let method = RequestMethod(text) else {
        throw SourceProblem("\(subject) is no method", at: node.location, remedy: "write a name such as GET")
    }
    guard method.isNameable else {
        throw SourceProblem(
            "\(subject) is `\(text)`, which no request says: an asterisk stands for no other method",
            at: node.location,
            remedy: text == "*" ? "leave `methods` out: without it every method matches" : "write each method out"
        )
    }
    let upper = text.uppercased()
    // A deny of `delete` would look right and never fire.
    guard text == upper || !registeredMethods.contains(upper) else {
        throw SourceProblem(
            "\(subject) is `\(text)`, which is no method: case counts, and a request that says it is refused",
            at: node.location,
            remedy: "write \(upper)"
        )
    }
    return method
}

/// A word that other products take for every method, and that is a method of its own here.
private func methodDoubt(_ method: RequestMethod, _ subject: String, at place: SourceLocation) -> SourceProblem? {
    guard ["ALL", "ANY"].contains(method.text.uppercased()) else { return nil }
    return SourceProblem(
        "\(subject) is `\(method.text)`, which holds for a method of that very name alone",
        at: place,
        remedy: "leave `methods` out: without it every method matches"
    )
}

extension PathAmbiguity {
    /// What is wrong with a path, for a message that begins with its subject.
    package var explanation: String {
        switch self {
        case .noLeadingSlash: "does not begin with a slash"
        case .brokenEncoding: "has a percent sign without two hexadecimal digits"
        case .encodedSlash: "has an encoded slash, %2F"
        case .backslash: "has a backslash"
        case .dotSegment: "has a segment `.` or `..`"
        case .doubleEncoding: "has a dot, a slash or a backslash that is encoded twice"
        case .invalidUTF8: "has encoded octets that are no UTF-8"
        case .controlOctet: "has a space or a control character"
        case .fragment: "has a fragment"
        case .query: "has a query, which is no part of the path"
        case .notASCII: "has a character outside ASCII that is not encoded"
        case .emptySegment: "has two slashes in a row"
        }
    }

    /// What to write in a policy instead; requests with such paths are refused.
    var remedy: String? {
        switch self {
        case .noLeadingSlash: "write the path from its first slash on, without scheme and host"
        case .brokenEncoding: "write a percent sign as %25"
        case .controlOctet: "write a space as %20"
        case .fragment: "leave it out"
        case .query: "leave it out; keys of a query stand under `query`"
        case .notASCII: "write it percent-encoded (é is %C3%A9)"
        case .encodedSlash, .backslash, .dotSegment, .doubleEncoding, .invalidUTF8, .emptySegment:
            "leave it out: requests for such paths are refused"
        }
    }
}

/// Reads `headers`: names, each with the values that hold.
private func readFields(_ reader: inout MappingReader, _ doubts: inout [SourceProblem]) -> [FieldMatch]? {
    var fields: [FieldMatch] = []
    for key in reader.keys {
        let isRange = fieldsWithRanges.contains(key.lowercased())
        let values = reader.wantedValues(key, doubtingAsterisks: !isRange, noting: &doubts, readFieldValue)
        let name = key.lowercased()
        if let problem = fieldNameProblem(key, name, isTaken: fields.contains { $0.name == name }) {
            reader.note(SourceProblem(problem.message, at: reader.keyLocation(of: key), remedy: problem.remedy))
        } else {
            fields.append(FieldMatch(name: name, values: values))
        }
    }
    reader.refuseEmpty("headers", wouldMatch: "every request", remedy: "name a header, or remove it")
    return fields
}

/// Reads `query`: keys, each with the values that hold.
private func readQuery(_ reader: inout MappingReader, _ doubts: inout [SourceProblem]) -> [QueryMatch]? {
    var keys: [QueryMatch] = []
    for key in reader.keys {
        let values = reader.wantedValues(key, doubtingAsterisks: true, noting: &doubts, readQueryValue)
        if key.contains("*") {
            doubts.append(
                SourceProblem(
                    "`\(printable(key))` holds for the key of that very name alone: an asterisk stands for itself",
                    at: reader.keyLocation(of: key),
                    remedy: "write each key out"
                )
            )
        }
        if key.isEmpty || !isPlainQueryText(key) {
            reader.note(
                SourceProblem(
                    "`\(printable(key))` is no key of a query that all servers read alike",
                    at: reader.keyLocation(of: key),
                    remedy: queryRemedy
                )
            )
        } else {
            keys.append(QueryMatch(key: Array(key.utf8), values: values))
        }
    }
    reader.refuseEmpty("query", wouldMatch: "every request", remedy: "name a key, or remove it")
    return keys
}

private func readQueryValue(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> [UInt8] {
    // `q=` is a value, too.
    if node.content == .string("") { return [] }
    let text = try node.string(subject, expected: "a value")
    guard isPlainQueryText(text) else {
        throw SourceProblem(
            "\(subject) is no value of a query that all servers read alike",
            at: node.location,
            remedy: queryRemedy
        )
    }
    return Array(text.utf8)
}

/// A plus is a space to some servers, and a percent sign may be decoded twice.
private func isPlainQueryText(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "%") }
}

private let queryRemedy = "write it decoded, in printable ASCII without spaces, `+` and `%`"

extension MappingReader {
    /// The values that hold for a header or a key of a query; `nil` for `present`.
    fileprivate mutating func wantedValues(
        _ key: String,
        doubtingAsterisks: Bool,
        noting doubts: inout [SourceProblem],
        _ convert: (SourceNode, String) throws(SourceProblem) -> [UInt8]
    ) -> [[UInt8]]? {
        if self[key] == .string("present") {
            _ = node(key)
            return nil
        }
        var found: [SourceProblem] = []
        let values = list(key, of: "values, or `present`") { node, subject throws(SourceProblem) in
            guard node.content != .string("present") else {
                throw SourceProblem(
                    "\(subject) is `present`, which in a list holds for that very value alone",
                    at: node.location,
                    remedy: "say `\(printable(key)): present`, without brackets, for any value"
                )
            }
            let value = try convert(node, subject)
            if doubtingAsterisks, value.contains(UInt8(ascii: "*")) {
                found.append(asteriskDoubt(value, subject, at: node.location))
            }
            return value
        }
        doubts += found
        return values ?? []
    }

    private subscript(key: String) -> SourceNode.Content? {
        value(of: key)?.content
    }
}

/// A value that looks like a pattern; it may be meant as it stands.
private func asteriskDoubt(_ value: [UInt8], _ subject: String, at place: SourceLocation) -> SourceProblem {
    SourceProblem(
        "\(subject) is `\(String(decoding: value, as: UTF8.self))`, which holds for that very value alone: an asterisk "
            + "stands for itself",
        at: place,
        remedy: "say `present`, without brackets, for any value, or write each value out"
    )
}

/// The headers in whose values an asterisk has a meaning of its own (RFC 9110, sections 12.5 and 13.1).
private let fieldsWithRanges: Set = [
    "accept", "accept-charset", "accept-encoding", "accept-language", "if-match", "if-none-match",
]

private func fieldNameProblem(_ key: String, _ name: String, isTaken: Bool) -> (message: String, remedy: String?)? {
    guard isToken(Array(key.utf8).span) else { return ("`\(key)` is no header name", nil) }
    if name.contains("*") {
        return (
            "`\(key)` has an asterisk, which stands for no other name: no request has such a header",
            "write each name out"
        )
    }
    if name == "host" { return ("the header `\(key)` is judged as the name of the connection", "use `hosts`") }
    if fieldsOfTheConnection.contains(name) {
        return ("the header `\(key)` is about the connection and not forwarded as it came", "remove it")
    }
    return isTaken ? ("the header `\(key)` is there twice: case does not count in names", "remove one of them") : nil
}

/// What one hop says to the next (RFC 9110, section 7.6.1), and what frames a message.
private let fieldsOfTheConnection: Set = [
    "connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
]

private func readFieldValue(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> [UInt8] {
    let value = Array(try node.string(subject, expected: "a value").utf8)
    let isPrintable = value.allSatisfy { (0x20...0x7e).contains($0) }
    guard isPrintable, value.first != UInt8(ascii: " "), value.last != UInt8(ascii: " ") else {
        throw SourceProblem(
            "\(subject) is no value that a header could have",
            at: node.location,
            remedy: "write printable ASCII without spaces around it"
        )
    }
    return value
}
