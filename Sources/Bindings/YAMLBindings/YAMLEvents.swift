import CYAML
import SourceDocuments

/// One event of libyaml's parser, as values of ours.
struct YAMLEvent {
    var location: SourceLocation
    /// Where it stands in the text, counted in characters from 0.
    var characters: Range<Int> = 0..<0
    /// How it is written.
    var style = Style.plain
    var kind: Kind
    /// The name of the anchor in front, where there is one.
    var anchor: String?
    /// The tag in front, where there is one.
    var tag: String?

    /// How a scalar, a list or a mapping is written.
    enum Style {
        /// A scalar without quotes.
        case plain
        case quoted
        /// A literal or folded scalar; a list or a mapping of lines.
        case block
        /// A list or a mapping in brackets.
        case flow
    }

    enum Kind: Equatable {
        case streamStart
        case streamEnd
        case documentStart(hasDirectives: Bool)
        case documentEnd
        case alias(String)
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
    }
}

/// The events of one YAML text, one after the other.
///
/// Owns libyaml's parser and the copy of the text that it reads; both live exactly as long as this value.
@safe struct YAMLEvents: ~Copyable {
    let text: YAMLText
    /// On the heap, since libyaml keeps the address of the parser inside the parser.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let hasParser: Bool

    init(_ text: YAMLText) {
        self.text = text
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        unsafe input = .allocate(capacity: max(text.bytes.count, 1))
        _ = unsafe input.initialize(from: text.bytes)
        hasParser = unsafe yaml_parser_initialize(parser) == 1
        guard hasParser else { return }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, text.bytes.count)
    }

    deinit {
        if hasParser { unsafe yaml_parser_delete(parser) }
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// Takes the next event.
    ///
    /// - Throws: libyaml's own complaint with its place.
    mutating func next() throws(SourceProblem) -> YAMLEvent {
        guard hasParser else { throw outOfMemory }
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw complaint() }
        defer { unsafe yaml_event_delete(&event) }
        var value = unsafe value(of: event)
        let start = unsafe Int(clamping: event.start_mark.index)
        value.characters = start..<max(start, unsafe Int(clamping: event.end_mark.index))
        value.style = unsafe style(of: event)
        return value
    }

    /// Goes on to where the next document starts; `nil` at the end of the stream.
    mutating func nextDocument() throws(SourceProblem) -> YAMLEvent? {
        while true {
            let event = try next()
            switch event.kind {
            case .streamEnd: return nil
            case .documentStart: return event
            // What stands between documents, and what does not.
            case .streamStart, .documentEnd, .alias, .scalar, .sequenceStart, .sequenceEnd, .mappingStart, .mappingEnd:
                continue
            }
        }
    }

    private func style(of event: yaml_event_t) -> YAMLEvent.Style {
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            switch unsafe event.data.scalar.style {
            case YAML_PLAIN_SCALAR_STYLE: .plain
            case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
            default: .quoted
            }
        case YAML_SEQUENCE_START_EVENT:
            unsafe event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE ? .flow : .block
        case YAML_MAPPING_START_EVENT:
            unsafe event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE ? .flow : .block
        default: .plain
        }
    }

    private func value(of event: yaml_event_t) -> YAMLEvent {
        let location = unsafe location(event.start_mark)
        let bare = { (kind: YAMLEvent.Kind) in YAMLEvent(location: location, kind: kind) }
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return bare(.streamStart)
        case YAML_DOCUMENT_START_EVENT:
            let start = unsafe event.data.document_start
            let hasDirectives = unsafe start.version_directive != nil || start.tag_directives.start != nil
            return bare(.documentStart(hasDirectives: hasDirectives))
        case YAML_DOCUMENT_END_EVENT: return bare(.documentEnd)
        case YAML_ALIAS_EVENT: return bare(.alias(unsafe string(event.data.alias.anchor) ?? ""))
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let octets = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return YAMLEvent(
                location: location,
                kind: .scalar(
                    unsafe String(decoding: octets, as: UTF8.self),
                    isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
                ),
                anchor: unsafe string(scalar.anchor),
                tag: unsafe string(scalar.tag)
            )
        case YAML_SEQUENCE_START_EVENT:
            let sequence = unsafe event.data.sequence_start
            return YAMLEvent(
                location: location,
                kind: .sequenceStart,
                anchor: unsafe string(sequence.anchor),
                tag: unsafe string(sequence.tag)
            )
        case YAML_SEQUENCE_END_EVENT: return bare(.sequenceEnd)
        case YAML_MAPPING_START_EVENT:
            let mapping = unsafe event.data.mapping_start
            return YAMLEvent(
                location: location,
                kind: .mappingStart,
                anchor: unsafe string(mapping.anchor),
                tag: unsafe string(mapping.tag)
            )
        case YAML_MAPPING_END_EVENT: return bare(.mappingEnd)
        // YAML_NO_EVENT, which libyaml gives after the end of the stream.
        default: return bare(.streamEnd)
        }
    }

    private func complaint() -> SourceProblem {
        guard unsafe parser.pointee.error != YAML_MEMORY_ERROR else { return outOfMemory }
        let problem = unsafe string(parser.pointee.problem) ?? "the text is not YAML"
        if unsafe parser.pointee.error == YAML_READER_ERROR {
            return SourceProblem(
                problem,
                at: text.location(ofByte: unsafe Int(clamping: parser.pointee.problem_offset)),
                remedy: "write the file in UTF-8, without control characters"
            )
        }
        let mark = unsafe parser.pointee.problem_mark
        let context = unsafe string(parser.pointee.context).map { " \($0)" } ?? ""
        let remedy: String? =
            if text.character(at: Int(clamping: mark.index)) == "\t" {
                "indent with spaces, not with a tab"
            } else if context.contains("alias") {
                "put text that begins with an asterisk in quotes"
            } else if problem.contains("Unicode character escape") {
                // JSON writes what needs more than four digits as two halves, which YAML does not read.
                "write the character itself; Python's json.dumps does with ensure_ascii=False"
            } else {
                nil
            }
        return SourceProblem(problem + context, at: location(mark), remedy: remedy)
    }

    private var outOfMemory: SourceProblem {
        SourceProblem("out of memory", at: text.location(ofByte: 0))
    }

    private func location(_ mark: yaml_mark_t) -> SourceLocation {
        // libyaml counts from 0.
        SourceLocation(file: text.file, line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }

    private func string(_ pointer: UnsafePointer<CChar>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }

    private func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}
