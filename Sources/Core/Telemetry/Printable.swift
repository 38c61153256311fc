/// The text as a terminal may show it: what steers a terminal, breaks a line or turns the writing around is replaced.
///
/// Names, keys and paths come from files that somebody else may have written.
package func printable(_ text: some StringProtocol) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: shown.append("\u{fffd}")
        default: shown.append(scalar)
        }
    }
    return String(shown)
}
