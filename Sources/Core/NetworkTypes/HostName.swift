/// A DNS host name in the one form that everything compares: lower case, LDH labels, no trailing dot, at most 253 octets.
///
/// It is validated at birth: what is no host name is refused, not repaired (RFC 1123, section 2.1; RFC 5890, section 2.3.1).
package struct HostName: Hashable, Sendable {
    /// The canonical text.
    package let text: String

    /// Why octets are no host name.
    ///
    /// The raw values are the words for it in records and answers.
    package enum Malformed: String, Error, Hashable, Sendable {
        case empty
        /// Over 253 octets.
        case tooLong = "too_long"
        /// A label that is empty, over 63 octets, or begins or ends with a hyphen.
        case badLabel = "bad_label"
        /// NUL, or another control octet.
        case controlOctet = "control_octet"
        /// An octet outside letters, digits, hyphen and dot.
        case notLDH = "not_ldh"
        /// An IP address in any of the forms that some resolver accepts: the last label is a number.
        case addressLiteral = "address_literal"
    }

    /// Validates octets from the wire or from text, and takes their canonical form.
    package init(octets: some Collection<UInt8>) throws(Malformed) {
        var bytes = Array(octets)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw .empty }
        // Control octets are looked for first and everywhere: they are the sign of an attack, and the audit should say so.
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { throw .controlOctet }
        guard bytes.count <= 253 else { throw .tooLong }
        var labelStart = 0
        for index in 0...bytes.count {
            guard index < bytes.count, bytes[index] != UInt8(ascii: ".") else {
                let label = bytes[labelStart..<index]
                guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-")
                else { throw .badLabel }
                if index == bytes.count, isNumeric(label) { throw .addressLiteral }
                labelStart = index + 1
                continue
            }
            switch bytes[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                break
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                bytes[index] |= 0x20
            case UInt8(ascii: ":"), UInt8(ascii: "["):
                throw .addressLiteral
            default:
                throw .notLDH
            }
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    package init(_ text: some StringProtocol) throws(Malformed) {
        try self.init(octets: Array(text.utf8))
    }

    /// True where this name lies below `parent`, at any depth; never for `parent` itself.
    package func isBelow(_ parent: HostName) -> Bool {
        let name = text.utf8
        let suffix = parent.text.utf8
        guard name.count > suffix.count + 1 else { return false }
        let cut = name.index(name.endIndex, offsetBy: -suffix.count)
        return name[name.index(before: cut)] == UInt8(ascii: ".") && name[cut...].elementsEqual(suffix)
    }
}

extension HostName: CustomStringConvertible {
    package var description: String { text }
}

/// What a policy's `hosts` item names: one host, or everything below one.
package enum HostPattern: Hashable, Sendable {
    case exact(HostName)
    /// `*.example.com`: any depth below, never the apex.
    case below(HostName)

    /// Reads `example.com` or `*.example.com`.
    package init(_ text: some StringProtocol) throws(HostName.Malformed) {
        if text.hasPrefix("*.") {
            self = .below(try HostName(text.dropFirst(2)))
        } else {
            self = .exact(try HostName(text))
        }
    }

    package func matches(_ name: HostName) -> Bool {
        switch self {
        case .exact(let host): host == name
        case .below(let parent): name.isBelow(parent)
        }
    }
}

extension HostPattern: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exact(let host): host.text
        case .below(let parent): "*.\(parent.text)"
        }
    }
}

/// Decimal, octal or hexadecimal, as inet_aton reads it: `1`, `0177`, `0x7f`, `0x`.
private func isNumeric(_ label: ArraySlice<UInt8>) -> Bool {
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    if label.allSatisfy(isDigit) { return true }
    guard label.count >= 2, label.first == UInt8(ascii: "0"),
        label[label.startIndex + 1] | 0x20 == UInt8(ascii: "x")
    else { return false }
    return label.dropFirst(2).allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20) }
}
