/// What is wrong with the content of a secret's file; nothing of it is told.
package enum SecretFault: Error, Hashable, Sendable, CaseIterable {
    /// Less than 8 octets: too few to be told from other text in an answer.
    case tooShort
    /// More than 8192 octets.
    case tooLong
    /// A control character, a second line among them.
    case controlOctet
    /// A character outside ASCII.
    case notASCII
    /// A space at its beginning or its end.
    case spaceAround
}

/// The value of a secret.
///
/// It never prints: descriptions and mirrors of it, and of whatever holds it, say that there is one and nothing more.
package struct Secret: Hashable, Sendable {
    /// What goes into requests, and is looked for in answers; for nothing else.
    package let octets: [UInt8]

    /// The bounds of a length, in octets.
    package static let lengths = 8...8192

    /// Takes the content of a file: one line of printable ASCII; a line end behind it is not part of it.
    package init(fileContent: [UInt8]) throws(SecretFault) {
        var octets = fileContent[...]
        if octets.last == UInt8(ascii: "\n") { octets = octets.dropLast() }
        if octets.last == UInt8(ascii: "\r") { octets = octets.dropLast() }
        for octet in octets {
            if octet > 0x7e { throw octet == 0x7f ? .controlOctet : .notASCII }
            if octet < 0x20 { throw .controlOctet }
        }
        guard octets.count >= Self.lengths.lowerBound else { throw .tooShort }
        guard octets.count <= Self.lengths.upperBound else { throw .tooLong }
        guard octets.first != UInt8(ascii: " "), octets.last != UInt8(ascii: " ") else { throw .spaceAround }
        self.octets = Array(octets)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
