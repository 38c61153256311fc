import PolicyEngine
import PolicyTrials
import Telemetry

/// Changed traffic as aligned columns, and below each row samples of it.
struct ChangeTable {
    /// Wider columns are cut: a host or a rule may have 250 characters.
    private static let widest = 48
    private static let head = ["count", "change", "host", "old rule", "new rule"]

    let lines: [String]

    init(_ groups: some Collection<ChangedTraffic>, _ palette: Palette) {
        guard !groups.isEmpty else {
            lines = []
            return
        }
        let rows = groups.map(Self.cells)
        let widths = Self.head.indices.map { column in
            min(Self.widest, ([Self.head] + rows).map { $0[column].count }.max() ?? 0)
        }
        var lines = [palette.paint(Self.line(Self.head, widths), .bold)]
        for (group, row) in zip(groups, rows) {
            lines.append(palette.paint(Self.line(row, widths), Self.colour(group.key.after.word)))
            let margin = String(repeating: " ", count: widths[0] + 2)
            lines += group.samples.map { palette.paint(margin + printable($0.text), .faint) }
        }
        self.lines = lines
    }

    private static func cells(_ group: ChangedTraffic) -> [String] {
        let key = group.key
        let host = key.host.contains(":") ? "[\(key.host)]" : key.host
        let cells = [
            "\(group.count)", "\(key.before.word.text) -> \(key.after.word.text)", "\(host):\(key.port)",
            key.before.account, key.after.account,
        ]
        return cells.map { printable($0) }
    }

    /// Numbers stand to the right; behind the last column there is nothing to fill.
    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        let count = String(repeating: " ", count: max(0, widths[0] - cells[0].count)) + cells[0]
        let others = zip(cells, widths).dropFirst().dropLast().map { fitted($0, $1) }
        return ([count] + others + [cells[cells.count - 1]]).joined(separator: "  ")
    }

    private static func colour(_ word: ReplayedVerdict.Word) -> Palette.Colour {
        switch word {
        case .allow: .green
        case .wouldDeny: .yellow
        case .deny: .red
        }
    }
}
