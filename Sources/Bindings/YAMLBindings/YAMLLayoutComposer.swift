import SourceDocuments

/// Builds documents with their layout from events.
struct YAMLLayoutComposer: ~Copyable {
    private var events: YAMLEvents
    private let offsets: CharacterOffsets
    private let limits: YAMLLimits
    private var problems: [SourceProblem] = []
    private var nodes = 0
    /// What each anchor of the document stands for, with the number of values in it.
    private var anchors: [String: (node: LayoutNode, nodes: Int)] = [:]

    init(_ events: consuming YAMLEvents, limits: YAMLLimits) {
        offsets = CharacterOffsets(events.text.bytes)
        self.events = events
        self.limits = limits
    }

    /// Reads to the end of the stream.
    mutating func documents() throws(SourceProblems) -> [LayoutNode] {
        var documents: [LayoutNode] = []
        do throws(SourceProblem) {
            while try events.nextDocument() != nil {
                anchors = [:]
                documents.append(try node(from: try events.next(), depth: 1))
            }
        } catch {
            problems.append(error)
        }
        guard problems.isEmpty else { throw SourceProblems(inOrder: problems) }
        return documents
    }

    private mutating func node(from event: YAMLEvent, depth: Int) throws(SourceProblem) -> LayoutNode {
        let before = nodes
        try count(1, at: event.location)
        if case .alias(let name) = event.kind { return try aliased(name, event) }
        var node = LayoutNode(.scalar("", .plain), at: event.location, range: offsets.bytes(event.characters))
        node.content = try content(of: event, depth: depth, range: &node.range)
        node.anchor = event.anchor
        node.tag = event.tag
        if let anchor = event.anchor { anchors[anchor] = (node, nodes - before) }
        return node
    }

    private mutating func content(
        of event: YAMLEvent,
        depth: Int,
        range: inout Range<Int>
    ) throws(SourceProblem) -> LayoutNode.Content {
        let style: LayoutNode.CollectionStyle = event.style == .flow ? .flow : .block
        switch event.kind {
        case .scalar(let text, _):
            return .scalar(text, event.scalarStyle)
        case .sequenceStart:
            try limits.check(depth: depth, at: event.location)
            let (items, end) = try items(depth: depth + 1)
            range = range.lowerBound..<(style == .flow ? end : items.last?.range.upperBound ?? range.upperBound)
            return .sequence(items, style)
        case .mappingStart:
            try limits.check(depth: depth, at: event.location)
            let (entries, end) = try entries(depth: depth + 1, style)
            let last = entries.last.map { max($0.keyRange.upperBound, $0.value.range.upperBound) }
            range = range.lowerBound..<(style == .flow ? end : last ?? range.upperBound)
            return .mapping(entries, style)
        // None of these begins a value.
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd, .alias:
            throw SourceProblem("expected a value", at: event.location)
        }
    }

    private mutating func aliased(_ name: String, _ event: YAMLEvent) throws(SourceProblem) -> LayoutNode {
        guard let anchored = anchors[name] else {
            throw SourceProblem("the alias `*\(name)` stands for nothing that is complete", at: event.location)
        }
        try count(anchored.nodes, at: event.location)
        var node = anchored.node
        node.location = event.location
        node.range = offsets.bytes(event.characters)
        node.anchor = nil
        node.alias = name
        return node
    }

    /// The items, and where the closing bracket ends.
    private mutating func items(depth: Int) throws(SourceProblem) -> ([LayoutNode], Int) {
        var items: [LayoutNode] = []
        while true {
            let event = try events.next()
            if event.kind == .sequenceEnd { return (items, offsets.bytes(event.characters).upperBound) }
            items.append(try node(from: event, depth: depth))
        }
    }

    /// The entries, and where the closing bracket ends.
    private mutating func entries(
        depth: Int,
        _ layout: LayoutNode.CollectionStyle
    ) throws(SourceProblem) -> ([LayoutNode.Entry], Int) {
        var entries: [LayoutNode.Entry] = []
        var places: [String: SourceLocation] = [:]
        while true {
            let event = try events.next()
            if event.kind == .mappingEnd { return (entries, offsets.bytes(event.characters).upperBound) }
            let key = try node(from: event, depth: depth)
            let value = try node(from: try events.next(), depth: depth)
            guard case .scalar(let text, let style) = key.content else {
                problems.append(SourceProblem("a key is no text, expected text", at: event.location))
                continue
            }
            // A tag can make another key of it: `!!binary` says `hostNetwork` in base64, `!!merge` is `<<` in quotes.
            if let tag = key.tag {
                problems.append(
                    SourceProblem(
                        "the tag `\(tag)` in front of a key hides what it says",
                        at: event.location,
                        remedy: "remove it"
                    )
                )
                continue
            }
            if let first = places[text] {
                problems.append(.duplicateKey(text, at: event.location, first: first))
                continue
            }
            places[text] = event.location
            entries.append(
                LayoutNode.Entry(
                    key: text,
                    keyLocation: event.location,
                    keyRange: key.range,
                    isMerge: text == "<<" && style == .plain,
                    isExplicit: isExplicit(key.range, layout),
                    value: value
                )
            )
        }
    }

    /// True of a key with a `?` in front of it on its line, or in lines without its colon behind it.
    private func isExplicit(_ key: Range<Int>, _ layout: LayoutNode.CollectionStyle) -> Bool {
        let bytes = events.text.bytes
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        if bytes[..<key.lowerBound].last(where: { !isSpace($0) }) == UInt8(ascii: "?") { return true }
        return layout == .block && bytes[key.upperBound...].first { !isSpace($0) } != UInt8(ascii: ":")
    }

    private mutating func count(_ more: Int, at location: SourceLocation) throws(SourceProblem) {
        nodes += more
        try limits.check(nodes: nodes, at: location)
    }
}

extension YAMLEvent {
    fileprivate var scalarStyle: LayoutNode.ScalarStyle {
        switch style {
        case .plain: .plain
        case .block: .block
        case .quoted, .flow: .quoted
        }
    }
}

extension SourceProblem {
    /// A key that its mapping has already.
    static func duplicateKey(_ key: String, at location: SourceLocation, first: SourceLocation) -> SourceProblem {
        SourceProblem(
            "the key `\(key)` stands here a second time, first at \(first.line):\(first.column)",
            at: location,
            remedy: "keep one of them"
        )
    }
}

/// Where the characters of a text begin, in bytes.
struct CharacterOffsets {
    private let count: Int
    /// Empty where every character is one byte.
    private let starts: [Int]

    init(_ bytes: [UInt8]) {
        count = bytes.count
        let isASCII = bytes.allSatisfy { $0 < 0x80 }
        // Every octet but the continuation octets of UTF-8 begins a character.
        starts = isASCII ? [] : bytes.indices.filter { bytes[$0] & 0xc0 != 0x80 }
    }

    func bytes(_ characters: Range<Int>) -> Range<Int> {
        let start = byte(characters.lowerBound)
        return start..<max(start, byte(characters.upperBound))
    }

    private func byte(_ character: Int) -> Int {
        if starts.isEmpty { return min(character, count) }
        return character < starts.count ? starts[character] : count
    }
}
