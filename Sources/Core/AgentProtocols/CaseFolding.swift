/// Names of which each has one spelling, and that some servers take for the same in other cases.
struct CaseSensitiveNames: Sendable {
    private let exact: Set<String>
    private let folded: Set<String>
    /// No longer name can be one of them in another case: a letter has three bytes at most where it stands for one.
    private let mostBytes: Int

    init(_ names: Set<String>) {
        exact = names
        folded = Set(names.map(caseFolded))
        mostBytes = 3 * (names.map(\.utf8.count).max() ?? 0)
    }

    /// True where a name is none of these, and would be one of them if case did not count.
    func holdInOtherCase(_ name: String) -> Bool {
        name.utf8.count <= mostBytes && !exact.contains(name) && folded.contains(caseFolded(name))
    }
}

/// A name with every letter that some servers do not tell from a lower-case one of ASCII written as that.
///
/// Go's JSON reader takes `NAME`, `ſ` for `s` and the sign of the kelvin for `k`.
func caseFolded(_ name: String) -> String {
    var folded = ""
    for scalar in name.unicodeScalars {
        switch scalar {
        case "A"..."Z": folded.unicodeScalars.append(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) | 0x20))
        case "\u{017F}": folded += "s"
        case "\u{212A}": folded += "k"
        default: folded.unicodeScalars.append(scalar)
        }
    }
    return folded
}
