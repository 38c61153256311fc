/// A JSON text that was read whole and found sound; its values are decoded when somebody asks.
package struct JSONDocument: Sendable {
    fileprivate let bytes: [UInt8]
    fileprivate let nodes: [JSONNode]

    /// Reads a text as RFC 8259 has it, and more strictly where it leaves a choice: names of one object differ, no half of
    /// a surrogate pair stands alone, and no byte order mark comes first.
    ///
    /// - Throws: what is wrong first, except that the encoding is looked at before anything else.
    package init(_ bytes: [UInt8], limits: JSONLimits) throws(JSONViolation) {
        var reader = JSONReader(limits: limits)
        try reader.read(bytes.span)
        self.bytes = bytes
        nodes = reader.nodes
    }

    /// The one value that the text is.
    package var root: JSONValue { JSONValue(document: self, index: 0) }
}

/// A value of a document.
package struct JSONValue: Sendable {
    /// What a value may be.
    package enum Kind: Hashable, Sendable {
        case object
        case array
        case string
        case number
        case boolean
        case null
    }

    private let document: JSONDocument
    private let index: Int

    fileprivate init(document: JSONDocument, index: Int) {
        self.document = document
        self.index = index
    }

    private var node: JSONNode { document.nodes[index] }

    package var kind: Kind {
        switch node.kind {
        case .object: .object
        case .array: .array
        case .string, .escapedString: .string
        case .number: .number
        case .yes, .no: .boolean
        case .null: .null
        }
    }

    /// Where it stands in the text, quotes and braces with it.
    package var range: Range<Int> { Int(node.start)..<Int(node.end) }

    /// Its own bytes, as they stand in the text.
    package var source: ArraySlice<UInt8> { document.bytes[range] }

    /// What a string says; nil for anything else.
    package var text: String? {
        guard kind == .string else { return nil }
        return String(decoding: document.nodes.text(of: index, document.bytes.span), as: UTF8.self)
    }

    /// A truth value; nil for anything else.
    package var boolean: Bool? {
        guard kind == .boolean else { return nil }
        return node.kind == .yes
    }

    /// A whole number without sign, point and exponent; nil for anything else and where it is too large.
    package var wholeNumber: UInt64? {
        // A minus sign is turned away here: "-0" would be read as 0.
        guard kind == .number, source.first != UInt8(ascii: "-") else { return nil }
        return UInt64(String(decoding: source, as: UTF8.self))
    }

    /// The elements of an array in their order; none for anything else.
    package var elements: Children { Children(document, kind == .array ? index : nil) }

    /// The names and the values of an object in the order of the text; none for anything else.
    package var members: Members { Members(names: Children(document, kind == .object ? index : nil)) }

    /// The value of an object's member; nil where there is none, and for anything else.
    package func member(_ name: String) -> JSONValue? {
        let name = name.utf8.span
        for (candidate, value) in members where candidate.isText(name) { return value }
        return nil
    }

    private func isText(_ other: Span<UInt8>) -> Bool {
        let bytes = document.bytes.span
        guard node.kind == .escapedString else {
            return bytes.extracting(document.nodes.content(of: index)).isSame(as: other)
        }
        return document.nodes.text(of: index, bytes).span.isSame(as: other)
    }

    /// The values right inside of an array or an object, an object's names among them.
    package struct Children: Sequence, IteratorProtocol {
        private let document: JSONDocument
        private var index: Int
        private let end: Int

        fileprivate init(_ document: JSONDocument, _ container: Int?) {
            self.document = document
            index = container.map { $0 + 1 } ?? 0
            end = container.map { Int(document.nodes[$0].next) } ?? 0
        }

        /// The next one; nil after the last.
        package mutating func next() -> JSONValue? {
            guard index < end else { return nil }
            defer { index = Int(document.nodes[index].next) }
            return JSONValue(document: document, index: index)
        }
    }

    /// The members of an object.
    package struct Members: Sequence, IteratorProtocol {
        private var names: Children

        fileprivate init(names: Children) {
            self.names = names
        }

        /// The next name, which is a string, and its value; nil after the last.
        package mutating func next() -> (name: JSONValue, value: JSONValue)? {
            guard let name = names.next(), let value = names.next() else { return nil }
            return (name, value)
        }
    }
}
