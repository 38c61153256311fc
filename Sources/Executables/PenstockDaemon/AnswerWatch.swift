import ConnectionJourney
import EventLoops
import LinuxBindings
import NetworkTypes
import Telemetry

/// Finds out, without a connection of its own, that the kernel drops what the daemon answers.
///
/// The rules know the daemon by its UID **and** GID. If it runs with others, every client times out, and the health port too:
/// nobody could ask why. What can be seen then is that handshakes begin and never end. One is over in microseconds
/// otherwise, so one that is there twice while none was ever completed is the sign. Lives on the control loop.
final class AnswerWatch {
    /// Those that are reached over the loopback alone: there no packet is lost, and nobody can forge one.
    private let ports: Set<UInt16>
    /// Set where captured connections keep their port (TPROXY): all of the daemon's ports, which they have not.
    private let notCaptured: Set<UInt16>?
    private let metrics: JourneyMetrics
    private let silenced: (String) -> Void
    /// How many first packets of connections had been repeated at the last look.
    private var repeated: UInt64
    /// Handshakes that were on their way at the last look, if that was looked at.
    private var before: Set<TCPSocket> = []

    /// The time between two looks, in nanoseconds; the kernel forgets a handshake whose answer is dropped after a second.
    private static let interval: UInt64 = 400_000_000

    /// Prepares to call `silenced`, once, with what is to be said.
    init(_ plan: DaemonPlan, metrics: JourneyMetrics, _ silenced: @escaping (String) -> Void) {
        // Where others come, a handshake that never ends is theirs to make.
        let served = (plan.transparent + plan.explicit).filter { !loopback.contains($0.address) }.map(\.port)
        ports = Set([plan.transparentPort, plan.explicitPort, plan.apiPort]).subtracting(served)
        notCaptured = plan.transparentArrival == .routed ? plan.journeys.ownPorts : nil
        self.metrics = metrics
        self.silenced = silenced
        repeated = repeatedOpenings()
    }

    /// Looks now, and again until the first connection is there or the sign is seen.
    func look(on loop: isolated EventLoop) {
        guard metrics.accepted.value == 0 else { return }
        // Looking through sockets costs something where there are many: only where somebody in the pod had to knock twice.
        let count = repeatedOpenings()
        if count != repeated || !before.isEmpty {
            // Where the kernel does not tell, there is no sign to see; the survey of the boundary says that it does not.
            let waiting = (try? handshakes()) ?? []
            if let stuck = waiting.intersection(before).first, metrics.accepted.value == 0 {
                return silenced(Self.text(port: stuck.local.port))
            }
            before = waiting
        }
        repeated = count
        _ = loop.schedule(afterNanoseconds: Self.interval) { self.look(on: loop) }
    }

    /// Handshakes with the daemon that have begun and not ended.
    private func handshakes() throws -> Set<TCPSocket> {
        let direct = try tcpSockets(.halfOpen, ports: ports, limit: socketLimit)
        guard let notCaptured else { return Set(direct) }
        return try Set(direct + captured(but: notCaptured))
    }

    /// Handshakes of captured connections that have kept their port, with clients of this namespace.
    ///
    /// A gateway's clients come over wires that lose packets, and their addresses can be forged: those count for nothing.
    private func captured(but notCaptured: Set<UInt16>) throws -> [TCPSocket] {
        let begun = try tcpSockets(.halfOpen, limit: socketLimit) { !notCaptured.contains($0.local.port) }
        guard !begun.isEmpty else { return [] }
        let awaited = Set(begun.map { Pair(client: $0.remote, server: $0.local) })
        let clients = try tcpSockets(.opening, limit: socketLimit) {
            awaited.contains(Pair(client: $0.local, server: $0.remote))
        }
        let knocking = Set(clients.map { Pair(client: $0.local, server: $0.remote) })
        let kernel = try NetlinkQuestions()
        return try begun.filter { handshake in
            // A handshake has no owner. With an address that is not this machine's, only what TPROXY leads to can have begun it.
            try knocking.contains(Pair(client: handshake.remote, server: handshake.local))
                && (!kernel.isLocal(handshake.local.address) || isUnheard(handshake.local))
        }
    }

    /// True where nobody listens at a place of this machine's.
    private func isUnheard(_ place: SocketAddress) throws -> Bool {
        try tcpSockets(.listening, ports: [place.port], limit: socketLimit) { listener in
            let address = listener.local.address.unmapped
            return address.specialRange == .unspecified || address == place.address.unmapped
        }.isEmpty
    }

    private static func text(port: UInt16) -> String {
        let (user, group) = effectiveIdentity()
        return
            "clients of port \(port) get no answer: something drops the daemon's packets. It runs as UID \(user) and GID "
            + "\(group); the kernel's rules must name exactly these (--proxy-uid and --proxy-gid of penstock-init, 10880 if not said)"
    }
}

/// Both ends of a connection; a socket of the IPv6 family shows an IPv4 address in its clothes.
private struct Pair: Hashable {
    let client: SocketAddress
    let server: SocketAddress

    init(client: SocketAddress, server: SocketAddress) {
        self.client = SocketAddress(client.address.unmapped, port: client.port)
        self.server = SocketAddress(server.address.unmapped, port: server.port)
    }
}
