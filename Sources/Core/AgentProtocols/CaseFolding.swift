/// Names of which each has one spelling, and that some servers take for the same in other cases, or behind which they stop reading.
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

    /// True where a name is none of these, and would be one of them if case did not count, or nothing behind a control character.
    func holdInOtherCase(_ name: String) -> Bool {
        guard !exact.contains(name) else { return false }
        let read = beforeControls(name, atMost: mostBytes + 1)
        return read.utf8.count <= mostBytes && folded.contains(caseFolded(read))
    }
}

/// As much of a name as they read to whom a control character ends it: to readers in C, U+0000 does.
func beforeControls(_ name: String, atMost count: Int) -> String {
    let scalars = name.unicodeScalars.prefix(count)
    return String(String.UnicodeScalarView(scalars.prefix { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }))
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
