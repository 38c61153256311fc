/// The members of a JSON object as they are written: compact, in printable ASCII, in the order of the calls.
///
/// All but printable ASCII is written as `\uXXXX`, and so are quote and backslash with their short forms: no control byte,
/// line separator, terminal sequence or bidirectional override reaches whoever shows a line, and no text can end a line or
/// a string.
package struct JSONMembers: Sendable {
    package private(set) var bytes: [UInt8] = []
    private let limits: RecordLimits

    /// Starts without members; `capacity` bytes are set aside at once.
    package init(reserving capacity: Int, limits: RecordLimits) {
        bytes.reserveCapacity(capacity)
        self.limits = limits
    }

    /// Adds a text.
    ///
    /// Names are ours and are written as they are.
    package mutating func text(_ name: String, _ value: String) {
        begin(name)
        append(quoted: value)
    }

    /// Adds a text, or `null`.
    package mutating func text(_ name: String, orNull value: String?) {
        begin(name)
        if let value { append(quoted: value) } else { bytes.append(contentsOf: "null".utf8) }
    }

    /// Adds a whole number.
    package mutating func number(_ name: String, _ value: UInt64) {
        begin(name)
        bytes.append(decimal: value)
    }

    /// Adds a whole number, or `null`.
    package mutating func number(_ name: String, orNull value: UInt64?) {
        begin(name)
        if let value { bytes.append(decimal: value) } else { bytes.append(contentsOf: "null".utf8) }
    }

    /// Adds `true`.
    ///
    /// What is not so is left out.
    package mutating func flag(_ name: String) {
        begin(name)
        bytes.append(contentsOf: "true".utf8)
    }

    /// Adds an identifier.
    package mutating func identifier(_ name: String, _ value: RecordIdentifier) {
        begin(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(identifier: value)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a list of texts, as many as the limits keep.
    package mutating func texts(_ name: String, _ values: [String]) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.prefix(limits.listItems).enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(quoted: value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Adds an object with the members that `body` adds.
    package mutating func object(_ name: String, _ body: (inout JSONMembers) -> Void) {
        begin(name)
        bytes.append(UInt8(ascii: "{"))
        body(&self)
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func begin(_ name: String) {
        // Only an opened object leaves a brace at the end: a text ends in a quote, a closed object in the other brace.
        if let last = bytes.last, last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: name.utf8)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(quoted value: String) {
        bytes.append(UInt8(ascii: "\""))
        if value.utf8.count <= limits.textBytes, isPlain(value) {
            bytes.append(contentsOf: value.utf8)
        } else {
            append(escaped: value)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether every byte may stand between quotes as it is.
    ///
    /// Nearly every text is so, and is then copied whole.
    private func isPlain(_ value: String) -> Bool {
        let span = value.utf8.span
        for index in span.indices where !isPlain(span[index]) { return false }
        return true
    }

    private func isPlain(_ byte: UInt8) -> Bool {
        byte &- 0x20 <= 0x5E && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private mutating func append(escaped value: String) {
        let tooLong = value.utf8.count > limits.textBytes
        // Three bytes of what is kept are the ellipsis that says so.
        var room = tooLong ? limits.textBytes - 3 : limits.textBytes
        for scalar in value.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            append(scalar)
        }
        if tooLong { append("\u{2026}") }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        if scalar.isASCII, isPlain(UInt8(truncatingIfNeeded: scalar.value)) {
            bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            return
        }
        switch scalar {
        case "\"": bytes.append(contentsOf: "\\\"".utf8)
        case "\\": bytes.append(contentsOf: "\\\\".utf8)
        default:
            // One UTF-16 unit, or the surrogate pair (RFC 8259, section 7).
            for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { append(escapedUnit: unit) }
        }
    }

    private mutating func append(escapedUnit unit: UInt16) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] { bytes.append(hexadecimalDigit(UInt8(truncatingIfNeeded: unit >> shift) & 15)) }
    }
}

private func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
}
