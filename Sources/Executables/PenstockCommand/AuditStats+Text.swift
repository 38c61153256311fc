import AuditTrail

/// What was counted, put in order.
struct AuditStats {
    private static let barColumns = 20

    private let counter: StatsCounter
    /// Most decisions first.
    private let hosts: [StatsRow]
    private let denied: [StatsRow]
    private let heaviest: [StatsRow]
    private let rules: [StatsRow]
    private let heaviestRules: [StatsRow]
    private let reasons: [StatsRow]

    init(_ counter: StatsCounter, top: Int) {
        self.counter = counter
        hosts = Self.ranked(counter.hosts, top) { $0.decisions }
        denied = Self.ranked(counter.hosts, top) { $0.denied + $0.wouldDeny }
        heaviest = Self.ranked(counter.hosts, top) { $0.bytes }
        rules = Self.ranked(counter.rules, top) { $0.decisions }
        heaviestRules = Self.ranked(counter.rules, top) { $0.bytes }
        reasons = Self.ranked(counter.reasons, top) { $0.decisions }
    }

    /// The greatest first, those of nothing left out; the same order each time.
    private static func ranked(_ rows: [String: StatsRow], _ top: Int, by size: (StatsRow) -> UInt64) -> [StatsRow] {
        let sorted = rows.values.filter { size($0) > 0 }.sorted { left, right in
            size(left) == size(right) ? left.name < right.name : size(left) > size(right)
        }
        return Array(sorted.prefix(top))
    }

    /// For people: what there is in all, and then a chart of each list.
    func text(_ palette: Palette) -> String {
        guard let first = counter.firstTime, let last = counter.lastTime else { return "no records\n" }
        let records = counter.kinds.values.reduce(0, +)
        let total = counter.total
        var text = "\(countText(records)) records, \(first) to \(last)\n"
        text += "decisions: \(total.decisions), allowed \(total.allowed), denied \(total.denied)"
        text += total.wouldDeny > 0 ? ", would deny \(total.wouldDeny)\n" : "\n"
        if let inside = counter.schemes[RequestScheme.https.rawValue] {
            text += "requests read inside TLS: \(inside)\n"
        }
        text += "bytes: up \(byteText(total.bytesUp)), down \(byteText(total.bytesDown))\n"
        text += chart("hosts by decisions", hosts, palette, .green, { $0.decisions }) { countText($0.decisions) }
        text += chart("hosts by denials", denied, palette, .red, { $0.denied + $0.wouldDeny }) { row in
            countText(row.denied) + (row.wouldDeny > 0 ? " + \(countText(row.wouldDeny)) would" : "")
        }
        text += chart("hosts by bytes", heaviest, palette, .cyan, { $0.bytes }) { row in
            "up \(byteText(row.bytesUp)), down \(byteText(row.bytesDown))"
        }
        text += chart("rules by decisions", rules, palette, .yellow, { $0.decisions }) { row in
            "allow \(countText(row.allowed)), deny \(countText(row.denied))"
        }
        text += chart("rules by bytes", heaviestRules, palette, .cyan, { $0.bytes }) { row in
            "up \(byteText(row.bytesUp)), down \(byteText(row.bytesDown))"
        }
        text += chart("reasons", reasons, palette, .yellow, { $0.decisions }) { countText($0.decisions) }
        return text
    }

    private func chart(
        _ title: String,
        _ rows: [StatsRow],
        _ palette: Palette,
        _ colour: Palette.Colour,
        _ size: (StatsRow) -> UInt64,
        _ account: (StatsRow) -> String
    ) -> String {
        guard let greatest = rows.map(size).max(), greatest > 0 else { return "" }
        let width = min(48, rows.map(\.name.count).max() ?? 0)
        return rows.reduce("\n\(palette.paint(title, .bold))\n") { text, row in
            let bar = Bar(share: Double(size(row)) / Double(greatest), width: Self.barColumns).text
            return text + "  \(fitted(row.name, width))  \(palette.paint(bar, colour))  \(account(row))\n"
        }
    }

    /// For programs: one object.
    var json: String {
        jsonObject { members in
            members.text("first_time", orNull: counter.firstTime)
            members.text("last_time", orNull: counter.lastTime)
            Self.write("kinds", counter.kinds, into: &members)
            Self.write("outcomes", counter.outcomes, into: &members)
            Self.write("schemes", counter.schemes, into: &members)
            members.object("total") { counter.total.write(into: &$0) }
            let lists = [
                ("hosts", hosts), ("denied_hosts", denied), ("heaviest_hosts", heaviest), ("rules", rules),
                ("heaviest_rules", heaviestRules),
            ]
            for (name, rows) in lists {
                members.objects(name, rows) { row, members in
                    members.text("name", row.name)
                    row.write(into: &members)
                }
            }
            members.objects("reasons", reasons) { row, members in
                members.text("name", row.name)
                row.writeDecisions(into: &members)
            }
        }
    }

    private static func write(_ name: String, _ counts: [String: UInt64], into members: inout JSONMembers) {
        members.objects(name, counts.sorted { $0.key < $1.key }) { count, members in
            members.text("name", count.key)
            members.number("records", count.value)
        }
    }
}

extension StatsRow {
    fileprivate func writeDecisions(into members: inout JSONMembers) {
        members.number("allowed", allowed)
        members.number("denied", denied)
        members.number("would_deny", wouldDeny)
    }

    fileprivate func write(into members: inout JSONMembers) {
        writeDecisions(into: &members)
        members.number("bytes_up", bytesUp)
        members.number("bytes_down", bytesDown)
    }
}
