import PolicyEngine
import Telemetry

/// What the journeys of all loops count.
package final class JourneyMetrics: Sendable {
    package let accepted = Counter()
    package let allowed = Counter()
    package let refused: [Reason: Counter] = Dictionary(
        uniqueKeysWithValues: Reason.allCases.map { ($0, Counter()) }
    )
    package let wouldDeny = Counter()
    package let connectionEnds = Counter()
    package let requestsAllowed = Counter()
    package let requestsRefused: [Reason: Counter] = Dictionary(
        uniqueKeysWithValues: Reason.allCases.map { ($0, Counter()) }
    )
    package let requestsWouldDeny = Counter()
    package let requestEnds = Counter()
    package let bytesUp = Counter()
    package let bytesDown = Counter()
    package let dialFailures = Counter()
    package let resolutionFailures = Counter()
    package let ownerLookupFailures = Counter()
    package let acceptFailures = Counter()
    /// How often accepting stopped because the audit file or the number of connections would not take more.
    package let pauses = Counter()
    package let live = Gauge()
    /// Octets of memory that looking into content takes.
    package let inspectionBytes = Gauge()
    /// TLS begun with clients and with upstreams, in full and resumed.
    package let clientHandshakes = Counter()
    package let clientResumptions = Counter()
    package let upstreamHandshakes = Counter()
    package let upstreamResumptions = Counter()
    /// Clients that did not take the certificate that they were shown.
    package let rejectedInterceptions = Counter()

    package init() {}

    func count(_ decision: Decision) {
        switch decision.verdict {
        case .allow: allowed.increment()
        case .deny, .undetermined, .needsBody: refused[decision.reason]?.increment()
        }
        if decision.wouldDeny { wouldDeny.increment() }
    }

    func count(request decision: Decision) {
        switch decision.verdict {
        case .allow: requestsAllowed.increment()
        case .deny, .undetermined, .needsBody: requestsRefused[decision.reason]?.increment()
        }
        if decision.wouldDeny { requestsWouldDeny.increment() }
    }

    /// Connections and requests that were refused, for whatever reason.
    package var allRefused: UInt64 {
        (refused.values.map(\.value) + requestsRefused.values.map(\.value)).reduce(0, &+)
    }

    /// Writes them all in the Prometheus format.
    package func write(to text: inout MetricsText) {
        func counter(_ name: String, _ help: String, _ counter: Counter) {
            text.write(
                "penstock_\(name)_total",
                kind: "counter",
                help: help,
                samples: [("", Int64(clamping: counter.value))]
            )
        }
        counter("connections_accepted", "Connections taken from the kernel.", accepted)
        counter("connections_allowed", "Connections that policy let through.", allowed)
        text.write(
            "penstock_connections_refused_total",
            kind: "counter",
            help: "Connections refused, by reason.",
            label: "reason",
            samples: Reason.allCases.map { ($0.rawValue, Int64(clamping: refused[$0]?.value ?? 0)) }
        )
        counter(
            "connections_would_deny",
            "Connections let through only because the policy is in audit mode.",
            wouldDeny
        )
        counter("connections_ended", "Allowed connections that are over.", connectionEnds)
        counter("requests_allowed", "Requests that policy let through.", requestsAllowed)
        text.write(
            "penstock_requests_refused_total",
            kind: "counter",
            help: "Requests refused, by reason.",
            label: "reason",
            samples: Reason.allCases.map { ($0.rawValue, Int64(clamping: requestsRefused[$0]?.value ?? 0)) }
        )
        counter(
            "requests_would_deny",
            "Requests let through only because the policy is in audit mode.",
            requestsWouldDeny
        )
        counter("requests_ended", "Allowed requests that are over.", requestEnds)
        text.write(
            "penstock_connections_live",
            kind: "gauge",
            help: "Connections on their way now.",
            samples: [("", live.value)]
        )
        text.write(
            "penstock_inspection_bytes",
            kind: "gauge",
            help: "Memory that looking into content takes now: what is held back, read ahead, or kept by decoders.",
            samples: [("", inspectionBytes.value)]
        )
        counter("bytes_up", "Bytes from agents to their upstreams, of connections that are over.", bytesUp)
        counter("bytes_down", "Bytes from upstreams to their agents, of connections that are over.", bytesDown)
        text.write(
            "penstock_tls_handshakes_total",
            kind: "counter",
            help: "TLS sessions begun, by the side and whether one before was gone on with.",
            label: "kind",
            samples: [
                ("client_full", Int64(clamping: clientHandshakes.value)),
                ("client_resumed", Int64(clamping: clientResumptions.value)),
                ("upstream_full", Int64(clamping: upstreamHandshakes.value)),
                ("upstream_resumed", Int64(clamping: upstreamResumptions.value)),
            ]
        )
        counter(
            "interceptions_rejected",
            "Clients that did not take the certificate that they were shown.",
            rejectedInterceptions
        )
        counter("dial_failures", "Allowed connections whose upstream could not be reached.", dialFailures)
        counter("resolution_failures", "Names that could not be resolved.", resolutionFailures)
        counter(
            "owner_lookup_failures",
            "Connections whose owner could not be asked for, or that come by rules which do not note it.",
            ownerLookupFailures
        )
        counter("accept_failures", "Connections that could not be taken from the kernel.", acceptFailures)
        counter("accept_pauses", "Times that accepting stopped to let the audit file or memory catch up.", pauses)
    }
}
