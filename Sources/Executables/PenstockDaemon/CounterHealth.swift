import PolicyCounters
import Telemetry

extension PolicyCounters {
    /// Writes what the counters of policy count of themselves in the Prometheus format.
    func writeMetrics(to text: inout MetricsText) {
        let numbers = self.numbers
        func write(_ name: String, _ kind: String, _ help: String, _ value: some BinaryInteger) {
            text.write(
                "penstock_counters_\(name)",
                kind: kind,
                help: help,
                samples: [("", Int64(clamping: value))]
            )
        }
        write(
            "writable",
            "gauge",
            "1 unless rules with a rate or a budget allow nothing because their counters cannot be written.",
            numbers.isWritable ? 1 : 0
        )
        write("kept", "gauge", "Counters of rates and budgets.", numbers.counters)
        write("capacity", "gauge", "The most counters at a time.", numbers.capacity)
        write("writes_total", "counter", "Transactions that wrote counters off.", numbers.writes)
        write("failures_total", "counter", "Times that the counters' file could not be used.", numbers.failures)
    }
}
