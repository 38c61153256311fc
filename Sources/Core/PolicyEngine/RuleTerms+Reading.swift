import SourceDocuments

extension RuleTerms {
    /// Reads the keys beside `action` that say how a rule is carried out.
    static func read(
        _ reader: inout MappingReader,
        _ action: RuleAction?,
        _ match: RuleMatch?,
        _ limits: LoadingLimits
    ) -> RuleTerms {
        let mode = reader.choice("mode", of: PolicyMode.self)
        let headers = reader.mapping("headers", .optional, HeaderChanges.read)
        let terms = RuleTerms(
            isOnTrial: mode == .audit,
            exceptsTunnels: reader.boolean("except_tunnels") ?? false,
            rate: reader.mapping("rate", .optional, RateLimit.read),
            budget: reader.mapping("budget", .optional, Budget.read),
            limits: reader.mapping("limits", .optional, ContentLimits.read),
            headers: headers,
            credentials: Credential.readAll(&reader, headers, limits),
            egress: reader.egress(limits)
        )
        if mode == .enforce {
            reader.refuse("mode", "is `enforce`, which every rule does", remedy: "leave it out, or write `audit`")
        }
        guard let action else { return terms }
        if action == .deny {
            refuseTermsOfAllowance(&reader)
        } else {
            refuseTrialOfNothing(terms, action, &reader)
        }
        if terms.exceptsTunnels { refuseEmptyException(action, match, &reader) }
        if let match { terms.refuseUnreadableHeads(action, match, limits, &reader) }
        return terms
    }

    private static func refuseTermsOfAllowance(_ reader: inout MappingReader) {
        for key in ["rate", "budget"] where reader.has(key) {
            reader.refuse(
                key,
                "counts what a rule allows, and this one denies",
                remedy: "put it on the rule that allows"
            )
        }
        if reader.has("limits") {
            reader.refuse(
                "limits",
                "is for what a rule allows, and this one denies",
                remedy: "put it on the rule that allows"
            )
        }
        if reader.has("egress") {
            reader.refuse(
                "egress",
                "is for what a rule allows, and this one denies: nothing of it goes out",
                remedy: "put it on the rule that allows"
            )
        }
    }

    private static func refuseTrialOfNothing(_ terms: RuleTerms, _ action: RuleAction, _ reader: inout MappingReader) {
        guard terms.isOnTrial, !["rate", "budget", "limits"].contains(where: { reader.has($0) }) else { return }
        reader.refuse(
            "mode",
            "is `audit`, and an `\(action.rawValue)` without `rate`, `budget` and `limits` refuses nothing that could be on trial",
            remedy: "remove it"
        )
    }

    private static func refuseEmptyException(
        _ action: RuleAction,
        _ match: RuleMatch?,
        _ reader: inout MappingReader
    ) {
        if action != .deny {
            reader.refuse("except_tunnels", "belongs to a `deny`", remedy: "remove it")
        } else if let match, !match.looksInside {
            reader.refuse(
                "except_tunnels",
                "is for a `deny` with `http` or `mcp`: this one does not look inside, and denies tunnels like everything else",
                remedy: "remove it"
            )
        }
    }
}

extension MappingReader {
    /// Notes what is wrong with a key that is well written.
    mutating func refuse(_ key: String, _ fault: String, remedy: String) {
        note(SourceProblem("`\(key)` \(fault)", at: keyLocation(of: key), remedy: remedy))
    }
}

/// As high as numbers go in every store and every language that reads one.
private let highestCount = 1_000_000_000_000

extension RateLimit {
    /// Reads a `rate`.
    static func read(_ reader: inout MappingReader) -> RateLimit? {
        let limit = reader.integer("limit", .required, in: 1...highestCount)
        let per = reader.choice("per", .required, of: CountingPeriod.self)
        let by = reader.choice("by", of: CountingScope.self)
        guard let limit, let per else { return nil }
        return RateLimit(limit: UInt64(clamping: limit), per: per, by: by ?? .rule)
    }
}

extension Budget {
    /// Reads a `budget`.
    static func read(_ reader: inout MappingReader) -> Budget? {
        let bytes = reader.size("bytes_up", in: 1024...(1 << 50))
        let requests = reader.integer("requests", in: 1...highestCount)
        let per = reader.choice("per", of: CountingPeriod.self)
        let by = reader.choice("by", of: CountingScope.self)
        if !reader.has("bytes_up"), !reader.has("requests"), !reader.hasUnaskedKeys {
            reader.note(
                SourceProblem(
                    "`budget` limits nothing",
                    at: reader.location,
                    remedy: "name `bytes_up` or `requests`, or remove it"
                )
            )
        }
        return Budget(
            bytesUp: bytes.map { UInt64(clamping: $0) },
            requests: requests.map { UInt64(clamping: $0) },
            per: per,
            by: by ?? .rule
        )
    }
}

extension ContentLimits {
    /// Reads a `limits`.
    static func read(_ reader: inout MappingReader) -> ContentLimits? {
        let bounds = 1024...(1 << 50)
        let request = reader.size("request_bytes", in: bounds)
        let response = reader.size("response_bytes", in: bounds)
        if !reader.has("request_bytes"), !reader.has("response_bytes"), !reader.hasUnaskedKeys {
            reader.note(
                SourceProblem(
                    "`limits` limits nothing",
                    at: reader.location,
                    remedy: "name `request_bytes` or `response_bytes`, or remove it"
                )
            )
        }
        return ContentLimits(
            requestBytes: request.map { UInt64(clamping: $0) },
            responseBytes: response.map { UInt64(clamping: $0) }
        )
    }
}
