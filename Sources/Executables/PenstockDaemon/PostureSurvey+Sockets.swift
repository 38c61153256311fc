import ConnectionJourney
import LinuxBindings
import NetworkTypes
import Posture
import Telemetry

extension PostureSurvey {
    /// A37: who else sits on a port of ours.
    ///
    /// The kernel picks them by port: how many others listen makes no difference.
    var ports: PostureCheck {
        let rows: [TCPSocket]
        do throws(SocketListProblem) {
            rows = try tcpSockets(.listening, ports: plan.journeys.ownPorts, limit: socketLimit)
        } catch { return unknown("listeners", error, "listening sockets with the daemon's ports") }
        let ours = Set(rows.map(\.inode)).intersection(listeners).count
        if let stranger = rows.first(where: { !listeners.contains($0.inode) }) {
            return PostureCheck(
                "listeners",
                .weak,
                "port \(stranger.local.port) is also listened on by UID \(stranger.user), who is not the daemon",
                remedy: "stop that program: the port is the daemon's"
            )
        }
        guard ours == listeners.count else {
            return PostureCheck(
                "listeners",
                .failed,
                "\(ours) of the daemon's \(listeners.count) listening sockets are in this network namespace",
                remedy: "the daemon must run in the agent's network namespace"
            )
        }
        return PostureCheck(
            "listeners",
            .ok,
            "all \(listeners.count) listening sockets are the daemon's; capture by \(plan.way.rawValue)"
        )
    }

    /// A01, A13: whoever has the daemon's user is let out like the daemon.
    var sockets: PostureCheck {
        let own = effectiveIdentity().user
        let others: [TCPSocket]
        do throws(SocketListProblem) {
            others = try tcpSockets(.listening, limit: socketLimit) { row in
                row.user == own && !listeners.contains(row.inode) && !plan.journeys.ownPorts.contains(row.local.port)
            }
        } catch { return unknown("sockets", error, "listening sockets") }
        guard let other = others.first else {
            return PostureCheck("sockets", .ok, "nobody else listens as the daemon's user")
        }
        return PostureCheck(
            "sockets",
            .weak,
            "port \(other.local.port) is listened on by the daemon's UID \(own), and not by the daemon",
            remedy: "give that program a user of its own: the rules may let it out as the daemon"
        )
    }

    /// A17: the kernel's rules do not see them.
    var unixSockets: PostureCheck {
        let names: [String]
        do throws(SocketListProblem) {
            names = try abstractListeners(limit: socketLimit)
        } catch { return unknown("unix", error, "listening Unix sockets", .note) }
        guard !names.isEmpty else { return PostureCheck("unix", .ok, "nobody listens on an abstract Unix socket") }
        let shown = names.prefix(3).map { printable($0.prefix(60)) }.joined(separator: ", ")
        return PostureCheck(
            "unix",
            .note,
            "\(names.count) abstract Unix sockets are listened on (\(shown)): containers of the pod can meet there, unseen",
            remedy: "know what listens there; none of the daemon's does"
        )
    }

    /// What could not be looked at is said, and never taken for nothing.
    private func unknown(
        _ name: String,
        _ problem: SocketListProblem,
        _ sockets: String,
        _ status: PostureCheck.Status = .weak
    ) -> PostureCheck {
        PostureCheck(name, status, problem.text(sockets), remedy: problem.remedy)
    }
}
