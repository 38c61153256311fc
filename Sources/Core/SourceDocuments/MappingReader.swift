/// Reads the keys of one mapping, and collects everything that is wrong with them.
///
/// Each key that the mapping may have is asked for once, whether it is there or not; a key that nobody asked for is an error.
/// A getter gives `nil` where the key is absent or wrong; `problems` tells the two apart, and the caller need not.
/// ```swift
/// let listener = try MappingReader.read(document, as: "the document") { reader -> Listener? in
///     let port = reader.integer("port", .required, in: 1...65535)
///     let address = reader.string("address")
///     return port.map { Listener(port: $0, address: address ?? "127.0.0.1") }
/// }
/// ```
package struct MappingReader: ~Copyable {
    /// Where the mapping begins.
    package let location: SourceLocation
    private let entries: [SourceNode.Entry]
    private var asked: [String] = []
    /// Those of `asked` that are no keys of this mapping: they have a complaint of their own.
    private var dismissed: [String] = []
    private var problems: [SourceProblem] = []
    /// What is said of an unknown key that is near none; `nil` to name the keys, where they are few.
    package var remedyForUnknownKeys: String?

    /// Whether a key may be left out.
    package enum Presence: Sendable {
        case optional
        case required
    }

    private init(_ entries: [SourceNode.Entry], at location: SourceLocation) {
        self.entries = entries
        self.location = location
    }

    /// Reads a mapping as a whole.
    ///
    /// - Parameters:
    ///   - node: what should be a mapping.
    ///   - subject: how a message names it: "the document".
    ///   - body: asks for every key; gives `nil` only where something was wrong.
    /// - Returns: what `body` made.
    /// - Throws: every problem found, in the order of the text.
    package static func read<Value>(
        _ node: SourceNode,
        as subject: String,
        _ body: (inout MappingReader) -> Value?
    ) throws(SourceProblems) -> Value {
        var problems: [SourceProblem] = []
        let value = read(node, as: subject, noting: &problems, body)
        guard problems.isEmpty else { throw SourceProblems(inOrder: problems) }
        guard let value else { throw SourceProblems([SourceProblem("\(subject) cannot be read", at: node.location)]) }
        return value
    }

    /// Reads a mapping as a whole, for a caller that collects the problems of several.
    package static func read<Value>(
        _ node: SourceNode,
        as subject: String,
        noting problems: inout [SourceProblem],
        _ body: (inout MappingReader) -> Value?
    ) -> Value? {
        guard case .mapping(let entries) = node.content else {
            problems.append(node.mistyped(subject, expected: "a mapping"))
            return nil
        }
        var reader = MappingReader(entries, at: node.location)
        let value = body(&reader)
        reader.noteUnknownKeys()
        problems += reader.problems
        return value
    }

    /// Notes a problem that the caller found.
    package mutating func note(_ problem: SourceProblem) {
        problems.append(problem)
    }

    /// True where the mapping has no key at all.
    package var isEmpty: Bool { entries.isEmpty }

    /// The keys, in the order of the text, for a mapping whose keys are not known beforehand.
    package var keys: [String] { entries.map(\.key) }

    /// Where the key itself stands; where the mapping begins if it is not there.
    package func keyLocation(of key: String) -> SourceLocation {
        entry(key)?.keyLocation ?? location
    }

    /// Where the key's value stands; where the mapping begins if there is none.
    ///
    /// It does not count as asking for the key.
    package func location(of key: String) -> SourceLocation {
        entry(key)?.value.location ?? location
    }

    /// The value of the key, as it stands in the text.
    ///
    /// It does not count as asking for the key.
    package func value(of key: String) -> SourceNode? {
        entry(key)?.value
    }

    /// True where the key is there, right or wrong.
    ///
    /// It does not count as asking for the key.
    package func has(_ key: String) -> Bool {
        entry(key) != nil
    }

    /// The value of a key, as it stands in the text.
    package mutating func node(_ key: String, _ presence: Presence = .optional) -> SourceNode? {
        asked.append(key)
        if let entry = entry(key) { return entry.value }
        if presence == .required { note(SourceProblem("the key `\(key)` is missing", at: location)) }
        return nil
    }

    /// A value, as `convert` reads it.
    ///
    /// `convert` is given the node and the name that a message calls it by, and throws what is wrong with it.
    package mutating func value<Value>(
        _ key: String,
        _ presence: Presence = .optional,
        _ convert: (SourceNode, String) throws(SourceProblem) -> Value
    ) -> Value? {
        guard let node = node(key, presence) else { return nil }
        return noting { () throws(SourceProblem) in try convert(node, "`\(key)`") }
    }

    /// A list, each item as `convert` reads it; an item that it refuses is noted and left out.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - presence: whether it may be left out.
    ///   - expected: the plural for the message: "integers".
    ///   - convert: is given the item and the name that a message calls it by.
    /// - Returns: the items that could be read; `nil` where there is no list.
    package mutating func list<Item>(
        _ key: String,
        _ presence: Presence = .optional,
        of expected: String,
        _ convert: (SourceNode, String) throws(SourceProblem) -> Item
    ) -> [Item]? {
        let items = value(key, presence) { node, subject throws(SourceProblem) in
            try node.items(subject, of: expected)
        }
        guard let items else { return nil }
        var values: [Item] = []
        for (index, item) in items.enumerated() {
            let subject = "item \(index + 1) of `\(key)`"
            if let value = noting({ () throws(SourceProblem) in try convert(item, subject) }) { values.append(value) }
        }
        return values
    }

    /// A mapping below this one, read by a reader of its own.
    package mutating func mapping<Value>(
        _ key: String,
        _ presence: Presence = .optional,
        _ body: (inout MappingReader) -> Value?
    ) -> Value? {
        guard let node = node(key, presence) else { return nil }
        return Self.read(node, as: "`\(key)`", noting: &problems, body)
    }

    /// A list of mappings, each read by a reader of its own; one that gives `nil` is left out.
    package mutating func mappings<Value>(
        _ key: String,
        _ presence: Presence = .optional,
        _ body: (inout MappingReader) -> Value?
    ) -> [Value]? {
        let items = value(key, presence) { node, subject throws(SourceProblem) in
            try node.items(subject, of: "mappings")
        }
        guard let items else { return nil }
        var values: [Value] = []
        for (index, item) in items.enumerated() {
            let subject = "item \(index + 1) of `\(key)`"
            if let value = Self.read(item, as: subject, noting: &problems, body) { values.append(value) }
        }
        return values
    }

    /// Refuses a key of the language that this build does not carry out.
    ///
    /// It is distinct from an unknown key: nothing is misspelt.
    package mutating func notYet(_ key: String) {
        dismiss(key)
        guard let entry = entry(key) else { return }
        note(SourceProblem("`\(key)` is not supported yet", at: entry.keyLocation, remedy: "remove it"))
    }

    /// Counts a key as asked for although it is none of this mapping: whoever calls complains of it.
    package mutating func dismiss(_ key: String) {
        asked.append(key)
        dismissed.append(key)
    }

    /// True where a key is there that nobody has asked for so far.
    package var hasUnaskedKeys: Bool { entries.contains { !asked.contains($0.key) } }

    private func entry(_ key: String) -> SourceNode.Entry? {
        entries.first { $0.key == key }
    }

    private mutating func noting<Value>(_ convert: () throws(SourceProblem) -> Value) -> Value? {
        do throws(SourceProblem) {
            return try convert()
        } catch {
            problems.append(error)
            return nil
        }
    }

    private mutating func noteUnknownKeys() {
        for entry in entries where !asked.contains(entry.key) {
            let suggestion = nearest(to: entry.key, among: asked).map { "did you mean `\($0)`?" }
            let remedy = suggestion ?? remedyForUnknownKeys ?? namesOfKeys
            problems.append(SourceProblem("unknown key `\(entry.key)`", at: entry.keyLocation, remedy: remedy))
        }
    }

    /// The keys that there are, for a message; `nil` where they are more than anybody reads.
    private var namesOfKeys: String? {
        let keys = asked.filter { !dismissed.contains($0) }
        guard (1...12).contains(keys.count) else { return nil }
        return keys.count == 1 ? "the only key here is \(keys[0])" : "the keys here are \(keys.joined(separator: ", "))"
    }
}
