/// The path of a request in the one form that policy compares, and that request, question and policy text all go through.
///
/// It is the path after decoding once, written with one spelling for every octet: what RFC 3986, section 3.3, allows in a
/// segment stands for itself, everything else is percent-encoded in upper case. It is ASCII, and case counts. What reads
/// differently to different servers is refused, not repaired.
package struct CanonicalPath: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    /// True where two slashes follow each other.
    package let hasEmptySegment: Bool

    /// What `OPTIONS *` asks for: the server as a whole, which no path of a policy is.
    package static let server = CanonicalPath(text: "*", hasEmptySegment: false)

    /// Takes the octets of a path as they were received, without query.
    package init(_ octets: Span<UInt8>) throws(PathAmbiguity) {
        guard !octets.isEmpty, octets[0] == UInt8(ascii: "/") else { throw .noLeadingSlash }
        guard !standsForItself(octets) else {
            let hasEmptySegment = try findEmptySegment(octets)
            guard let text = asciiText(octets) else { throw .notASCII }
            self.init(text: text, hasEmptySegment: hasEmptySegment)
            return
        }
        let decoded = try decodePercent(octets)
        try refuseDoubleEncoding(decoded.span)
        let hasEmptySegment = try findEmptySegment(decoded.span)
        self.init(text: encodePercent(decoded.span), hasEmptySegment: hasEmptySegment)
    }

    /// Takes the path of a policy or of a question, which is read as one from the wire is.
    package init(_ text: some StringProtocol) throws(PathAmbiguity) {
        try self.init(Array(text.utf8).span)
    }

    private init(text: String, hasEmptySegment: Bool) {
        self.text = text
        self.hasEmptySegment = hasEmptySegment
    }

    package var description: String { text }
}
