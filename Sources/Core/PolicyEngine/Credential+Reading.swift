import SourceDocuments

extension Credential {
    /// Reads the `credentials` beside an `action`.
    static func readAll(
        _ reader: inout MappingReader,
        _ headers: HeaderChanges?,
        _ limits: LoadingLimits
    ) -> [Credential] {
        let credentials = reader.mappings("credentials", .optional) { read(&$0, headers, limits) } ?? []
        if case .sequence(let items)? = reader.value(of: "credentials")?.content, items.isEmpty {
            reader.refuse("credentials", "is empty", remedy: "name one, or remove the key")
        }
        for (index, credential) in credentials.enumerated() {
            let twin = credentials[..<index].contains {
                $0.placeholder == credential.placeholder && $0.header == credential.header
            }
            guard twin else { continue }
            reader.note(
                SourceProblem(
                    "`credentials` has the placeholder `\(credential.placeholder)` in `\(credential.header)` twice",
                    at: reader.location(of: "credentials"),
                    remedy: "remove one of them"
                )
            )
        }
        return credentials
    }

    private static func read(
        _ reader: inout MappingReader,
        _ headers: HeaderChanges?,
        _ limits: LoadingLimits
    ) -> Credential? {
        let placeholder = reader.value("placeholder", .required, readPlaceholder)
        let secret = reader.value("secret", .required) { node, subject throws(SourceProblem) in
            try readSecret(node, subject, limits)
        }
        let header = reader.value("header", .required) { node, subject throws(SourceProblem) in
            try readHeader(node, subject, headers)
        }
        reader.refuseMisplaced(["file"], remedy: "name the secret here, and its file in the daemon's `secrets`")
        guard let placeholder, let secret, let header else { return nil }
        return Credential(placeholder: placeholder, secret: secret, header: header)
    }

    private static func readPlaceholder(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> Placeholder {
        if let placeholder = Placeholder(try node.string(subject, expected: "a placeholder")) { return placeholder }
        throw SourceProblem(
            "\(subject) cannot be told from other text in a header",
            at: node.location,
            remedy: "write 8 to 128 letters, digits, `-`, `_`, `.` and `~`, such as PENSTOCK-OPENAI"
        )
    }

    private static func readSecret(
        _ node: SourceNode,
        _ subject: String,
        _ limits: LoadingLimits
    ) throws(SourceProblem) -> SecretName {
        // What is written here by mistake may be the secret itself: no message repeats it.
        guard let name = SecretName(try node.string(subject, expected: "the name of a secret")) else {
            throw SourceProblem(
                "\(subject) is no name of a secret",
                at: node.location,
                remedy:
                    "write the name that it has in the daemon's `secrets`: lower-case letters, digits, `-`, `_`, `.`"
            )
        }
        guard limits.secrets?.keys.contains(name) ?? true else {
            throw SourceProblem(
                "the configuration has no secret `\(name)`",
                at: node.location,
                remedy: "add it under `secrets` in the daemon's configuration"
            )
        }
        return name
    }

    private static func readHeader(
        _ node: SourceNode,
        _ subject: String,
        _ headers: HeaderChanges?
    ) throws(SourceProblem) -> HeaderName {
        let name = try node.headerName(subject)
        if let objection = name.objectionToChanging ?? name.objectionToInjecting {
            throw SourceProblem(
                "\(subject), `\(name)`, \(objection.fault)",
                at: node.location,
                remedy: objection.remedy
            )
        }
        let isChanged = headers.map { $0.remove.contains(name) || $0.set.contains { $0.name == name } } ?? false
        guard isChanged else { return name }
        throw SourceProblem(
            "\(subject), `\(name)`, is changed by `headers` as well",
            at: node.location,
            remedy: "leave it out there"
        )
    }
}

extension HeaderName {
    /// `nil` for a header that may hold a credential.
    fileprivate var objectionToInjecting: HeaderObjection? {
        guard headersOfScrubbing.contains(canonical) else { return nil }
        return HeaderObjection(
            fault: "is written by the daemon beside `credentials`",
            remedy: "name the header that authorizes"
        )
    }
}

/// What a request with credentials goes up without, or with a value of the daemon's own: its answer must be readable.
package let headersOfScrubbing: Set = [
    "accept-encoding", "accept-charset", "range", "request-range", "if-range", "sec-websocket-extensions",
]
