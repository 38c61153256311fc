import AuditTrail
import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine
import Telemetry
import WireFormats

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
            facts.workloadUID = worker.owner(of: self, connectedTo: place)
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
    /// Connections that go to different places may share a source port, and a redirect gives all but one of them another one. Our rules note
    /// which port it was, and whose. Without the note (rules of somebody else's, or of an older version) who has the port that we see may be
    /// another: no rule of the policy is to hang on that; the trail, the pool and the turns go by it.
    func owner(of connection: Connection, connectedTo original: SocketAddress) -> UInt32? {
        guard connection.isPortCertain || !(snapshot.policy?.asksForUsers ?? true) else {
            // By rules that note nothing: somebody is to hear of it.
            metrics.ownerLookupFailures.increment()
            return nil
        }
        do throws(SystemCallError) {
            let client = connection.clientAddress.socket
            if let note = connection.notedUser { return try owner(notedAs: note, local: client, remote: original) }
            let owner = try netlink.owner(local: client, remote: original)
            // Who has its port and destination may have them from somebody who is gone: while the connection exists, nobody else can have
            // been connected by them.
            return try isConnected(connection.client.descriptor) ? owner : nil
        } catch {
            metrics.ownerLookupFailures.increment()
            return nil
        }
    }

    /// The user whom a note is of; `nil` where that cannot be found out.
    ///
    /// A user is asked for by a socket that may be theirs, and not again.
    private func owner(notedAs note: UInt32, local: SocketAddress, remote: SocketAddress) throws(SystemCallError)
        -> UInt32?
    {
        if let known = knownUsers[note] { return known }
        guard let owner = try netlink.owner(local: local, remote: remote), UserHash.of(user: owner) == note else {
            return nil
        }
        if knownUsers.count >= Self.mostKnownUsers {
            knownUsers = [:]
            knowNamedUsers()
        }
        knownUsers[note] = owner
        return owner
    }

    /// Knows the users whom the policy names by their notes: one who has said something and is gone cannot be asked about.
    func knowNamedUsers() {
        for user in snapshot.policy?.namedUsers.prefix(Self.mostKnownUsers / 2) ?? [] {
            knownUsers[UserHash.of(user: user)] = user
        }
    }

    private static let mostKnownUsers = 1024

    /// What our rules have noted in the first segment of a redirected connection; `nil` where they have not.
    func originNote(of socket: borrowing OwnedDescriptor) -> OriginNote? {
        guard let headers = try? firstSegment(socket) else { return nil }
        return OriginNote(ofSegment: headers.span)
    }
}
