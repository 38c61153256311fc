import NetworkTypes
import PolicyEngine
import SourceDocuments
import YAMLBindings

/// Loads a policy from the text of one file.
func load(
    _ yaml: String,
    canIntercept: Bool = false
) throws(SourceProblems) -> (policy: Policy, warnings: [SourceProblem]) {
    try Policy.load(readPolicyText(yaml), hash: "sha256:test", canIntercept: canIntercept)
}

/// The documents of a text.
func readPolicyText(_ yaml: String) throws(SourceProblems) -> [SourceNode] {
    try readYAML(Array(yaml.utf8), file: "p.yaml")
}

/// A policy of these rules, in flow style, one a line; the mode and the default may be given.
func policy(_ rules: String, mode: String = "enforce", default defaultAction: String = "deny") throws -> Policy {
    let lines = rules.split(separator: "\n").map { "  - \($0)\n" }.joined()
    return try load(
        """
        apiVersion: penstock/v1
        kind: EgressPolicy
        name: test
        mode: \(mode)
        default: \(defaultAction)
        rules:\(lines.isEmpty ? " []" : "\n" + lines)
        """
    ).policy
}

func address(_ text: String) throws -> IPAddress {
    struct NoAddress: Error {}
    guard let address = IPAddress(text) else { throw NoAddress() }
    return address
}

/// Facts about a TLS connection, unless told otherwise.
func facts(
    _ name: String?,
    port: UInt16 = 443,
    to original: String? = "203.0.113.7",
    speaking spoken: ApplicationProtocol = .tls,
    uid: UInt32? = 1000,
    addresses: [String]? = nil
) throws -> Facts {
    Facts(
        original: try original.map { OriginalDestination(SocketAddress(try address($0), port: port)) },
        port: port,
        opening: .known(spoken, name: try name.map { try HostName($0) }),
        workloadUID: uid,
        addresses: try addresses?.map(address)
    )
}

/// Facts about a connection on which nobody has spoken yet.
func silence(
    port: UInt16 = 443,
    to original: String? = "203.0.113.7",
    uid: UInt32? = 1000,
    addresses: [String]? = nil
) throws -> Facts {
    var facts = try facts(nil, port: port, to: original, uid: uid, addresses: addresses)
    facts.opening = .silent
    return facts
}

func requestMethod(_ text: String) throws -> RequestMethod {
    struct NoMethod: Error {}
    guard let method = RequestMethod(text) else { throw NoMethod() }
    return method
}

/// Facts about a plain HTTP request of which everything is known; `fields` are written `name: value|name: value`.
func request(
    _ method: String,
    _ path: String,
    _ fields: String = "",
    host: String = "x.example",
    addresses: [String]? = nil
) throws -> Facts {
    let occurrences = fields.split(separator: "|").compactMap { field -> RequestField? in
        let parts = field.split(separator: ": ", maxSplits: 1)
        return parts.count == 2 ? RequestField(name: String(parts[0]), value: Array(parts[1].utf8)) : nil
    }
    var facts = try facts(host, port: 80, speaking: .http, addresses: addresses)
    let asked = ["x", "x-api", "x-http-method-override", "x-other", "x-tenant"]
    facts.request = RequestFacts(
        method: try requestMethod(method),
        path: try CanonicalPath(path),
        fields: RequestFields(of: asked, occurrences)
    )
    return facts
}
