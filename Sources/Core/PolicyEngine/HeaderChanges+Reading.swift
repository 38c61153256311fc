import SourceDocuments

extension HeaderChanges {
    /// Reads the `headers` beside an `action`.
    static func read(_ reader: inout MappingReader) -> HeaderChanges? {
        let set = reader.mapping("set", .optional, readSettings) ?? []
        let remove = reader.list("remove", of: "header names", readRemoval) ?? []
        refuseRepetitions(set, remove, &reader)
        if reader.isEmptyOrLeftOut("set"), reader.isEmptyOrLeftOut("remove"), !reader.hasUnaskedKeys {
            reader.note(
                SourceProblem(
                    "`headers` changes nothing",
                    at: reader.location,
                    remedy: "name a header under `set` or `remove`, or remove it"
                )
            )
        }
        return HeaderChanges(set: set, remove: remove)
    }

    private static func readSettings(_ reader: inout MappingReader) -> [HeaderSetting]? {
        var settings: [HeaderSetting] = []
        for key in reader.keys {
            let value = reader.value(key, .optional, readSettingValue)
            guard let name = HeaderName(key) else {
                reader.refuse(key, "is no header name", remedy: "write a name such as X-Team")
                continue
            }
            if let objection = name.objectionToSetting {
                reader.refuse(key, objection.fault, remedy: objection.remedy)
            } else if settings.contains(where: { $0.name == name }) {
                reader.refuse(key, "is there twice: case does not count in names", remedy: "remove one of them")
            } else if let value {
                settings.append(HeaderSetting(name: name, value: value))
            }
        }
        return settings
    }

    private static func readSettingValue(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> String {
        let text = try node.string(subject, expected: "a value in quotes")
        let isPrintable = text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        guard isPrintable, !text.hasPrefix(" "), !text.hasSuffix(" "), (1...4096).contains(text.utf8.count) else {
            throw SourceProblem(
                "\(subject) is no value that a header could have",
                at: node.location,
                remedy: "write printable ASCII without spaces around it, at most 4096 characters"
            )
        }
        return text
    }

    private static func readRemoval(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> HeaderName {
        let name = try node.headerName(subject)
        if let objection = name.objectionToChanging {
            throw SourceProblem(
                "\(subject), `\(name)`, \(objection.fault)",
                at: node.location,
                remedy: objection.remedy
            )
        }
        return name
    }

    private static func refuseRepetitions(
        _ set: [HeaderSetting],
        _ remove: [HeaderName],
        _ reader: inout MappingReader
    ) {
        for (index, name) in remove.enumerated() {
            let isSet = set.contains { $0.name == name }
            guard isSet || remove[..<index].contains(name) else { continue }
            reader.note(
                SourceProblem(
                    isSet ? "`remove` names `\(name)`, which `set` writes" : "`remove` names `\(name)` twice",
                    at: reader.location(of: "remove"),
                    remedy: isSet ? "leave it out: what is set replaces what was there" : "remove one of them"
                )
            )
        }
    }
}

/// Why a header is not for policies to change, and what to do instead.
struct HeaderObjection {
    var fault: String
    var remedy: String
}

extension HeaderName {
    /// `nil` for a header that a policy may change.
    var objectionToChanging: HeaderObjection? {
        if canonical == "host" {
            return HeaderObjection(fault: "says whom the request is for, and is not changed", remedy: "leave it out")
        }
        if canonical.contains("*") {
            return HeaderObjection(
                fault: "has an asterisk, which stands for no other name here",
                remedy: "write each name out"
            )
        }
        guard heldHeaders.contains(canonical) else { return nil }
        return HeaderObjection(
            fault: "frames the message or is about the connection, and is not changed",
            remedy: "leave it out"
        )
    }

    /// `nil` for a header whose value may stand in a policy.
    fileprivate var objectionToSetting: HeaderObjection? {
        if let objectionToChanging { return objectionToChanging }
        guard secretHeaders.contains(canonical) else { return nil }
        return HeaderObjection(
            fault: "holds a secret, and a policy is read by many",
            remedy: "keep it in a file, and use `credentials`"
        )
    }
}

/// What one hop says to the next, what frames a message or tells how its body is coded, and the opening of a WebSocket.
private let heldHeaders: Set = [
    "connection", "content-encoding", "content-length", "expect", "http2-settings", "keep-alive", "proxy-authenticate",
    "proxy-authentication-info", "proxy-authorization", "proxy-connection", "sec-websocket-accept", "sec-websocket-key",
    "sec-websocket-version", "te", "trailer", "transfer-encoding", "upgrade",
]

/// The headers whose values records mask: docs/audit.md has the same list.
private let secretHeaders: Set = [
    "api-key", "authorization", "cookie", "private-token", "x-amz-security-token", "x-api-key", "x-auth-token",
    "x-goog-api-key", "x-vault-token",
]

extension MappingReader {
    /// True where a key is left out, or has a mapping or a list of nothing.
    fileprivate func isEmptyOrLeftOut(_ key: String) -> Bool {
        switch value(of: key)?.content {
        case nil, .mapping([]), .sequence([]): true
        case .mapping, .sequence, .null, .boolean, .integer, .string: false
        }
    }
}

extension SourceNode {
    /// Reads the name of a header.
    func headerName(_ subject: String) throws(SourceProblem) -> HeaderName {
        let text = try string(subject, expected: "a header name")
        if let name = HeaderName(text) { return name }
        throw SourceProblem(
            "\(subject), `\(printable(text))`, is no header name",
            at: location,
            remedy: "write a name such as X-Team"
        )
    }
}
