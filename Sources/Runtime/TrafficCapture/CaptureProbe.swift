import LinuxBindings
import NetfilterBindings
import NetworkTypes

/// Whether connections of one family are captured, found out by beginning one.
package struct CaptureProbe: Hashable, Sendable {
    package var family: AddressFamily
    package var outcome: Outcome
    /// The cgroup whose capture it shows; `nil` where everything is captured.
    package var controlGroup: String?

    /// What a probe came to.
    package enum Outcome: Hashable, Sendable {
        /// The counter of the redirect rose.
        case captured
        /// The connection went its way and the counter did not rise.
        case notCaptured
        /// There is no way to such an address: nothing to capture, and nothing proven.
        case noRoute
        /// The kernel refused to send: `errno`.
        case refused(code: Int32)
        /// Whoever installs is exempt: its own connections would not be captured.
        case exempt
        /// The cgroup cannot be entered: why.
        case notEntered(String)
        /// What is captured comes in from others, and nothing that begins here can.
        case gateway
    }

    /// Begins a connection to a documentation address (RFC 5737, RFC 3849) and watches the counter of the redirect.
    init(_ family: AddressFamily, plan: CapturePlan, as owner: Owner, _ socket: inout NetfilterSocket)
        throws(NetfilterError)
    {
        self.family = family
        if case .gateway = plan.scope {
            outcome = .gateway
            return
        }
        guard !plan.exemptions.contains(owner) else {
            outcome = .exempt
            return
        }
        let before = try Self.captured(plan, &socket)
        switch ConnectAttempt(to: plan.probeTarget(family)) {
        case .noRoute: outcome = .noRoute
        case .refused(let code): outcome = .refused(code: code)
        case .sent: outcome = try Self.rises(above: before, plan, &socket) ? .captured : .notCaptured
        }
    }

    private init(_ family: AddressFamily, _ outcome: Outcome) {
        self.family = family
        self.outcome = outcome
    }

    /// One probe of each family, and for each captured cgroup: from within, because a socket belongs to where it was made.
    static func all(_ plan: CapturePlan, as owner: Owner, _ socket: inout NetfilterSocket) throws(NetfilterError)
        -> [CaptureProbe]
    {
        guard case .controlGroups(let groups) = plan.scope else { return try pair(plan, as: owner, &socket) }
        let tree: ControlGroupTree
        do throws(ControlGroupProblem) {
            tree = try ControlGroupTree()
        } catch {
            return groups.captured.flatMap { group in
                [AddressFamily.ipv4, .ipv6].map { family in
                    var probe = CaptureProbe(family, .notEntered("\(error)"))
                    probe.controlGroup = group.path
                    return probe
                }
            }
        }
        var probes: [CaptureProbe] = []
        for group in groups.captured {
            for var probe in try visiting(group, of: tree, plan, as: owner, &socket) {
                probe.controlGroup = group.path
                probes.append(probe)
            }
        }
        return probes
    }

    private static func pair(_ plan: CapturePlan, as owner: Owner, _ socket: inout NetfilterSocket)
        throws(NetfilterError) -> [CaptureProbe]
    {
        [
            try CaptureProbe(.ipv4, plan: plan, as: owner, &socket),
            try CaptureProbe(.ipv6, plan: plan, as: owner, &socket),
        ]
    }

    private static func visiting(
        _ group: ControlGroup,
        of tree: ControlGroupTree,
        _ plan: CapturePlan,
        as owner: Owner,
        _ socket: inout NetfilterSocket
    ) throws(NetfilterError) -> [CaptureProbe] {
        let visit: ControlGroupVisit
        do throws(SystemCallError) {
            visit = try ControlGroupVisit(group, of: tree)
        } catch { return [.ipv4, .ipv6].map { CaptureProbe($0, .notEntered("\(error)")) } }
        var failure: NetfilterError?
        var probes: [CaptureProbe] = []
        do throws(NetfilterError) { probes = try pair(plan, as: owner, &socket) } catch { failure = error }
        // Home first, whatever became of the probes.
        visit.end()
        if let failure { throw failure }
        return probes
    }

    /// Waits a moment where the counter stands behind loopback: what is sent there arrives a little later.
    private static func rises(above before: UInt64, _ plan: CapturePlan, _ socket: inout NetfilterSocket)
        throws(NetfilterError) -> Bool
    {
        for _ in 0..<25 {
            if try captured(plan, &socket) > before { return true }
            guard plan.mechanism == .tproxy else { return false }
            sleepMilliseconds(20)
        }
        return false
    }

    private static func captured(_ plan: CapturePlan, _ socket: inout NetfilterSocket) throws(NetfilterError) -> UInt64
    {
        try socket.rules(table: plan.table).first { $0.comment == Tally.captured.rawValue }?.packets ?? 0
    }

    /// True where the rules are shown not to do what they are for.
    package var isFailure: Bool {
        switch outcome {
        case .captured, .noRoute, .exempt, .notEntered, .gateway: false
        case .notCaptured, .refused: true
        }
    }
}

extension CapturePlan {
    /// 192.0.2.1 or 2001:db8::1, at the first port from 9 ("discard") on that is not let by.
    func probeTarget(_ family: AddressFamily) -> SocketAddress {
        let address: IPAddress =
            family == .ipv4 ? .v4(IPv4Address(192, 0, 2, 1)) : .v6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 1))
        let ports = (9...1000).lazy.map { SocketAddress(address, port: UInt16($0)) }
        let free = ports.first { target in target.port != 53 && !self.bypasses.contains { $0.covers(target) } }
        return free ?? SocketAddress(address, port: 9)
    }
}
