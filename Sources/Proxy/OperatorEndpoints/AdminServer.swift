import EventLoops
import LinuxBindings
import Posture

/// A user and a group that may use the admin socket.
package struct AdminPeer: Hashable, Sendable {
    package var user: UInt32
    package var group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}

/// Who does what is asked over the admin socket.
///
/// Lives on one loop.
package protocol AdminParty: AnyObject {
    /// A watcher tells what it found.
    func take(_ report: RulesetReport, from peer: PeerCredentials, on loop: isolated EventLoop)
    /// What the daemon knows of its own boundary, looked at anew.
    func posture(on loop: isolated EventLoop) async -> PostureReport
    /// Somebody came who may not use the socket.
    func refused(_ peer: PeerCredentials, on loop: isolated EventLoop)
}

/// Answers lines on the daemon's Unix socket.
///
/// Lives on one loop. Who may ask is told by the kernel (SO_PEERCRED): the user and the group must both be allowed, and root
/// never is.
package final class AdminServer: EventHandler {
    private let listener: OwnedDescriptor
    private let allowed: Set<AdminPeer>
    private unowned let party: any AdminParty
    private var token: WatchToken?
    private var retry: TimerToken?
    /// Who is being talked to, the oldest first.
    private var open: [StreamSocket] = []

    /// Conversations at a time; one more ends the oldest.
    private static let capacity = 8
    /// How long a line that was begun may take, and an answer, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000

    /// Takes over a socket that listens; `party` must live as long as the server.
    package init(
        adopting listener: consuming OwnedDescriptor,
        allowed: Set<AdminPeer>,
        _ party: any AdminParty
    ) {
        self.listener = listener
        self.allowed = allowed
        self.party = party
    }

    /// Starts to answer, for as long as somebody keeps the server.
    package func start(on loop: isolated EventLoop) throws(SystemCallError) {
        token = try loop.watch(listener, self)
    }

    /// Takes who waits: the listener is ready.
    package func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        do throws(SystemCallError) {
            while let accepted = try acceptLocally(listener) { try take(accepted, on: loop) }
        } catch {
            // Without descriptors no edge tells that there are some again.
            guard retry == nil else { return }
            retry = loop.schedule(afterNanoseconds: 100_000_000) { [weak self] in
                self?.retry = nil
                self?.ready([.readable], on: loop)
            }
        }
    }

    private func take(_ accepted: consuming OwnedDescriptor, on loop: isolated EventLoop) throws(SystemCallError) {
        let peer = try peerCredentials(accepted)
        let socket = StreamSocket(accepted)
        guard peer.user != 0, allowed.contains(AdminPeer(user: peer.user, group: peer.group)) else {
            party.refused(peer, on: loop)
            let text = "UID \(peer.user) and GID \(peer.group) may not use this socket: listen.admin.peers says who may"
            _ = try? sendBytes(AdminAnswer.refusal(text) + [UInt8(ascii: "\n")], to: socket.descriptor)
            return
        }
        try socket.attach(to: loop)
        open.append(socket)
        if open.count > Self.capacity { open.removeFirst().interrupt(on: loop) }
        loop.startTask(with: (self, socket, peer)) { state, loop in
            await state.0.converse(state.1, state.2, on: loop)
        }
    }

    private func converse(_ socket: StreamSocket, _ peer: PeerCredentials, on loop: isolated EventLoop) async {
        var pending: [UInt8] = []
        while let line = await nextLine(from: socket, &pending, on: loop) {
            let (answer, isLast) = await answer(line, peer, on: loop)
            guard await send(answer + [UInt8(ascii: "\n")], to: socket, on: loop), !isLast else { break }
        }
        socket.detach(from: loop)
        open.removeAll { $0 === socket }
    }

    private func answer(
        _ line: [UInt8]?,
        _ peer: PeerCredentials,
        on loop: isolated EventLoop
    ) async -> (bytes: [UInt8], isLast: Bool) {
        guard let line else { return (AdminAnswer.refusal("a line has more than \(AdminRequest.limit) bytes"), true) }
        do throws(AdminFault) {
            switch try AdminRequest(line: line) {
            case .ruleset(let report):
                party.take(report, from: peer, on: loop)
                return (AdminAnswer.done, false)
            case .posture: return (await party.posture(on: loop).json, false)
            }
        } catch {
            return (AdminAnswer.refusal("\(error)"), true)
        }
    }

    /// The next line, without its newline; `.some(nil)`: it is too long; `nil`: there is none any more.
    private func nextLine(
        from socket: StreamSocket,
        _ pending: inout [UInt8],
        on loop: isolated EventLoop
    ) async -> [UInt8]?? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(pending[..<end])
                pending.removeFirst(end + 1)
                return .some(line)
            }
            guard pending.count <= AdminRequest.limit else { return .some(nil) }
            // A watcher may be silent between two lines, and not within one.
            let deadline = pending.isEmpty ? nil : loop.now + Self.patience
            guard isOpen(socket), await socket.wait(for: .reading, until: deadline, on: loop) == .ready else {
                return nil
            }
            guard let completion = try? receiveBytes(socket.descriptor, atMost: 16_384) else { return nil }
            switch completion {
            case .wouldBlock: socket.isReadable = false
            case .done(let bytes):
                guard !bytes.isEmpty else { return nil }
                pending += bytes
            }
        }
    }

    private func send(_ bytes: [UInt8], to socket: StreamSocket, on loop: isolated EventLoop) async -> Bool {
        let deadline = loop.now + Self.patience
        var rest = bytes[...]
        while !rest.isEmpty {
            guard isOpen(socket), await socket.wait(for: .writing, until: deadline, on: loop) == .ready,
                let completion = try? sendBytes(rest, to: socket.descriptor)
            else { return false }
            switch completion {
            case .wouldBlock: socket.isWritable = false
            case .done(let count): rest = rest.dropFirst(count)
            }
        }
        return true
    }

    /// False for one that was ended before it waited.
    private func isOpen(_ socket: StreamSocket) -> Bool { open.contains { $0 === socket } }
}
