import AuditIndex
import AuditTrail
import Telemetry

/// What stands in one place of a row.
enum QueryCell: Hashable {
    case none
    case number(UInt64)
    case text(String)

    init(_ text: String?) { self = text.map(QueryCell.text) ?? .none }

    init(_ number: UInt64?) { self = number.map(QueryCell.number) ?? .none }
}

/// A column of JSON and CSV.
struct QueryColumn {
    let name: String
    let value: (QueryRow) -> QueryCell

    init(_ name: String, _ value: @escaping (QueryRow) -> QueryCell) {
        self.name = name
        self.value = value
    }
}

extension QueryRow {
    /// The columns, named as records name their members.
    static var columns: [QueryColumn] {
        [
            QueryColumn("time") { .text($0.timeText) }, QueryColumn("kind") { .text($0.kind) },
            QueryColumn("sequence") { .number($0.sequence) }, QueryColumn("id") { QueryCell($0.id) },
            QueryColumn("connection") { QueryCell($0.connection) }, QueryColumn("decision") { QueryCell($0.decision) },
            QueryColumn("would") { QueryCell($0.would) }, QueryColumn("reason") { QueryCell($0.reason) },
            QueryColumn("rule") { QueryCell($0.rule) }, QueryColumn("host") { QueryCell($0.host) },
            QueryColumn("address") { QueryCell($0.address) }, QueryColumn("port") { QueryCell($0.port) },
            QueryColumn("protocol") { QueryCell($0.protocol) }, QueryColumn("method") { QueryCell($0.method) },
            QueryColumn("path") { QueryCell($0.path) }, QueryColumn("uid") { QueryCell($0.uid) },
            QueryColumn("status") { QueryCell($0.status) }, QueryColumn("outcome") { QueryCell($0.outcome) },
            QueryColumn("closed_by") { QueryCell($0.closedBy) }, QueryColumn("bytes_up") { QueryCell($0.bytesUp) },
            QueryColumn("bytes_down") { QueryCell($0.bytesDown) },
            QueryColumn("duration_ms") { QueryCell($0.durationMilliseconds) },
            QueryColumn("event") { QueryCell($0.event) }, QueryColumn("detail") { QueryCell($0.detail) },
            QueryColumn("file") { .text($0.file) },
        ]
    }

    /// As records have it.
    var timeText: String {
        var text: [UInt8] = []
        text.append(timestamp: time)
        return String(decoding: text, as: UTF8.self)
    }

    var decision: String? { isAllowed.map { $0 ? "allow" : "deny" } }
    var would: String? { wouldAllow.map { $0 ? "allow" : "deny" } }

    /// A compact object of what is known.
    var json: String {
        jsonObject { members in
            for column in Self.columns {
                switch column.value(self) {
                case .none: break
                case .number(let number): members.number(column.name, number)
                case .text(let text): members.text(column.name, text)
                }
            }
        }
    }

    /// `HOST:PORT`; nil where nothing is known.
    var destination: String? {
        guard let host = (host ?? address).map({ printable($0) }) else { return nil }
        let shown = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(shown):\($0)" } ?? shown
    }

    /// The rule and the reason.
    fileprivate var why: String? {
        guard let reason = reason.map({ printable($0) }) else { return nil }
        return rule.map { "\(printable($0)) (\(reason))" } ?? reason
    }

    /// How it ended.
    fileprivate var ending: [String] {
        guard let outcome else { return [] }
        let side = closedBy.map { " by \($0)" } ?? ""
        var parts = [(status.map { "\($0) " } ?? "") + printable(outcome + side)]
        if let bytesUp { parts.append("up \(byteText(bytesUp))") }
        if let bytesDown { parts.append("down \(byteText(bytesDown))") }
        if let durationMilliseconds { parts.append(spanText(milliseconds: durationMilliseconds)) }
        return parts
    }
}

extension AuditRow {
    /// A record that was found in the index.
    init(_ row: QueryRow) {
        let detail = row.detail.map { [printable($0)] } ?? []
        let scheme = row.protocol == RequestScheme.https.rawValue ? "https://" : ""
        let request = row.method.map { method in
            "\(printable(method)) \(scheme)\(row.destination ?? "-")\(printable(row.path ?? ""))"
        }
        if let decision = row.decision {
            what = row.wouldAllow == false ? "would" : decision
            colour = decision == "deny" ? .red : row.wouldAllow == false ? .yellow : .green
            subject = (row.kind == RecordKind.check.rawValue ? "check: " : "") + (request ?? row.destination ?? "-")
            let would = row.wouldAllow == false ? "would deny: " : ""
            account = would + ((row.why.map { [$0] } ?? []) + detail + row.ending).joined(separator: ", ")
        } else if row.outcome != nil {
            what = "end"
            colour = row.outcome == "closed" ? .faint : .yellow
            subject = row.destination ?? "-"
            account = (row.ending + (row.why.map { [$0] } ?? []) + detail).joined(separator: ", ")
        } else {
            what = Self.word(row.kind)
            colour = row.kind == RecordKind.lifecycle.rawValue ? .cyan : .faint
            subject = printable(row.event ?? "-")
            account = detail.joined()
        }
    }
}
