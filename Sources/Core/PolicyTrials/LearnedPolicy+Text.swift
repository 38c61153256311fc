import NetworkTypes
import PolicyEngine

extension LearnedPolicy {
    /// The policy as YAML, with comments that say how often and when last.
    ///
    /// - Parameter preface: lines for the top, without the mark of a comment.
    /// - Returns: a document that loads.
    package func text(_ preface: [String]) -> String {
        var lines = preface.map(comment)
        lines += [
            "apiVersion: penstock/v1", "kind: EgressPolicy", "name: \(quoted(name))", "mode: enforce", "default: deny",
        ]
        lines.append(rules.isEmpty ? "rules: []" : "rules:")
        for rule in rules { lines += text(rule) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func comment(_ text: String) -> String { text.isEmpty ? "#" : "# \(text)" }

    private func text(_ learned: LearnedRule) -> [String] {
        let match = learned.rule.match
        var lines = learned.comments.map { "  " + comment($0) }
        lines += ["  - name: \(quoted(learned.rule.name.text))", "    match:"]
        if let hosts = match.hosts {
            lines += list("hosts", hosts.map(\.description), learned.sightings)
            lines += match.cidrs.map { list("cidrs", $0.map(\.description), [:]) } ?? []
        } else if let cidrs = match.cidrs {
            lines += list("cidrs", cidrs.map(\.description), learned.sightings)
        }
        if let ports = match.ports { lines.append("      ports: [\(ports.map(portText).joined(separator: ", "))]") }
        if let protocols = match.protocols {
            lines.append("      protocols: [\(protocols.map(\.rawValue).sorted().joined(separator: ", "))]")
        }
        if let sni = match.sni { lines.append("      sni: \(sni.rawValue)") }
        if let http = match.http { lines += text(http) }
        if let mcp = match.mcp { lines += text(mcp) }
        return lines + ["    action: \(learned.rule.action.rawValue)"]
    }

    private func text(_ http: RequestMatch) -> [String] {
        var lines = ["      http:"]
        if let methods = http.methods {
            lines.append("        methods: [\(methods.map { quoted($0.text) }.joined(separator: ", "))]")
        }
        if let paths = http.paths {
            lines.append("        paths:")
            lines += paths.map { "          - \(quoted($0.text))" }
        }
        return lines
    }

    private func text(_ mcp: CallMatch) -> [String] {
        var lines = ["      mcp:"]
        for (key, names) in [("methods", mcp.methods), ("tools", mcp.tools)] {
            guard let names else { continue }
            lines.append("        \(key): [\(names.map { quoted($0.text) }.joined(separator: ", "))]")
        }
        return lines
    }

    private func list(_ key: String, _ items: [String], _ sightings: [String: LearnedTraffic.Sighting]) -> [String] {
        let texts = items.map { "        - \(quoted($0))" }
        let width = texts.map(\.count).max() ?? 0
        let lines = zip(items, texts).map { item, text in
            guard let sighting = sightings[item] else { return text }
            let space = String(repeating: " ", count: width - text.count)
            return
                "\(text)\(space)  # \(sighting.count == 1 ? "once" : "\(sighting.count) times"), last \(sighting.last.prefix(19))Z"
        }
        return ["      \(key):"] + lines
    }
}

/// A scalar of YAML that is read as this text and nothing else.
private func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { octet in
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
    let first = text.utf8.first ?? 0
    let beginsPlainly = (0x41...0x5a).contains(first) || (0x61...0x7a).contains(first) || first == UInt8(ascii: "/")
    let isNumeric =
        (0x30...0x39).contains(first) && text.utf8.contains { $0 == UInt8(ascii: "/") || (0x61...0x7a).contains($0) }
        && text.contains(".")
    let isWord = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
    if isPlain, beginsPlainly || isNumeric, !isWord { return text }
    return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
