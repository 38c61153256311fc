import SourceDocuments

/// Builds documents from events, and collects what is wrong with them.
struct YAMLComposer: ~Copyable {
    private var events: YAMLEvents
    private let limits: YAMLLimits
    private var problems: [SourceProblem] = []
    private var nodes = 0
    /// Of the document that is being read something is left out, without which it would say something else.
    private var isIncomplete = false

    init(_ events: consuming YAMLEvents, limits: YAMLLimits) {
        self.events = events
        self.limits = limits
    }

    /// Reads to the end of the stream, or to the first error of syntax.
    mutating func documents() -> YAMLDocuments {
        var documents: [SourceNode] = []
        do throws(SourceProblem) {
            while let start = try events.nextDocument() {
                if start.kind == .documentStart(hasDirectives: true) {
                    refuse("a directive", at: start.location, remedy: "remove it")
                }
                isIncomplete = false
                let document = try node(from: try events.next(), depth: 1)
                if !isIncomplete { documents.append(document) }
            }
        } catch {
            problems.append(error)
        }
        return YAMLDocuments(documents: documents, problems: problems)
    }

    private mutating func node(from event: YAMLEvent, depth: Int) throws(SourceProblem) -> SourceNode {
        nodes += 1
        try limits.check(nodes: nodes, at: event.location)
        refuseProperties(of: event)
        switch event.kind {
        case .scalar(let text, let isPlain):
            return scalar(text, isPlain: isPlain, at: event.location)
        case .sequenceStart:
            try limits.check(depth: depth, at: event.location)
            return SourceNode(.sequence(try items(depth: depth + 1)), at: event.location)
        case .mappingStart:
            try limits.check(depth: depth, at: event.location)
            return SourceNode(.mapping(try entries(depth: depth + 1)), at: event.location)
        case .alias(let name):
            refuse("the alias `*\(name)`", at: event.location, remedy: "write the value out")
            return SourceNode(.null, at: event.location)
        // None of these begins a value.
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            throw SourceProblem("expected a value", at: event.location)
        }
    }

    private mutating func items(depth: Int) throws(SourceProblem) -> [SourceNode] {
        var items: [SourceNode] = []
        while true {
            let event = try events.next()
            if event.kind == .sequenceEnd { return items }
            items.append(try node(from: event, depth: depth))
        }
    }

    private mutating func entries(depth: Int) throws(SourceProblem) -> [SourceNode.Entry] {
        var entries: [SourceNode.Entry] = []
        var places: [String: SourceLocation] = [:]
        while true {
            let event = try events.next()
            if event.kind == .mappingEnd { return entries }
            let key = try key(from: event, depth: depth)
            let value = try node(from: try events.next(), depth: depth)
            guard let key else { continue }
            if let first = places[key] {
                problems.append(.duplicateKey(key, at: event.location, first: first))
                continue
            }
            places[key] = event.location
            entries.append(SourceNode.Entry(key: key, keyLocation: event.location, value: value))
        }
    }

    /// Reads a key; `nil` where it is none, and then the problem is noted.
    private mutating func key(from event: YAMLEvent, depth: Int) throws(SourceProblem) -> String? {
        guard case .scalar(let text, let isPlain) = event.kind else {
            _ = try node(from: event, depth: depth)
            problems.append(SourceProblem("a key is no text, expected text", at: event.location))
            isIncomplete = true
            return nil
        }
        refuseProperties(of: event)
        if isPlain, text == "<<" {
            refuse("the merge key `<<`", at: event.location, remedy: "write the keys out")
            isIncomplete = true
            return nil
        }
        guard !text.isEmpty else {
            problems.append(SourceProblem("a key is empty, expected text", at: event.location))
            isIncomplete = true
            return nil
        }
        return text
    }

    private mutating func scalar(_ text: String, isPlain: Bool, at location: SourceLocation) -> SourceNode {
        guard isPlain else { return SourceNode(.string(text), at: location) }
        switch PlainScalar(text) {
        case .value(let content): return SourceNode(content, at: location)
        case .refused(let why, let remedy):
            problems.append(SourceProblem("`\(text)` \(why)", at: location, remedy: remedy))
            return SourceNode(.string(text), at: location)
        }
    }

    private mutating func refuseProperties(of event: YAMLEvent) {
        if let anchor = event.anchor {
            refuse("the anchor `&\(anchor)`", at: event.location, remedy: "write the value out wherever it is needed")
        }
        if let tag = event.tag {
            refuse("the tag `\(tag)`", at: event.location, remedy: "remove it; quotes make text of any value")
        }
    }

    private mutating func refuse(_ what: String, at location: SourceLocation, remedy: String) {
        problems.append(SourceProblem("\(what) is not allowed", at: location, remedy: remedy))
    }
}
