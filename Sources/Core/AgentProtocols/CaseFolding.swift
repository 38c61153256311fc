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

extension Collection<String> {
    /// True where a name is none of these, and would be one of them if case did not count.
    func containsInOtherCase(_ name: String) -> Bool {
        !contains(name) && contains { caseFolded($0) == caseFolded(name) }
    }
}
