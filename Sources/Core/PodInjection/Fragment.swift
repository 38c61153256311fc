/// A piece of a manifest: what it means, not how it is written.
package indirect enum Fragment: Hashable, Sendable {
    case text(String)
    /// What is no text where it stands without quotes: a number, `true`, nothing at all.
    case word(String)
    case list([Fragment])
    case map([Entry])

    /// One key with its value.
    package struct Entry: Hashable, Sendable {
        package var key: String
        package var value: Fragment

        package init(_ key: String, _ value: Fragment) {
            self.key = key
            self.value = value
        }
    }

    /// A whole number.
    package static func number(_ value: Int) -> Fragment { .word(String(value)) }

    /// True or false.
    package static func flag(_ value: Bool) -> Fragment { .word(value ? "true" : "false") }

    /// A mapping, its keys in this order.
    package static func map(_ entries: KeyValuePairs<String, Fragment>) -> Fragment {
        .map(entries.map { Entry($0.key, $0.value) })
    }
}

extension Fragment: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
}

extension Fragment {
    /// What some reader of YAML takes for something else than text where it has no quotes.
    ///
    /// It is said of more than need be: quotes never do harm.
    package static func isWord(_ plain: String) -> Bool {
        guard let first = plain.utf8.first else { return true }
        if ["~", "=", "<<"].contains(plain) || reserved.contains(plain.lowercased()) { return true }
        if isDigit(first) { return !isAmount(plain) }
        guard "+-.".utf8.contains(first), let second = plain.utf8.dropFirst().first else { return false }
        return isDigit(second) || second == UInt8(ascii: ".") || plain.lowercased().hasSuffix("inf")
            || plain.lowercased().hasSuffix("nan")
    }

    /// `10m`, `64Mi`: an amount of Kubernetes' that no version of YAML reads as a number.
    private static func isAmount(_ plain: String) -> Bool {
        let unit = plain.utf8.drop(while: isDigit)
        return ["m", "Ki", "Mi", "Gi"].contains { unit.elementsEqual($0.utf8) }
    }

    private static let reserved: Set<String> = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan",
    ]

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
