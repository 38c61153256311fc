import Posture
import Telemetry

extension PostureReport {
    /// The table for people, and the verdict below it.
    func table(_ palette: Palette, _ way: String) -> String {
        let width = checks.map(\.name.count).max() ?? 0
        var lines = ["penstockd \(printable(version)), UID \(user), GID \(group), asked over \(printable(way))", ""]
        for check in checks {
            let status = palette.paint(fitted(check.status.rawValue, 7), check.status.colour)
            lines.append("  \(status)  \(fitted(printable(check.name), width))  \(printable(check.detail))")
            guard let remedy = check.remedy else { continue }
            let margin = String(repeating: " ", count: width + 13)
            lines.append(margin + palette.paint("help: \(printable(remedy))", .faint))
        }
        lines += ["", "ready: \(isReady ? "yes" : palette.paint("no", .red))"]
        lines += problems.map { "  because of \(printable($0))" }
        lines.append("boundary: " + palette.paint(boundary, isStrong ? .green : .red))
        lines += reasons.map { "  because of \(printable($0))" }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension PostureCheck.Status {
    fileprivate var colour: Palette.Colour {
        switch self {
        case .ok: .green
        case .skipped: .faint
        case .note: .cyan
        case .weak: .yellow
        case .failed: .red
        }
    }
}
