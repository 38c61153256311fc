import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine
import Telemetry

extension Connection {
    /// Asks the kernel where the connection was going and who opened it.
    ///
    /// There is no fallback: without an answer `facts.original` stays `nil`, and the connection is refused.
    func recoverDestination(_ worker: Worker) {
        let family = clientAddress.socket.address.family
        guard let original = try? originalDestination(client.descriptor, family: family) else { return }
        facts.original = OriginalDestination(original)
        facts.port = original.port
        facts.isOwnListener = worker.isOwnListener(original)
        facts.workloadUID = worker.owner(of: clientAddress, connectedTo: original)
    }
}

extension Worker {
    /// True where the address is one of this machine and the port one of the daemon's.
    ///
    /// The kernel is asked for every such port: addresses come and go. If it cannot be asked, the answer is yes.
    func isOwnListener(_ address: SocketAddress) -> Bool {
        guard settings.ownPorts.contains(address.port) else { return false }
        switch address.address.specialRange {
        case .loopback, .unspecified: return true
        default: return (try? netlink.isLocal(address.address)) ?? true
        }
    }

    /// The UID that owns the agent's end; `nil` where the kernel does not know or cannot be asked.
    func owner(of client: ClientAddress, connectedTo original: SocketAddress) -> UInt32? {
        do throws(SystemCallError) {
            return try netlink.owner(local: client.socket, remote: original)
        } catch {
            metrics.ownerLookupFailures.increment()
            return nil
        }
    }
}
