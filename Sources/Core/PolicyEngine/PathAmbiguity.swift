/// Why a path could mean one thing to policy and another to the server.
///
/// The raw values are what records and answers say beside `ambiguous_path`.
package enum PathAmbiguity: String, Error, Hashable, Sendable, CaseIterable {
    /// It does not begin with a slash.
    case noLeadingSlash = "no_leading_slash"
    /// A percent sign without two hexadecimal digits.
    case brokenEncoding = "broken_encoding"
    /// `%2F`.
    case encodedSlash = "encoded_slash"
    /// `\` or `%5C`.
    case backslash
    /// A segment that is `.` or `..`, however it is written.
    case dotSegment = "dot_segment"
    /// A dot, slash or backslash encoded twice, `%252F`: a server that decodes twice reads another path.
    case doubleEncoding = "double_encoding"
    /// Encoded octets that are no UTF-8, overlong forms among them.
    case invalidUTF8 = "invalid_utf8"
    /// NUL, a space or a control character, or one of the latter encoded.
    case controlOctet = "control_octet"
    /// `#`.
    case fragment
    /// `?`, which ends a path.
    case query
    /// An octet outside ASCII that is not percent-encoded.
    case notASCII = "not_ascii"
    /// `//`, where a rule of the policy asks for paths: some servers read it as one slash.
    case emptySegment = "empty_segment"
}
