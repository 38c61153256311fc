import EventLoops
import LinuxBindings
import NetworkTypes

/// Answers `/healthz`, `/readyz` and `/metrics` on a port of its own.
///
/// Lives on one loop.
package final class HealthServer: AcceptingParty {
    private let acceptor: Acceptor
    private let source: any HealthSource
    private let buffer = TransferBuffer(capacity: 4096)
    /// Who is being talked to, the oldest first.
    private var open: [StreamSocket] = []

    /// Conversations at a time; one more ends the oldest, so that idle ones never keep a probe waiting.
    private static let capacity = 64
    /// How long one may take, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000

    /// Takes over a socket that listens.
    package init(adopting listener: consuming OwnedDescriptor, _ source: any HealthSource) {
        acceptor = Acceptor(adopting: listener)
        self.source = source
    }

    /// Starts to answer, for as long as somebody keeps the server.
    package func start(on loop: isolated EventLoop) throws(SystemCallError) {
        try acceptor.start(for: self, on: loop)
    }

    /// Talks to somebody who has come.
    package func take(_ accepted: consuming AcceptedSocket, on loop: isolated EventLoop) {
        let socket = StreamSocket(accepted.takeDescriptor())
        guard (try? socket.attach(to: loop)) != nil else { return }
        open.append(socket)
        // Taken out at once: in a burst each that comes must end another.
        if open.count > Self.capacity { open.removeFirst().interrupt(on: loop) }
        loop.startTask(with: (self, socket)) { state, loop in await state.0.converse(state.1, on: loop) }
    }

    private func converse(_ socket: StreamSocket, on loop: isolated EventLoop) async {
        let deadline = loop.now + Self.patience
        if let request = await read(socket, until: deadline, on: loop) {
            await send(source.answer(request).bytes(headOnly: request.isHead), to: socket, until: deadline, on: loop)
        }
        socket.detach(from: loop)
        open.removeAll { $0 === socket }
    }

    private func read(
        _ socket: StreamSocket,
        until deadline: UInt64,
        on loop: isolated EventLoop
    ) async -> HealthRequest? {
        var head: [UInt8] = []
        var examined = 0
        // One that was ended before it waited has no wait to interrupt.
        while open.contains(where: { $0 === socket }),
            await socket.wait(for: .reading, until: deadline, on: loop) == .ready
        {
            guard let completion = try? buffer.receive(from: socket.descriptor) else { return nil }
            switch completion {
            case .wouldBlock: socket.isReadable = false
            case .done(0): return nil
            case .done(let count):
                buffer.append(0..<count, to: &head)
                if let request = HealthRequest(head, examined: examined) { return request }
                examined = head.count
            }
        }
        return nil
    }

    private func send(
        _ bytes: [UInt8],
        to socket: StreamSocket,
        until deadline: UInt64,
        on loop: isolated EventLoop
    ) async {
        var rest = bytes[...]
        while !rest.isEmpty, await socket.wait(for: .writing, until: deadline, on: loop) == .ready {
            guard let completion = try? sendBytes(rest, to: socket.descriptor) else { return }
            switch completion {
            case .wouldBlock: socket.isWritable = false
            case .done(let count): rest = rest.dropFirst(count)
            }
        }
        // The request is read whole, so closing says goodbye and not "reset".
        try? shutdownSending(socket.descriptor)
    }
}
