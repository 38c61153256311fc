import LinuxBindings
import SourceDocuments
import Telemetry

/// The lines that messages are about, from files that were read a moment ago.
///
/// It is for showing only: a file that is gone or has changed meanwhile costs nothing but the excerpt.
struct SourceTexts {
    private var lines: [String: [String]] = [:]
    /// The widest excerpt, in characters: what fits an ordinary terminal.
    private let width = 100

    /// The line of a place and, below it, a caret under its column; `nil` where the line cannot be read.
    mutating func excerpt(_ place: SourceLocation) -> [String]? {
        let lines = lines(of: place.file)
        guard lines.indices.contains(place.line - 1), !lines[place.line - 1].isEmpty else { return nil }
        // Control characters would move the caret away from its column.
        let line = Array(printable(lines[place.line - 1].replacing("\t", with: " ")).unicodeScalars)
        let column = min(max(place.column - 1, 0), line.count)
        let start = line.count <= width ? 0 : max(0, min(column - width / 2, line.count - width))
        let end = min(line.count, start + width)
        // A line that goes on says so; nothing of that moves the caret.
        let margin = start > 0 ? " …" : "  "
        let shown = String(String.UnicodeScalarView(line[start..<end]))
        let caret = String(repeating: " ", count: terminalWidth(line[start..<max(start, column)])) + "^"
        return ["\(margin)\(shown)\(end < line.count ? "…" : "")", "  \(caret)"]
    }

    private mutating func lines(of file: String) -> [String] {
        if let known = lines[file] { return known }
        guard var bytes = try? readFile(file, limit: 4 << 20) else { return [] }
        // Columns do not count the byte order mark.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
        let read = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        lines[file] = read
        return read
    }
}
