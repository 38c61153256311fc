import AuditTrail
import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine
import Telemetry

extension Connection {
    /// Asks the kernel where the connection was going and who opened it.
    ///
    /// There is no fallback: without an answer `facts.original` stays `nil`, and the connection is refused. Nor is one way taken for
    /// the other: what was redirected to a listener for TPROXY has that listener's own address and is refused for it, and
    /// of what was handed over by TPROXY nat remembers nothing.
    func recoverDestination(_ worker: Worker) {
        let family = clientAddress.socket.address.family
        switch arrival {
        case .redirected: take(try? originalDestination(client.descriptor, family: family), worker)
        case .routed: take(try? localAddress(client.descriptor), worker)
        case .asked:
            // Where it wants to go, it says itself.
            guard let ours = try? localAddress(client.descriptor) else { return }
            recoverOwner(connectedTo: ours, worker)
        }
    }

    private func take(_ original: SocketAddress?, _ worker: Worker) {
        guard let original else { return }
        facts.original = OriginalDestination(original)
        facts.port = original.port
        facts.isOwnListener = worker.isOwnListener(original)
        recoverOwner(connectedTo: original, worker)
        if comesFromUs { facts.isOwnListener = true }
    }

    /// True where the daemon has dialled it itself, by a way out whose mark the rules take for theirs: each would dial the next.
    var comesFromUs: Bool {
        guard arrival == .routed, let own = worker.settings.loopUser else { return false }
        return facts.workloadUID == own
    }

    /// The user of a client on this machine; the address of another one, whose users nobody here knows.
    private func recoverOwner(connectedTo place: SocketAddress, _ worker: Worker) {
        if mayBeRemote, !worker.isOfThisMachine(clientAddress) {
            facts.clientAddress = clientAddress.socket.address
        } else {
            facts.workloadUID = worker.owner(of: client, at: clientAddress, connectedTo: place)
        }
    }
}

extension Worker {
    /// True where the address is one of this machine and the port one of the daemon's.
    ///
    /// The kernel is asked for every such port: addresses come and go. If it cannot be asked, the answer is yes.
    func isOwnListener(_ address: SocketAddress) -> Bool {
        netlink.isLocal(address, among: settings.ownPorts)
    }

    /// True where the client's end is on this machine; if the kernel cannot be asked, the answer is yes.
    func isOfThisMachine(_ client: ClientAddress) -> Bool {
        (try? netlink.isLocal(client.socket.address)) ?? true
    }

    /// The UID that owns the agent's end; `nil` where the kernel does not know or cannot be asked.
    ///
    /// The kernel gives one source port to several connections that go to different places. A redirect gives all of them
    /// one destination, and so another port to all but one: then every socket of the agent's with that destination is looked
    /// at, and they must all be one user's. The connection still exists afterwards and nobody has closed this end of it, so its own
    /// socket was among them, and not as one that both ends have closed.
    func owner(of client: StreamSocket, at address: ClientAddress, connectedTo original: SocketAddress) -> UInt32? {
        do throws(SystemCallError) {
            if let owner = try netlink.owner(local: address.socket, remote: original) { return owner }
            let owners = try netlink.owners(localAddress: address.socket.address, remote: original)
            guard let owners, owners.count == 1, try isConnected(client.descriptor) else { return nil }
            return owners.first
        } catch {
            metrics.ownerLookupFailures.increment()
            return nil
        }
    }
}
