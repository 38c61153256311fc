import SourceDocuments

/// What one document says.
struct PolicyFragment {
    var name: String
    var mode: Located<PolicyMode>?
    var defaultAction: Located<DefaultAction>?
    /// By which ways goes out what no rule says otherwise of.
    var egress: Located<EgressList>?
    var rules: [LocatedRule]

    private enum APIVersion: String, CaseIterable {
        case first = "penstock/v1"
    }

    private enum Kind: String, CaseIterable {
        case egressPolicy = "EgressPolicy"
    }

    /// A policy's name goes into records and terminals, as a rule's does.
    private static func policyName(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> String {
        let text = try node.string(subject)
        if let name = RuleName(text) { return name.text }
        throw SourceProblem(
            "\(subject) is no name of a policy",
            at: node.location,
            remedy: "write at most 128 printable ASCII characters"
        )
    }

    /// Reads a document; `nil` where it is none, and then the problems are noted.
    static func read(
        _ document: SourceNode,
        _ limits: LoadingLimits,
        noting problems: inout [SourceProblem]
    ) -> PolicyFragment? {
        MappingReader.read(document, as: "the document", noting: &problems) { reader in
            _ = reader.choice("apiVersion", .required, of: APIVersion.self)
            _ = reader.choice("kind", .required, of: Kind.self)
            let name = reader.value("name", .required, policyName)
            let mode = reader.choice("mode", of: PolicyMode.self)
            let defaultAction = reader.choice("default", of: DefaultAction.self)
            let egress = reader.egress(limits)
            let rules = reader.mappings("rules", .required) { LocatedRule.read(&$0, limits) }
            _ = reader.value("extends", .optional, readExtended)
            return PolicyFragment(
                name: name ?? "",
                mode: mode.map { Located(value: $0, location: reader.location(of: "mode")) },
                defaultAction: defaultAction.map { Located(value: $0, location: reader.location(of: "default")) },
                egress: egress.map { Located(value: $0, location: reader.location(of: "egress")) },
                rules: rules ?? []
            )
        }
    }
}
