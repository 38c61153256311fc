/// What keeps bytes from being a line as this module writes them, and where.
package struct MalformedLine: Error, Hashable, Sendable {
    /// The first byte that does not fit, counted from the beginning of the line.
    package let offset: Int
}

/// A member of an object in a line: where its bytes stand.
package struct StoredMember: Hashable, Sendable {
    /// The characters of the name, without quotes.
    package let name: Range<Int>
    /// The value; a text with its quotes.
    package let value: Range<Int>
}

/// Goes through the members of an object in a line.
///
/// It takes exactly the JSON that this module writes: no white space, printable ASCII only, whole numbers, and no escapes
/// but `\"`, `\\` and `\uXXXX`. What another program wrote is malformed, even where it means the same.
package struct MemberWalk: Sendable {
    /// Objects within objects within a line: more than any record has.
    private static let depthLimit = 8

    /// Where the walk stands; behind the object after the last member.
    package private(set) var position: Int
    private var isFirst = true

    /// Starts at the brace that opens the object.
    package init(at start: Int = 0) {
        position = start
    }

    /// The next member; nil where the object ends.
    package mutating func next(in line: borrowing Span<UInt8>) throws(MalformedLine) -> StoredMember? {
        if isFirst { try line.expect("{", &position) }
        if try line.closes("}", &position) { return nil }
        if !isFirst { try line.expect(",", &position) }
        isFirst = false
        let name = try line.skipText(&position)
        try line.expect(":", &position)
        let start = position
        try line.skipValue(&position, depth: Self.depthLimit)
        return StoredMember(name: name.lowerBound + 1..<name.upperBound - 1, value: start..<position)
    }
}

extension Span<UInt8> {
    /// Goes past this character.
    fileprivate func expect(_ character: Unicode.Scalar, _ position: inout Int) throws(MalformedLine) {
        guard position < count, self[position] == UInt8(truncatingIfNeeded: character.value) else {
            throw MalformedLine(offset: position)
        }
        position += 1
    }

    /// Goes past a text and returns where it stands, quotes included.
    fileprivate func skipText(_ position: inout Int) throws(MalformedLine) -> Range<Int> {
        let start = position
        try expect("\"", &position)
        while true {
            position = endOfPlainText(from: position)
            guard position < count else { throw MalformedLine(offset: position) }
            switch self[position] {
            case UInt8(ascii: "\""):
                position += 1
                return start..<position
            case UInt8(ascii: "\\"):
                position += 1
                try skipEscape(&position)
            default: throw MalformedLine(offset: position)
            }
        }
    }

    /// The first byte from `start` on that does not stand for itself in a text.
    ///
    /// It sees nearly every byte of a file, and so looks at eight at once.
    @inline(__always)
    private func endOfPlainText(from start: Int) -> Int {
        var index = start
        while count - index >= 8 {
            let marks = extracting(index..<index + 8).eightBytes.marksOfSpecialBytes
            if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count, self[index] &- 0x20 <= 0x5E, self[index] != UInt8(ascii: "\""),
            self[index] != UInt8(ascii: "\\")
        { index += 1 }
        return index
    }

    /// Eight bytes in one number, the first of them lowest; the compiler makes one load of it.
    @inline(__always)
    private var eightBytes: UInt64 {
        let low = UInt64(self[0]) | UInt64(self[1]) << 8 | UInt64(self[2]) << 16 | UInt64(self[3]) << 24
        let high = UInt64(self[4]) << 32 | UInt64(self[5]) << 40 | UInt64(self[6]) << 48 | UInt64(self[7]) << 56
        return low | high
    }

    /// Goes past what stands behind a backslash.
    private func skipEscape(_ position: inout Int) throws(MalformedLine) {
        guard position < count else { throw MalformedLine(offset: position) }
        switch self[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): position += 1
        case UInt8(ascii: "u"):
            guard count - position >= 5 else { throw MalformedLine(offset: count) }
            for digit in position + 1...position + 4 where !self[digit].isHexadecimal {
                throw MalformedLine(offset: digit)
            }
            position += 5
        default: throw MalformedLine(offset: position)
        }
    }

    fileprivate func skipValue(_ position: inout Int, depth: Int) throws(MalformedLine) {
        guard position < count, depth > 0 else { throw MalformedLine(offset: position) }
        switch self[position] {
        case UInt8(ascii: "\""): _ = try skipText(&position)
        case UInt8(ascii: "{"): try skipObject(&position, depth: depth)
        case UInt8(ascii: "["): try skipList(&position, depth: depth)
        case UInt8(ascii: "t"): try skipWord("true", &position)
        case UInt8(ascii: "f"): try skipWord("false", &position)
        case UInt8(ascii: "n"): try skipWord("null", &position)
        default:
            if self[position] == UInt8(ascii: "-") { position += 1 }
            guard takeNumber(&position) != nil else { throw MalformedLine(offset: position) }
        }
    }

    private func skipWord(_ word: String, _ position: inout Int) throws(MalformedLine) {
        guard skip(word, &position) else { throw MalformedLine(offset: position) }
    }

    private func skipObject(_ position: inout Int, depth: Int) throws(MalformedLine) {
        position += 1
        var isFirst = true
        while try !closes("}", &position) {
            if !isFirst { try expect(",", &position) }
            isFirst = false
            _ = try skipText(&position)
            try expect(":", &position)
            try skipValue(&position, depth: depth - 1)
        }
    }

    private func skipList(_ position: inout Int, depth: Int) throws(MalformedLine) {
        position += 1
        var isFirst = true
        while try !closes("]", &position) {
            if !isFirst { try expect(",", &position) }
            isFirst = false
            try skipValue(&position, depth: depth - 1)
        }
    }

    /// Goes past the bracket that closes, where it is the next.
    fileprivate func closes(_ bracket: Unicode.Scalar, _ position: inout Int) throws(MalformedLine) -> Bool {
        guard position < count else { throw MalformedLine(offset: position) }
        guard self[position] == UInt8(truncatingIfNeeded: bracket.value) else { return false }
        position += 1
        return true
    }
}

extension UInt64 {
    /// The upper bit of each of eight bytes that is no printable ASCII, or a quote, or a backslash.
    ///
    /// Above the lowest mark there may be some that are none.
    @inline(__always)
    fileprivate var marksOfSpecialBytes: UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = self ^ ones &* UInt64(UInt8(ascii: "\""))
        let backslashes = self ^ ones &* UInt64(UInt8(ascii: "\\"))
        let deletes = self ^ ones &* 0x7F
        let below = (self &- ones &* 0x20) & ~self
        let equal = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (deletes &- ones) & ~deletes
        return (self | below | equal) & (ones &* 0x80)
    }
}
