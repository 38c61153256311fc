/// Reads a JSON text (RFC 8259) into nodes, in the order of the text.
///
/// No value is decoded, and nothing recurses: the depth is bounded by the limits alone. The members of an object are its
/// name and its value in turn.
struct JSONReader {
    private let limits: JSONLimits
    private(set) var nodes: [JSONNode] = []
    /// The nodes of the objects and arrays that are not closed yet, the innermost last.
    private var open: [Int] = []
    private var position = 0

    init(limits: JSONLimits) {
        self.limits = limits
    }

    /// Reads exactly one value, with nothing but white space around it.
    mutating func read(_ bytes: Span<UInt8>) throws(JSONViolation) {
        // Positions are kept in 32 bits.
        let mostBytes = min(limits.bytes, Int(UInt32.max))
        guard bytes.count <= mostBytes else { throw JSONViolation(.tooLong, at: mostBytes) }
        try checkEncoding(bytes)
        skipWhitespace(bytes)
        guard position < bytes.count else { throw JSONViolation(.empty, at: position) }
        try readValue(bytes)
        while let container = open.last { try readOn(in: container, bytes) }
        skipWhitespace(bytes)
        guard position == bytes.count else { throw violation(.trailingBytes) }
    }

    private func checkEncoding(_ bytes: Span<UInt8>) throws(JSONViolation) {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw JSONViolation(.byteOrderMark, at: 0)
        }
        do {
            _ = try UTF8Span(validating: bytes)
        } catch {
            throw JSONViolation(.invalidUTF8, at: error.byteOffsets.lowerBound)
        }
    }

    /// Reads the next element or member of an object or an array, or closes it.
    private mutating func readOn(in container: Int, _ bytes: Span<UInt8>) throws(JSONViolation) {
        skipWhitespace(bytes)
        let isObject = nodes[container].kind == .object
        let byte = try peek(bytes)
        if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            position += 1
            return try close(container, bytes)
        }
        if nodes.count > container + 1 {
            try expect(UInt8(ascii: ","), bytes)
            skipWhitespace(bytes)
        }
        if isObject {
            guard try peek(bytes) == UInt8(ascii: "\"") else { throw violation(.unexpectedByte) }
            try readString(bytes)
            skipWhitespace(bytes)
            try expect(UInt8(ascii: ":"), bytes)
            skipWhitespace(bytes)
        }
        try readValue(bytes)
    }

    /// Reads a value that has no values inside, or the beginning of one that may.
    private mutating func readValue(_ bytes: Span<UInt8>) throws(JSONViolation) {
        switch try peek(bytes) {
        case UInt8(ascii: "{"): try begin(.object)
        case UInt8(ascii: "["): try begin(.array)
        case UInt8(ascii: "\""): try readString(bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try readNumber(bytes)
        case UInt8(ascii: "t"): try readLiteral("true", .yes, bytes)
        case UInt8(ascii: "f"): try readLiteral("false", .no, bytes)
        case UInt8(ascii: "n"): try readLiteral("null", .null, bytes)
        default: throw violation(.unexpectedByte)
        }
    }

    private mutating func begin(_ kind: JSONNode.Kind) throws(JSONViolation) {
        guard open.count < limits.depth else { throw violation(.tooDeep) }
        open.append(nodes.count)
        let start = position
        position += 1
        try append(kind, from: start)
    }

    private mutating func close(_ container: Int, _ bytes: Span<UInt8>) throws(JSONViolation) {
        open.removeLast()
        nodes[container].end = UInt32(position)
        nodes[container].next = UInt32(nodes.count)
        guard nodes[container].kind == .object else { return }
        if let repeated = repeatedKey(of: container, nodes, bytes) {
            throw JSONViolation(.duplicateKey, at: Int(nodes[repeated].start))
        }
    }

    private mutating func readString(_ bytes: Span<UInt8>) throws(JSONViolation) {
        let start = position
        position += 1
        var isEscaped = false
        while true {
            let byte = try peek(bytes)
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try append(isEscaped ? .escapedString : .string, from: start)
            case UInt8(ascii: "\\"):
                isEscaped = true
                position = try endOfEscape(at: position, bytes)
            case 0..<0x20: throw violation(.controlCharacter)
            default: position += 1
            }
        }
    }

    private mutating func readNumber(_ bytes: Span<UInt8>) throws(JSONViolation) {
        let start = position
        position = try endOfNumber(at: start, bytes)
        try append(.number, from: start)
    }

    private mutating func readLiteral(
        _ word: StaticString,
        _ kind: JSONNode.Kind,
        _ bytes: Span<UInt8>
    ) throws(JSONViolation) {
        let start = position
        for expected in word.description.utf8 {
            guard position < bytes.count else { throw violation(.unexpectedEnd) }
            guard bytes[position] == expected else { throw violation(.badLiteral) }
            position += 1
        }
        try append(kind, from: start)
    }

    private mutating func append(_ kind: JSONNode.Kind, from start: Int) throws(JSONViolation) {
        guard nodes.count < limits.values, nodes.count < Int(UInt32.max) else {
            throw JSONViolation(.tooManyValues, at: start)
        }
        nodes.append(
            JSONNode(kind: kind, start: UInt32(start), end: UInt32(position), next: UInt32(nodes.count + 1))
        )
    }

    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
            default: return
            }
        }
    }

    private func peek(_ bytes: Span<UInt8>) throws(JSONViolation) -> UInt8 {
        guard position < bytes.count else { throw violation(.unexpectedEnd) }
        return bytes[position]
    }

    private mutating func expect(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONViolation) {
        guard try peek(bytes) == byte else { throw violation(.unexpectedByte) }
        position += 1
    }

    private func violation(_ fault: JSONViolation.Fault) -> JSONViolation {
        JSONViolation(fault, at: position)
    }
}
