/// Policies of the tests.
enum EgressPolicies {
    /// Rules around their head: `mode: enforce`, `default: deny`.
    static func whole(_ rules: String, mode: String = "enforce") -> String {
        guard !rules.hasPrefix("apiVersion") else { return rules }
        return
            "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\nmode: \(mode)\ndefault: deny\nrules:\n\(rules)\n"
    }

    /// Names allowed and denied, and one block by address.
    static let standard = """
          - name: denied-names
            match: { hosts: [denied.example, "*.denied.example"] }
            action: deny
          - name: allowed-names
            match: { hosts: [allowed.example, "*.allowed.example", v6only.example, v4only.example], ports: [80, 443, 8443] }
            action: allow
          - name: by-address
            match: { cidrs: [203.0.113.30/32, "2001:db8:113::30/128"] }
            action: allow
        """
}
