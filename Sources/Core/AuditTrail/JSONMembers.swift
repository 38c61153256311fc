/// The members of a JSON object as they are written: compact, in printable ASCII, in the order of the calls.
///
/// All but printable ASCII is written as `\uXXXX`, and quote and backslash with a backslash before them: no control byte,
/// line separator, terminal sequence or bidirectional override reaches whoever shows a line, and no text can end a line or
/// a string.
package struct JSONMembers: Sendable {
    private let limits: RecordLimits
    /// Longer than what is written, so that bytes are stored by index: appending each would check each time whether the
    /// array is shared, which is most of what encoding costs.
    private var storage: [UInt8]
    private var count = 0

    /// Starts without members; `capacity` bytes are set aside at once.
    package init(reserving capacity: Int, limits: RecordLimits) {
        storage = [UInt8](repeating: 0, count: capacity)
        self.limits = limits
    }

    /// The members that were written.
    package consuming func finish() -> [UInt8] {
        storage.removeLast(storage.count - count)
        return storage
    }

    /// The members that were written so far.
    var written: ArraySlice<UInt8> { storage[..<count] }

    /// Starts over without members, in the same memory.
    mutating func startOver() { count = 0 }

    /// Adds a text.
    ///
    /// Names are ours and are written as they are.
    package mutating func text(_ name: String, _ value: String) {
        begin(name)
        put(quoted: value)
    }

    /// Adds a text, or `null`.
    package mutating func text(_ name: String, orNull value: String?) {
        begin(name)
        if let value { put(quoted: value) } else { put("null") }
    }

    /// Adds a whole number.
    package mutating func number(_ name: String, _ value: UInt64) {
        begin(name)
        put(value)
    }

    /// Adds a whole number, or `null`.
    package mutating func number(_ name: String, orNull value: UInt64?) {
        begin(name)
        if let value { put(value) } else { put("null") }
    }

    /// Adds `true`.
    ///
    /// What is not so is left out.
    package mutating func flag(_ name: String) {
        begin(name)
        put("true")
    }

    /// Adds an identifier.
    package mutating func identifier(_ name: String, _ value: RecordIdentifier) {
        begin(name)
        reserve(RecordIdentifier.length + 2)
        var position = count
        var out = storage.mutableSpan
        out.put(UInt8(ascii: "\""), &position)
        out.put(value, &position)
        out.put(UInt8(ascii: "\""), &position)
        count = position
    }

    /// Adds a list of identifiers, all of them.
    package mutating func identifiers(_ name: String, _ values: [RecordIdentifier]) {
        begin(name)
        var list: [UInt8] = [UInt8(ascii: "[")]
        list.reserveCapacity(values.count * (RecordIdentifier.length + 3) + 2)
        for (index, value) in values.enumerated() {
            if index > 0 { list.append(UInt8(ascii: ",")) }
            list.append(UInt8(ascii: "\""))
            list.append(identifier: value)
            list.append(UInt8(ascii: "\""))
        }
        list.append(UInt8(ascii: "]"))
        put(list.span)
    }

    /// Adds a list of texts, as many as the limits keep.
    package mutating func texts(_ name: String, _ values: [String]) {
        begin(name)
        put("[")
        for (index, value) in values.prefix(limits.listItems).enumerated() {
            if index > 0 { put(",") }
            put(quoted: value)
        }
        put("]")
    }

    /// Adds a list of objects, each with the members that `body` adds for its item.
    ///
    /// Its length is the caller's to bound.
    package mutating func objects<Item>(_ name: String, _ items: [Item], _ body: (Item, inout JSONMembers) -> Void) {
        begin(name)
        put("[")
        for (index, item) in items.enumerated() {
            put(index > 0 ? ",{" : "{")
            body(item, &self)
            put("}")
        }
        put("]")
    }

    /// Adds members that were encoded before, at least one.
    mutating func encoded(_ members: borrowing Span<UInt8>) {
        if !isFirst { put(",") }
        put(members)
    }

    /// Adds an object with the members that `body` adds.
    package mutating func object(_ name: String, _ body: (inout JSONMembers) -> Void) {
        begin(name)
        put("{")
        body(&self)
        put("}")
    }
}

extension JSONMembers {
    /// True where no member stands before the next.
    private var isFirst: Bool {
        // Only an opened object leaves a brace at the end: a text ends in a quote, a closed object in the other brace.
        count == 0 || storage[count - 1] == UInt8(ascii: "{")
    }

    /// Writes the comma where there is a member before, the name and the colon.
    mutating func begin(_ name: String) {
        let isFirst = isFirst
        let name = name.utf8.span
        reserve(name.count + 4)
        var position = count
        var out = storage.mutableSpan
        if !isFirst { out.put(UInt8(ascii: ","), &position) }
        out.put(UInt8(ascii: "\""), &position)
        out.put(name, &position)
        out.put(UInt8(ascii: "\""), &position)
        out.put(UInt8(ascii: ":"), &position)
        count = position
    }

    mutating func put(_ text: String) {
        put(text.utf8.span)
    }

    mutating func put(_ bytes: borrowing Span<UInt8>) {
        reserve(bytes.count)
        var position = count
        var out = storage.mutableSpan
        out.put(bytes, &position)
        count = position
    }

    mutating func put(_ value: UInt64) {
        var digits = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        reserve(digits)
        let end = count + digits
        var out = storage.mutableSpan
        rest = value
        for offset in 1...digits {
            out[end - offset] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count = end
    }

    /// Writes a text between quotes.
    private mutating func put(quoted text: String) {
        let bytes = text.utf8.span
        guard bytes.count <= limits.textBytes, bytes.isPlain else {
            put(escaped(text, limits: limits).span)
            return
        }
        reserve(bytes.count + 2)
        var position = count
        var out = storage.mutableSpan
        out.put(UInt8(ascii: "\""), &position)
        out.put(bytes, &position)
        out.put(UInt8(ascii: "\""), &position)
        count = position
    }

    /// Makes room for so many bytes more.
    private mutating func reserve(_ more: Int) {
        let missing = count + more - storage.count
        guard missing > 0 else { return }
        storage.append(contentsOf: repeatElement(0, count: max(missing, storage.count)))
    }
}

extension MutableSpan<UInt8> {
    @inline(__always)
    fileprivate mutating func put(_ byte: UInt8, _ position: inout Int) {
        self[position] = byte
        position += 1
    }

    @inline(__always)
    fileprivate mutating func put(_ bytes: borrowing Span<UInt8>, _ position: inout Int) {
        let length = bytes.count
        // Checked once for all of them, not for each.
        precondition(position >= 0 && position <= count - length, "a text is put where there is room for it")
        for index in 0..<length { self[position + index] = bytes[index] }
        position += length
    }

    /// Writes the 26 characters of an identifier.
    mutating func put(_ identifier: RecordIdentifier, _ position: inout Int) {
        let upper = UInt64(truncatingIfNeeded: identifier.value >> 64)
        let lower = UInt64(truncatingIfNeeded: identifier.value)
        // 130 bits in digits of five: two, and three times eight.
        self[position] = crockfordDigit(UInt8(truncatingIfNeeded: upper >> 61))
        self[position + 1] = crockfordDigit(UInt8(truncatingIfNeeded: upper >> 56) & 31)
        put(eight: crockfordDigits(upper >> 16), at: position + 2)
        put(eight: crockfordDigits(upper << 24 | lower >> 40), at: position + 10)
        put(eight: crockfordDigits(lower), at: position + 18)
        position += RecordIdentifier.length
    }

    /// Writes eight characters, the first of them in the uppermost byte.
    @inline(__always)
    private mutating func put(eight characters: UInt64, at position: Int) {
        // Checked once for all of them, not for each.
        precondition(position >= 0 && position <= count - 8, "an identifier is put where there is room for it")
        for index in 0..<8 {
            self[position + index] = UInt8(truncatingIfNeeded: characters >> (56 - 8 * UInt64(index)))
        }
    }
}

/// The lower forty bits in eight of Crockford's digits, the first in the uppermost byte: all of them are worked out at once, as
/// `crockfordDigit` does it for one.
private func crockfordDigits(_ bits: UInt64) -> UInt64 {
    // Spread out: twenty bits each, then ten, then five in each byte.
    var digits = (bits & 0xFF_FFF0_0000) << 12 | bits & 0xF_FFFF
    digits = (digits & 0x000F_FC00_000F_FC00) << 6 | digits & 0x0000_03FF_0000_03FF
    digits = (digits & 0x03E0_03E0_03E0_03E0) << 3 | digits & 0x001F_001F_001F_001F
    let each: UInt64 = 0x0101_0101_0101_0101
    /// 1 in each byte whose digit is this or more; none of these sums leaves its byte.
    func atLeast(_ digit: UInt64) -> UInt64 { (digits &+ each &* (128 &- digit)) >> 7 & each }
    // Behind 9 come the letters, without I, L, O and U.
    return digits &+ each &* UInt64(UInt8(ascii: "0")) &+ atLeast(10) &* 7 &+ atLeast(18) &+ atLeast(20) &+ atLeast(22)
        &+ atLeast(27)
}
