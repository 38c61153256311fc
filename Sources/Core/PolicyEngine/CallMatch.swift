/// What a rule asks of the calls in a request's body, the key `mcp`.
///
/// An empty list holds for nothing.
package struct CallMatch: Hashable, Sendable {
    /// What `tools/call` may name; where `methods` says nothing, no other method holds.
    package var tools: [CallPattern]?
    package var methods: [CallPattern]?

    package init(tools: [CallPattern]? = nil, methods: [CallPattern]? = nil) {
        self.tools = tools
        self.methods = methods
    }
}

/// An item of `tools` or `methods`: a name in which `*` stands for any characters.
package struct CallPattern: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    /// What stands between the asterisks; one piece where there is none.
    private let pieces: [[UInt8]]

    /// How many asterisks a name may have; the work of a comparison grows with it.
    package static let limit = 16

    /// Takes 1 to 256 printable octets of ASCII without a space at either end; `nil` for anything else, and for asterisks
    /// that mean nothing together.
    package init?(_ text: String) {
        let octets = Array(text.utf8)
        guard (1...256).contains(octets.count), octets.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        guard octets.first != UInt8(ascii: " "), octets.last != UInt8(ascii: " "), !text.contains("**") else {
            return nil
        }
        let pieces = octets.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard pieces.count <= Self.limit + 1 else { return nil }
        self.text = text
        self.pieces = pieces.map { Array($0) }
    }

    package var description: String { text }

    /// True where the whole name is one that the pattern stands for, octet by octet.
    package func matches(_ name: String) -> Bool {
        piecesMatch(pieces, Array(name.utf8)[...])
    }

    /// True where it stands for every name that another one does; it may miss some.
    func covers(_ other: CallPattern) -> Bool {
        self == other || text == "*" || (other.pieces.count == 1 && matches(other.text))
    }
}
