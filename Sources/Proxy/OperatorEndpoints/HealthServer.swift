import EventLoops
import LinuxBindings
import NetworkTypes

/// Answers `/healthz`, `/readyz` and `/metrics` on a port of its own.
///
/// Lives on one loop.
package final class HealthServer: EventHandler {
    private let listener: OwnedDescriptor
    private let source: any HealthSource
    private let buffer = TransferBuffer(capacity: 4096)
    /// Who is being talked to, the oldest first.
    private var open: [StreamSocket] = []
    private var retry: TimerToken?

    /// Conversations at a time; one more ends the oldest, so that idle ones never keep a probe waiting.
    private static let capacity = 64
    /// How long one may take, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000

    /// Takes over a socket that listens.
    package init(adopting listener: consuming OwnedDescriptor, _ source: any HealthSource) {
        self.listener = listener
        self.source = source
    }

    /// Starts to answer; the loop keeps the server.
    package func start(on loop: isolated EventLoop) throws(SystemCallError) {
        _ = try loop.watch(listener, self)
    }

    /// Takes what waits: the listener is ready.
    package func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        acceptAll(on: loop)
    }

    private func acceptAll(on loop: isolated EventLoop) {
        while true {
            do throws(SystemCallError) {
                guard let accepted = try acceptConnection(listener) else { return }
                let socket = StreamSocket(accepted.takeDescriptor())
                try socket.attach(to: loop)
                open.append(socket)
                // Taken out at once: in a burst each that comes must end another.
                if open.count > Self.capacity { open.removeFirst().interrupt(on: loop) }
                loop.startTask(with: (self, socket)) { state, loop in await state.0.converse(state.1, on: loop) }
            } catch {
                guard error.concernsOneConnectionOnly else { return acceptLater(on: loop) }
            }
        }
    }

    /// Without descriptors or memory no edge tells that there are some again.
    private func acceptLater(on loop: isolated EventLoop) {
        guard retry == nil else { return }
        retry = loop.schedule(afterNanoseconds: 100_000_000) { [weak self] in
            self?.retry = nil
            self?.acceptAll(on: loop)
        }
    }

    private func converse(_ socket: StreamSocket, on loop: isolated EventLoop) async {
        let deadline = loop.now + Self.patience
        if let request = await read(socket, until: deadline, on: loop) {
            let isHead = if case .get(_, true) = request { true } else { false }
            await send(source.answer(request).bytes(headOnly: isHead), to: socket, until: deadline, on: loop)
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
