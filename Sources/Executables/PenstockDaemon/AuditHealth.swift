import AuditStore
import Telemetry

extension AuditWriter {
    /// How long one write may take before it is called slow, in microseconds.
    private static let slowMicroseconds: Int64 = 5_000_000

    /// Why records are not written as they come; nil where they are.
    var problem: String? {
        let state = state
        return state == .writable ? slowness : state.problem
    }

    private var slowness: String? {
        let time = writing
        guard time > Self.slowMicroseconds else { return nil }
        return "a write has been on its way for \(time / 1_000_000) s: the disk is slow"
    }

    private var stateName: String {
        switch state {
        case .recovering: "recovering"
        case .writable: slowness == nil ? "writable" : "slow"
        case .stalled: "stalled"
        case .overBudget: "over_budget"
        case .failed: "failed"
        case .finished: "finished"
        }
    }

    /// Writes what the trail counts in the Prometheus format.
    func writeMetrics(to text: inout MetricsText) {
        func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) {
            text.write("penstock_audit_\(name)", kind: "gauge", help: help, samples: [("", Int64(clamping: value))])
        }
        func counter(_ name: String, _ help: String, _ value: UInt64) {
            text.write(
                "penstock_audit_\(name)_total",
                kind: "counter",
                help: help,
                samples: [("", Int64(clamping: value))]
            )
        }
        gauge("writable", "1 while the audit file takes records.", problem == nil ? 1 : 0)
        let current = stateName
        text.write(
            "penstock_audit_state",
            kind: "gauge",
            help: "1 for the state that the audit writer is in.",
            label: "state",
            samples: ["recovering", "writable", "slow", "stalled", "over_budget", "failed", "finished"]
                .map { ($0, $0 == current ? 1 : 0) }
        )
        let backlog = backlog
        gauge("backlog_records", "Records that wait to be written.", backlog.records)
        gauge("backlog_bytes", "Bytes of the records that wait to be written.", backlog.bytes)
        counter("records_written", "Records written since the start, as lines of the trail.", recordsWritten)
        counter("syncs", "Times that the disk was waited for; many records share each.", synchronizations)
        let files = files
        gauge("bytes", "Bytes of all audit files.", files.bytes)
        gauge("budget_bytes", "What all audit files stay below; 0: no bound.", files.budget)
        gauge("segments", "Audit files that are closed.", files.segments)
        gauge("open_connections", "Allowed connections and requests whose end is not recorded yet.", files.open)
        text.write(
            "penstock_audit_trouble",
            kind: "gauge",
            help: "1 for each task beside the writing that fails; standard error says why.",
            label: "task",
            samples: AuditTask.allCases.map { task in (task.rawValue, troubles.contains(task) ? 1 : 0) }
        )
    }
}
