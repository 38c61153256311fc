import NetworkTypes
import SourceDocuments

/// What `headers` and `credentials` ask of the rule that they stand in.
extension RuleTerms {
    /// Refuses changes where requests cannot be read, or nothing is sent.
    func refuseUnreadableHeads(
        _ action: RuleAction,
        _ match: RuleMatch,
        _ limits: LoadingLimits,
        _ reader: inout MappingReader
    ) {
        for key in ["headers", "credentials"] where reader.has(key) {
            switch action {
            case .deny: reader.refuse(key, "changes requests, and this rule denies them", remedy: "remove it")
            case .tunnel:
                reader.refuse(key, "changes requests, and `tunnel` never looks inside", remedy: "write `allow`")
            case .allow, .inspect: refuseBlindness(key, match, limits, &reader)
            }
        }
        guard reader.has("credentials"), action == .allow || action == .inspect else { return }
        refuseUnboundCredentials(match, &reader)
        refuseStrangers(match, limits, &reader)
        refuseOwnHeaders(&reader)
    }

    private func refuseBlindness(
        _ key: String,
        _ match: RuleMatch,
        _ limits: LoadingLimits,
        _ reader: inout MappingReader
    ) {
        let protocols = match.protocols
        if let blind = protocols?.subtracting([.tls, .http]), !blind.isEmpty {
            return reader.refuse(
                key,
                "cannot be carried out in \(words(blind))",
                remedy: "name `tls` and `http` alone under `protocols`"
            )
        }
        // With `http` in the match, the same is said there.
        guard !limits.canIntercept, protocols != [.http], key == "credentials" || match.http == nil else { return }
        reader.refuse(
            key,
            "is about what is inside TLS here, and to look inside needs interception, which is not configured",
            remedy: key == "headers" ? "say `protocols: [http]`" : "configure `interception`"
        )
    }

    /// A secret goes to one place, over TLS, and nowhere else: the rule says which, by itself.
    private func refuseUnboundCredentials(_ match: RuleMatch, _ reader: inout MappingReader) {
        let names = match.hosts ?? []
        let isExact = names.allSatisfy { if case .exact = $0 { true } else { false } }
        if names.isEmpty || !isExact {
            reader.refuse("credentials", "needs `hosts` that are whole names", remedy: "name each host, without `*`")
        }
        if match.protocols != [.tls] {
            reader.refuse(
                "credentials",
                "must never go over plain HTTP",
                remedy: "say `protocols: [tls]` in the match"
            )
        }
        if match.ports == nil {
            reader.refuse("credentials", "needs `ports`", remedy: "say `ports: [443]` in the match")
        }
        if match.http?.paths == nil {
            reader.refuse(
                "credentials",
                "needs `paths` under `http`",
                remedy: "name them in the match; \"/*\" is every path"
            )
        }
    }

    private func refuseStrangers(_ match: RuleMatch, _ limits: LoadingLimits, _ reader: inout MappingReader) {
        for credential in credentials {
            let stranger = limits.secrets?[credential.secret]?.stranger(among: match.hosts ?? [])
            guard let stranger else { continue }
            reader.refuse(
                "credentials",
                "would send the secret `\(credential.secret)` to \(stranger), and the configuration does not let it go there",
                remedy: "name one of its `hosts` in the daemon's `secrets`, or have the operator add this one"
            )
        }
    }

    private func refuseOwnHeaders(_ reader: inout MappingReader) {
        let names = (headers?.set ?? []).map(\.name) + (headers?.remove ?? [])
        for name in names where headersOfScrubbing.contains(name.canonical) {
            reader.refuse(
                "headers",
                "changes `\(name)`, which the daemon writes beside `credentials`",
                remedy: "leave it out"
            )
        }
    }
}
