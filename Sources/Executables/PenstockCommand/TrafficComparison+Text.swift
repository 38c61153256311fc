import AuditTrail
import PolicyEngine
import PolicyTrials
import Telemetry

extension TrafficComparison {
    /// A table of what changed, with samples, then what was judged and what could not be.
    func text(top: Int, _ palette: Palette) -> [String] {
        let shown = groups.prefix(top)
        var lines = ChangeTable(shown, palette).lines
        if groups.count > shown.count { lines.append("… and \(groups.count - shown.count) more; --top shows more") }
        if !lines.isEmpty { lines.append("") }
        return (lines + summary)
    }

    private var summary: [String] {
        let span = firstTime.flatMap { first in lastTime.map { ", from \(first) to \($0)" } } ?? ""
        var lines = ["\(decisions(changed)) of \(judged) would come out another way\(span)"]
        if ungrouped > 0 { lines.append("\(ungrouped) of them are in too many groups to tell apart, and not shown") }
        lines += unjudgedLines
        if differentFromRecord > 0 {
            lines.append(
                "\(decisions(differentFromRecord)) came out another way when recorded than under the old policy now"
            )
        }
        return lines
    }

    private var unjudgedLines: [String] {
        let found = UnjudgedCause.allCases.compactMap { cause in unjudged[cause].map { ("\($0)", cause.explanation) } }
        guard !found.isEmpty else { return [] }
        let width = found.map(\.0.count).max() ?? 0
        return ["not judged:"]
            + found.map { count, explanation in
                "  \(String(repeating: " ", count: width - count.count))\(count) \(explanation)"
            }
    }

    /// An object for each group, then one for the whole.
    func json(top: Int) -> [String] {
        groups.prefix(top).map(\.json) + [
            jsonObject { members in
                members.text("kind", "summary")
                members.number("judged", judged)
                members.number("changed", changed)
                members.number("groups", UInt64(clamping: groups.count))
                members.number("ungrouped", ungrouped)
                members.object("not_judged") { members in
                    for cause in UnjudgedCause.allCases { members.number(cause.rawValue, unjudged[cause] ?? 0) }
                }
                members.number("different_from_record", differentFromRecord)
                members.text("first", orNull: firstTime)
                members.text("last", orNull: lastTime)
            }
        ]
    }
}

private func decisions(_ count: UInt64) -> String { "\(count) decision\(count == 1 ? "" : "s")" }

extension ChangedTraffic {
    fileprivate var json: String {
        jsonObject { members in
            members.text("kind", "change")
            members.text("host", key.host)
            members.number("port", UInt64(key.port))
            members.number("count", count)
            members.text("last", lastTime)
            members.object("old") { key.before.write(into: &$0) }
            members.object("new") { key.after.write(into: &$0) }
            members.objects("samples", samples) { sample, members in
                members.text("id", sample.identifier)
                members.text("kind", sample.kind.rawValue)
                members.text("time", sample.time)
                members.text("method", orNull: sample.question.method?.text)
                members.text("path", orNull: sample.question.path)
            }
        }
    }
}

extension ReplayedVerdict {
    /// The rule, or why there is none.
    var account: String {
        rule.map { "\($0)\(isOfRule ? "" : " (\(reason.rawValue))")" } ?? "(\(reason.rawValue))"
    }

    private var isOfRule: Bool { reason == .ruleAllow || reason == .ruleDeny }

    fileprivate func write(into members: inout JSONMembers) {
        members.text("decision", word.rawValue)
        members.text("rule", orNull: rule?.text)
        members.text("reason", reason.rawValue)
    }
}

extension ReplayedVerdict.Word {
    var text: String {
        switch self {
        case .allow: "allow"
        case .wouldDeny: "allow (would deny)"
        case .deny: "deny"
        }
    }
}

extension RecordedDecision {
    /// `TIME connection ID`, and of a request what was asked for.
    var text: String {
        let asked = [question.method?.text, question.path].compactMap { $0 }.joined(separator: " ")
        return "\(time) \(kind.rawValue) \(identifier)\(asked.isEmpty ? "" : "  \(asked)")"
    }
}
