import Telemetry

/// What a mint counts.
package final class LeafMintMetrics: Sendable {
    /// Leaves signed.
    package let minted = Counter()
    /// Leaves that were there already.
    package let reused = Counter()
    /// Questions that waited for a leaf that was being made for another.
    package let shared = Counter()
    /// Leaves that went to make room.
    package let evicted = Counter()
    /// Questions refused because too many names waited.
    package let busy = Counter()
    /// Leaves that could not be made.
    package let failed = Counter()
    /// Leaves kept now.
    package let kept = Gauge()

    /// Begins at 0, where it stays without interception.
    package init() {}

    /// Writes them as `penstock_leaf_…`.
    package func write(to text: inout MetricsText) {
        let outcomes: [(value: String, count: Int64)] = [
            ("minted", Int64(clamping: minted.value)), ("reused", Int64(clamping: reused.value)),
            ("shared", Int64(clamping: shared.value)), ("busy", Int64(clamping: busy.value)),
            ("failed", Int64(clamping: failed.value)),
        ]
        text.write(
            "penstock_leaf_requests_total",
            kind: "counter",
            help: "Leaf certificates asked for, by outcome.",
            label: "outcome",
            samples: outcomes
        )
        text.write(
            "penstock_leaf_evictions_total",
            kind: "counter",
            help: "Leaf certificates dropped to make room for others.",
            samples: [("", Int64(clamping: evicted.value))]
        )
        text.write(
            "penstock_leaves",
            kind: "gauge",
            help: "Leaf certificates kept.",
            samples: [("", kept.value)]
        )
    }
}
