/// Why bytes are no JSON text, and where that shows.
package struct JSONViolation: Error, Hashable, Sendable {
    /// What is wrong; the raw value is the word for it in records and answers.
    package enum Fault: String, Hashable, Sendable, CaseIterable {
        /// There is no value at all.
        case empty
        /// It begins with a byte order mark, which RFC 8259, section 8.1 does not let anybody send.
        case byteOrderMark = "byte_order_mark"
        case invalidUTF8 = "invalid_utf8"
        /// It ends inside of a value.
        case unexpectedEnd = "unexpected_end"
        /// A byte that cannot stand there.
        case unexpectedByte = "unexpected_byte"
        /// A word other than `true`, `false` and `null`.
        case badLiteral = "bad_literal"
        /// A leading zero or plus, no digit before or after the point, or none in the exponent.
        case badNumber = "bad_number"
        /// A backslash before something that it does not stand before.
        case badEscape = "bad_escape"
        /// `\uD800` to `\uDFFF` without its other half.
        case loneSurrogate = "lone_surrogate"
        /// A control character that is not escaped.
        case controlCharacter = "control_character"
        /// Two members of one object have the same name, however it is escaped.
        case duplicateKey = "duplicate_key"
        /// There is more after the value.
        case trailingBytes = "trailing_bytes"
        /// More bytes than the limit.
        case tooLong = "too_long"
        /// Deeper than the limit.
        case tooDeep = "too_deep"
        /// More values than the limit.
        case tooManyValues = "too_many_values"
    }

    package let fault: Fault
    /// The index of the byte that is wrong; the count of bytes where one is missing.
    package let offset: Int

    init(_ fault: Fault, at offset: Int) {
        self.fault = fault
        self.offset = offset
    }
}
