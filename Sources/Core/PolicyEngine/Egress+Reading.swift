import SourceDocuments

extension MappingReader {
    /// Reads `egress`: the name of a way out, or a list of those that are tried one after the other.
    ///
    /// - Returns: `nil` where none is stated; empty for `direct` alone.
    mutating func egress(_ limits: LoadingLimits) -> EgressList? {
        value("egress") { node, subject throws(SourceProblem) in
            let list = try readEgress(node, subject, limits)
            return list == [.direct] ? [] : list
        }
    }
}

private let expected = "the name of a way out, or a list of them"

private func readEgress(_ node: SourceNode, _ subject: String, _ limits: LoadingLimits) throws(SourceProblem)
    -> EgressList
{
    guard case .sequence(let items) = node.content else {
        return [try readWay(node, subject, limits)]
    }
    var list: EgressList = []
    for (index, item) in items.enumerated() {
        let way = try readWay(item, "item \(index + 1) of \(subject)", limits)
        guard !list.contains(way) else {
            throw SourceProblem("`\(way)` is in \(subject) already", at: item.location, remedy: "name it once")
        }
        list.append(way)
    }
    guard !list.isEmpty else {
        throw SourceProblem("\(subject) is empty, expected \(expected)", at: node.location, remedy: "name one")
    }
    // Each may cost a connection attempt in full.
    guard list.count <= 4 else {
        throw SourceProblem("\(subject) has \(list.count) items, expected 4 at most", at: node.location)
    }
    if list.count > 1, let hole = list.first(where: { $0.kind == .nowhere }) {
        throw SourceProblem(
            "`\(hole)` is a blackhole: it never fails, and nothing else belongs beside it",
            at: node.location,
            remedy: "name it alone, or leave it out"
        )
    }
    return list
}

private func readWay(_ node: SourceNode, _ subject: String, _ limits: LoadingLimits) throws(SourceProblem) -> Egress {
    let text = try node.string(subject, expected: expected)
    guard let name = EgressName(text) else {
        throw SourceProblem(
            "\(subject) is no name of a way out",
            at: node.location,
            remedy: "write at most 64 lower-case letters, digits, `-`, `_` and `.`"
        )
    }
    if name == .direct { return .direct }
    // Where nobody knows them, every name is taken.
    guard let ways = limits.egress else { return Egress(name, .here) }
    if let kind = ways[name] { return Egress(name, kind) }
    let known = ["direct"] + ways.keys.map(\.text).sorted()
    let meant = nearest(to: text, among: known)
    let those = known.map { "`\($0)`" }.joined(separator: ", ")
    throw SourceProblem(
        "the configuration has no way out `\(text)`",
        at: node.location,
        remedy: meant.map { "did you mean `\($0)`?" }
            ?? "name one of \(those), or have the operator add it to `egress` in penstock.yaml"
    )
}
