import NetworkTypes
import SourceDocuments

/// Reads an item of `hosts`: a name, or `*.` and a name.
///
/// `isOfRule`: it stands in a `match`, which may have `cidrs`, or no `hosts`.
///
/// - Throws: what is wrong with it, and where.
package func readHostPattern(
    _ node: SourceNode,
    _ subject: String,
    isOfRule: Bool
) throws(SourceProblem) -> HostPattern {
    let text = try node.string(subject, expected: "a host name")
    do throws(HostName.Malformed) {
        return try HostPattern(text)
    } catch {
        throw SourceProblem(
            "\(subject), `\(printable(text))`, is no host name: \(error.explanation(for: text))",
            at: node.location,
            remedy: hostRemedy(text, error, isOfRule: isOfRule)
        )
    }
}

extension HostName.Malformed {
    /// What is wrong with a text that is no host name, for a message.
    package func explanation(for text: String) -> String {
        switch self {
        case .empty: "it is empty"
        case .tooLong: "it has more than 253 characters"
        case .badLabel: "a label is empty, longer than 63 characters, or begins or ends with a hyphen"
        case .controlOctet: "it holds a control character"
        case .notLDH:
            text.contains("*")
                ? "the asterisk does not stand alone in front" : "it holds a character that names do not have"
        case .addressLiteral: text.contains(":") ? "it holds a colon" : "its last label is a number"
        }
    }
}

private func hostRemedy(_ text: String, _ fault: HostName.Malformed, isOfRule: Bool) -> String? {
    let addresses = isOfRule ? "use `cidrs` for addresses" : "write the names of hosts; there is none for an address"
    if text.utf8.contains(where: { $0 >= 0x80 }) { return "write its A-label (xn--…)" }
    let bare = text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
    if isBlock(bare) { return addresses }
    if text.contains("/") { return "write the host name alone, without scheme and path" }
    if let colon = text.lastIndex(of: ":"), (try? HostPattern(text[..<colon])) != nil {
        return "write the port under `ports`"
    }
    if text.contains("*") {
        let any = isOfRule ? "; leave out `hosts` for any" : ""
        return "write `*.example.com` for every name below example.com\(any)"
    }
    if fault == .notLDH, text.contains("_") {
        return "write letters, digits, hyphens and dots; whoever asks for a name with an underscore is refused"
    }
    switch fault {
    case .addressLiteral: return addresses
    case .empty, .tooLong, .badLabel, .controlOctet, .notLDH: return nil
    }
}

private func isBlock(_ text: Substring) -> Bool {
    do throws(CIDR.TextError) {
        _ = try CIDR(text)
        return true
    } catch {
        switch error {
        case .notAnAddress: return false
        case .badPrefixLength, .hostBitsSet: return true
        }
    }
}

/// The text as a terminal may show it.
func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "\u{fffd}" : $0 }))
}
