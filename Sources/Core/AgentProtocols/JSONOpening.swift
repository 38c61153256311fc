/// Finds out whether somebody could take octets for JSON: an object or an array, behind what lenient readers pass over.
///
/// Beside the white space of JSON (RFC 8259, section 2) these trim control characters, the white space of Unicode or a byte order
/// mark, some know comments (`#` among them), and Gson passes over `)]}'`. It is given the octets piece by piece and keeps none of them.
package struct JSONOpening: Sendable {
    /// What the octets are read as.
    package enum Form: Sendable {
        /// A text: whatever begins with a bracket is to be read on.
        case text
        /// Coded content, whose first octets can be brackets by chance: an array must go on like one.
        case coded
    }

    private enum State {
        case space
        /// Within a character of several octets; those that came.
        case character(lead: UInt8, second: UInt8?)
        case slash
        case line
        /// Within U+2028 or U+2029, perhaps, which end a line for some.
        case lineEnd(second: UInt8?)
        case block
        case star
        case over
    }

    /// True where an object or an array has begun.
    package private(set) var isOpen = false
    private let form: Form
    private var state = State.space
    private var isInArray = false

    package init(_ form: Form) {
        self.form = form
    }

    /// Reads on.
    package mutating func read(_ octets: borrowing Span<UInt8>) {
        for index in octets.indices {
            if case .over = state { return }
            take(octets[index])
        }
    }

    private mutating func take(_ octet: UInt8) {
        switch state {
        case .over: break
        case .space: begin(octet)
        case .character(let lead, nil): state = .character(lead: lead, second: octet)
        case .character(let lead, let second?): state = isBlank(lead, second, octet) ? .space : .over
        case .slash: state = octet == UInt8(ascii: "*") ? .block : octet == UInt8(ascii: "/") ? .line : .over
        case .line: readOn(lineAt: octet)
        case .lineEnd(nil): state = octet == 0x80 ? .lineEnd(second: octet) : .line
        case .lineEnd: state = octet == 0xA8 || octet == 0xA9 ? .space : .line
        case .block: if octet == UInt8(ascii: "*") { state = .star }
        case .star:
            state = octet == UInt8(ascii: "/") ? .space : octet == UInt8(ascii: "*") ? .star : .block
        }
        // U+0085 and U+00A0 have two octets.
        if case .character(0xC2, let second?) = state { state = second == 0x85 || second == 0xA0 ? .space : .over }
    }

    private mutating func readOn(lineAt octet: UInt8) {
        switch octet {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): state = .space
        case 0xE2: state = .lineEnd(second: nil)
        default: break
        }
    }

    private mutating func begin(_ octet: UInt8) {
        switch octet {
        case 0...0x20, 0x7F: break
        case 0xC2, 0xE1, 0xE2, 0xE3, 0xEF: state = .character(lead: octet, second: nil)
        case UInt8(ascii: "/"): state = .slash
        case UInt8(ascii: "#"): state = .line
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "'"): if isInArray { state = .over }
        case UInt8(ascii: "["): enterArray()
        case UInt8(ascii: "{"): open()
        default: if isInArray, beginsValue(octet) { open() } else { state = .over }
        }
    }

    private mutating func enterArray() {
        switch form {
        case .text: open()
        case .coded: if isInArray { open() } else { isInArray = true }
        }
    }

    private mutating func open() {
        isOpen = true
        state = .over
    }

    /// True for the first octet of a value that is neither an object nor an array.
    private func beginsValue(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "\""), UInt8(ascii: "t"),
            UInt8(ascii: "f"), UInt8(ascii: "n"):
            true
        default: false
        }
    }

    /// True for the characters of three octets that are white space, have no width, or are a byte order mark.
    private func isBlank(_ lead: UInt8, _ second: UInt8, _ third: UInt8) -> Bool {
        switch (lead, second, third) {
        case (0xE1, 0x9A, 0x80), (0xE1, 0xA0, 0x8E), (0xE3, 0x80, 0x80), (0xEF, 0xBB, 0xBF): true
        case (0xE2, 0x80, 0x80...0x8F), (0xE2, 0x80, 0xA8...0xAF), (0xE2, 0x81, 0x9F...0xAF): true
        default: false
        }
    }
}
