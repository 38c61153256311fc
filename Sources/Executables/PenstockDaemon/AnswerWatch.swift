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
    private var before: Set<TCPTableRow> = []

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
        // The table of sockets takes milliseconds to read: only where somebody in the pod had to knock twice.
        let count = repeatedOpenings()
        if count != repeated || !before.isEmpty {
            let waiting = Set(TCPTableRow.all(.halfOpen).filter(isOurs))
            if let stuck = waiting.intersection(before).first, metrics.accepted.value == 0 {
                return silenced(Self.text(port: stuck.localPort))
            }
            before = waiting
        }
        repeated = count
        _ = loop.schedule(afterNanoseconds: Self.interval) { self.look(on: loop) }
    }

    private func isOurs(_ row: TCPTableRow) -> Bool {
        if ports.contains(row.localPort) { return true }
        guard let notCaptured else { return false }
        return row.user == effectiveIdentity().user && !notCaptured.contains(row.localPort)
    }

    private static func text(port: UInt16) -> String {
        let (user, group) = effectiveIdentity()
        return
            "clients of port \(port) get no answer: something drops the daemon's packets. It runs as UID \(user) and GID "
            + "\(group); the kernel's rules must name exactly these (--proxy-uid and --proxy-gid of penstock-init, 10880 if not said)"
    }
}
