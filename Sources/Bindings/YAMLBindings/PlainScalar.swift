import SourceDocuments

/// What a scalar without quotes means.
///
/// The types are those of the YAML 1.2 core schema (section 10.3.2), less what YAML 1.1 reads as something else.
enum PlainScalar: Equatable {
    case value(SourceNode.Content)
    /// Why, and what to write instead.
    case refused(String, remedy: String)

    init(_ text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .value(.null)
        case "true", "True", "TRUE": self = .value(.boolean(true))
        case "false", "False", "FALSE": self = .value(.boolean(false))
        default: self = Self.number(text) ?? .value(.string(text))
        }
    }

    /// Reads what some YAML version takes for a number; `nil` for anything else.
    private static func number(_ text: String) -> PlainScalar? {
        var digits = Substring(text)
        if digits.first == "-" || digits.first == "+" { digits = digits.dropFirst() }
        guard let first = digits.utf8.first, isDigit(first) || first == UInt8(ascii: ".") else { return nil }
        if digits.utf8.allSatisfy(isDigit) {
            guard first != UInt8(ascii: "0") || digits.utf8.count == 1 else {
                return ambiguous("is octal to some readers and decimal to others")
            }
            guard let number = Int(text) else {
                return .refused("is beyond 64 bits", remedy: "write it in quotes if it is text")
            }
            return .value(.integer(number))
        }
        if isRadixNumber(digits) || isGrouped(digits) {
            return ambiguous("is a number to some readers and text to others")
        }
        return isFloat(digits) ? ambiguous("is a floating-point number, which no key takes") : nil
    }

    private static func ambiguous(_ why: String) -> PlainScalar {
        .refused(why, remedy: "write it in plain decimal, or in quotes if it is text")
    }

    /// `0x1f`, `0o17`, `0b1`.
    private static func isRadixNumber(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > 2, bytes[0] == UInt8(ascii: "0") else { return false }
        let radix: Int
        switch bytes[1] {
        case UInt8(ascii: "x"): radix = 16
        case UInt8(ascii: "o"): radix = 8
        case UInt8(ascii: "b"): radix = 2
        default: return false
        }
        return bytes[2...].allSatisfy { byte in
            byte == UInt8(ascii: "_") || Character(Unicode.Scalar(byte)).hexDigitValue.map { $0 < radix } == true
        }
    }

    /// `1_000`.
    private static func isGrouped(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// `1.5`, `.5`, `1.`, `1e3`, `.inf`, `.nan`.
    private static func isFloat(_ text: Substring) -> Bool {
        switch text {
        case ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN": return true
        default: break
        }
        var rest = text.utf8[...]
        let whole = rest.prefix(while: isDigit).count
        rest = rest.dropFirst(whole)
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(fraction)
        }
        guard whole + fraction > 0 else { return false }
        guard let mark = rest.first else { return true }
        guard mark | 0x20 == UInt8(ascii: "e") else { return false }
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
