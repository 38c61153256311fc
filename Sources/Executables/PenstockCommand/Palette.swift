import LinuxBindings

/// The colours that a terminal is told to use; none where it is none, or where `NO_COLOR` says so (no-color.org).
struct Palette {
    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case faint = "2"
        case bold = "1"
    }

    let isColoured: Bool

    /// For standard output, as it is.
    static func forOutput() -> Palette {
        let forbids = environmentVariable("NO_COLOR").map { !$0.isEmpty } ?? false
        let isDumb = environmentVariable("TERM") == "dumb"
        return Palette(isColoured: OutputStream.output.isTerminal && !forbids && !isDumb)
    }

    /// The text in a colour, with nothing left behind it.
    func paint(_ text: String, _ colour: Colour?) -> String {
        guard isColoured, let colour, !text.isEmpty else { return text }
        return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }
}

/// The text in exactly so many columns: filled up, or cut with an ellipsis.
///
/// Each character is taken for one column: records hold ASCII but where somebody means harm.
func fitted(_ text: String, _ width: Int) -> String {
    let characters = Array(text)
    guard characters.count > width else { return text + String(repeating: " ", count: width - characters.count) }
    return String(characters.prefix(max(0, width - 1))) + (width > 0 ? "…" : "")
}
