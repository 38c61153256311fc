import NetworkTypes
import SourceDocuments

extension RuleMatch {
    /// Reads a `match`, and notes what is right but probably not meant.
    static func read(
        _ reader: inout MappingReader,
        _ limits: LoadingLimits,
        _ items: inout ItemLocations,
        doubting doubts: inout [SourceProblem]
    ) -> RuleMatch? {
        var match = RuleMatch()
        var places = ItemLocations()
        match.hosts = reader.list("hosts", of: "host names") { node, subject throws(SourceProblem) in
            let pattern = try readHostPattern(node, subject, isOfRule: true)
            places.hosts.append(node.location)
            return pattern
        }
        match.cidrs = reader.list("cidrs", of: "address blocks") { node, subject throws(SourceProblem) in
            let block = try readCIDR(node, subject)
            places.cidrs.append(node.location)
            return block
        }
        items = places
        match.ports = reader.list("ports", of: "ports", readPorts)
        match.protocols = reader.list("protocols", of: "protocols", readProtocol).map(Set.init)
        match.sni = reader.choice("sni", of: ServerNamePresence.self)
        reader.mapping("workload", .optional) { $0.readWorkload(&match) }
        match.times = reader.mappings("time", .optional, TimeWindow.read)
        match.http = reader.mapping("http", .optional) { RequestMatch.read(&$0, doubting: &doubts) }
        match.mcp = reader.mapping("mcp", .optional, CallMatch.read)
        refuseWhatCannotBeRead(match, limits, &reader)
        refuseServerNameOutsideTLS(match, &reader)
        reader.notYet("alpn")
        reader.refuseMisplaced(
            ["rate", "budget", "limits", "mode", "except_tunnels", "credentials"],
            remedy: "write it beside `action`"
        )
        // Judged by what the text says: a key that is wrong, unknown or not supported has its own problem.
        reader.refuseEmpty("match", wouldMatch: "every connection", remedy: "name what it matches, or use `default`")
        return match
    }

    /// Requests within cleartext HTTP/2 or an unknown protocol cannot be read, nor those within TLS that nobody ends; a rule about
    /// them would not fire.
    private static func refuseWhatCannotBeRead(
        _ match: RuleMatch,
        _ limits: LoadingLimits,
        _ reader: inout MappingReader
    ) {
        guard let key = match.keyLookingInside else { return }
        guard limits.canIntercept else { return refuseWhatNeedsInterception(match, key, &reader) }
        guard let blind = match.protocols?.subtracting([.tls, .http]), !blind.isEmpty else { return }
        reader.note(
            SourceProblem(
                "`\(key)` cannot look into \(words(blind))",
                at: reader.keyLocation(of: key),
                remedy: "name `tls` and `http` alone under `protocols`"
            )
        )
    }

    private static func refuseWhatNeedsInterception(
        _ match: RuleMatch,
        _ key: String,
        _ reader: inout MappingReader
    ) {
        // A list of protocols that is wrong has its own problem.
        let isReadable = match.protocols?.isSubset(of: [.http]) ?? reader.has("protocols")
        guard !isReadable else { return }
        reader.note(
            SourceProblem(
                "`\(key)` could meet TLS here, and to look inside needs interception, which is not configured",
                at: reader.keyLocation(of: key),
                remedy: "say `protocols: [http]`"
            )
        )
    }

    private static func refuseServerNameOutsideTLS(_ match: RuleMatch, _ reader: inout MappingReader) {
        guard match.sni != nil, let protocols = match.protocols, !protocols.isEmpty, protocols != [.tls] else { return }
        reader.note(
            SourceProblem(
                "`sni` is about TLS, and `protocols` names \(words(protocols.subtracting([.tls])))",
                at: reader.keyLocation(of: "sni"),
                remedy: "say `protocols: [tls]`, or leave it out"
            )
        )
    }

    private static func readProtocol(
        _ node: SourceNode,
        _ subject: String
    ) throws(SourceProblem) -> ApplicationProtocol {
        try node.choice(
            subject,
            of: ApplicationProtocol.self,
            synonyms: ["https": "tls", "http2": "h2c", "tcp": "opaque"]
        )
    }
}

extension RuleMatch {
    /// The key that asks for what only a request tells; `nil` where there is none.
    var keyLookingInside: String? {
        if http != nil { return "http" }
        return mcp == nil ? nil : "mcp"
    }
}

extension MappingReader {
    /// Reads a `workload`.
    fileprivate mutating func readWorkload(_ match: inout RuleMatch) {
        match.uids = list("uids", of: "integers", readUser).map(Set.init)
        match.namespaces = list("namespaces", of: "namespaces", readKubernetesName).map(Set.init)
        match.serviceAccounts = list("service_accounts", of: "service accounts", readKubernetesName).map(Set.init)
        match.clientBlocks = list("addresses", of: "address blocks", readCIDR)
        refuseEmpty(
            "workload",
            wouldMatch: "every workload",
            remedy: "name `uids`, `namespaces`, `service_accounts` or `addresses`, or remove it"
        )
    }
}

/// Reads an item of `uids`: the number of a user.
private func readUser(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> UInt32 {
    if case .string = node.content {
        var problem = node.mistyped(subject, expected: "an integer")
        problem.remedy = "write the user's number, such as 1000; names of users are not known here"
        throw problem
    }
    // The highest number means "no user" to the kernel.
    return UInt32(clamping: try node.integer(subject, in: 0...4_294_967_294))
}

/// A name as Kubernetes allows it to namespaces and service accounts (RFC 1123 labels and subdomains).
private func readKubernetesName(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> String {
    let text = try node.string(subject, expected: "a name")
    let isName = text.utf8.allSatisfy { octet in
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }
    guard isName, text.utf8.count <= 253 else {
        throw SourceProblem(
            "\(subject), `\(printable(text))`, is no name that Kubernetes gives",
            at: node.location,
            remedy: "write lower-case letters, digits, hyphens and dots; patterns are not known here"
        )
    }
    return text
}
