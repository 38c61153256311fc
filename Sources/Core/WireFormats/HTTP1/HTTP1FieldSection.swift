/// The field lines of a head or of a trailer section, in order, as ranges of the octets that hold them.
package struct HTTP1FieldSection: Sendable {
    /// The octets, held once: the whole head, or the whole trailer section.
    package let bytes: [UInt8]
    package let lines: ContiguousArray<HTTP1FieldLine>
}

/// Where one field line stands in its section's octets.
package struct HTTP1FieldLine: Hashable, Sendable {
    /// What the name is, if it is one that matters here.
    package let known: HTTP1KnownField
    /// False for a field of this hop alone: it is not written again, or is written anew.
    package var isForwarded: Bool
    private let nameStart: UInt32
    private let nameEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32

    /// A section is far below 2^32 octets long, whatever its limit says.
    init(_ line: FieldLine, in bytes: Span<UInt8>) {
        known = HTTP1KnownField(line.name, in: bytes)
        isForwarded = !known.isOfOneHop
        nameStart = UInt32(truncatingIfNeeded: line.name.lowerBound)
        nameEnd = UInt32(truncatingIfNeeded: line.name.upperBound)
        valueStart = UInt32(truncatingIfNeeded: line.value.lowerBound)
        valueEnd = UInt32(truncatingIfNeeded: line.value.upperBound)
    }

    /// The name as sent.
    package var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    /// The value without the white space around it.
    package var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
}

extension HTTP1FieldSection {
    /// The values of the lines of this name that are forwarded, without the white space around them.
    ///
    /// The name is in lower case. A field that Connection names, and any other of this hop alone, is not among them:
    /// what is judged is what is sent. Host is there as it was received.
    package func values(of name: String) -> [ArraySlice<UInt8>] {
        let span = bytes.span
        var values: [ArraySlice<UInt8>] = []
        for line in lines where line.isForwarded && isText(name, in: line.name, of: span) {
            values.append(bytes[line.value])
        }
        return values
    }

    /// The members of all Upgrade fields, in lower case.
    var upgradeNames: [String] {
        var names: [String] = []
        for line in lines where line.known == .upgrade {
            for member in bytes[line.value].split(separator: UInt8(ascii: ",")) {
                let name = member.filter { !isBlank($0) }.map(lowerCased)
                if !name.isEmpty { names.append(text(of: name.span)) }
            }
        }
        return names
    }
}
