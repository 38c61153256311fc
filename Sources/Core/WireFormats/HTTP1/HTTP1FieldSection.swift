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
    let nameStart: UInt32
    let nameEnd: UInt32
    let valueStart: UInt32
    let valueEnd: UInt32
}

extension HTTP1FieldLine {
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
        fatalError("to come")
    }
}
