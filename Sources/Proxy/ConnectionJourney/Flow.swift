import EventLoops
import LinuxBindings

/// Which side of a tunnel failed.
struct FlowFailure: Error {
    enum Side {
        case source
        case sink
    }

    let side: Side
    let error: SystemCallError
}

/// One direction of a tunnel: bytes from one socket to the other, none lost, none held beyond one buffer.
///
/// Lives on one loop.
///
/// Small pieces are copied through the loop's buffer; after three full buffers in a row the bytes go through a pipe in the
/// kernel instead. Nothing is read that the other side has not taken: that is the back-pressure.
final class Flow {
    let source: StreamSocket
    let sink: StreamSocket
    /// Bytes that the sink has taken.
    private(set) var moved: UInt64 = 0
    /// The source has said that it will send no more.
    private(set) var sourceEnded = false
    /// Everything has been passed on, the end too.
    private(set) var isFinished = false
    private var held: ArraySlice<UInt8>
    private var pipe: SplicePipe?
    private var bytesInPipe = 0
    private var fullReads = 0

    /// How many reads a flow may do before others get their turn.
    private static let budget = 16

    /// One direction; `held` are bytes that were read before and must go first.
    init(from source: StreamSocket, to sink: StreamSocket, held: [UInt8] = []) {
        self.source = source
        self.sink = sink
        self.held = held[...]
    }

    /// Puts bytes in front that were read elsewhere.
    func hold(_ bytes: [UInt8]) {
        held = bytes[...]
    }

    /// Moves what can be moved now; true where there may be more, and only the turn is over.
    ///
    /// `isLast` says that the other direction is finished.
    func pump(_ worker: Worker, isLast: Bool) throws(FlowFailure) -> Bool {
        guard !isFinished else { return false }
        for _ in 0..<Self.budget {
            guard try passOnHeld(), try passOnPipe(worker) else { return false }
            if sourceEnded {
                try finish(worker, isLast: isLast)
                return false
            }
            guard source.isReadable else { return false }
            if fullReads >= 3, pipe != nil || takePipe(worker) { try fillPipe(worker) } else { try copy(worker) }
        }
        return true
    }

    /// Gives the pipe back when the tunnel ends, whatever is in it.
    func release(_ worker: Worker) {
        guard let pipe else { return }
        self.pipe = nil
        if bytesInPipe == 0 { worker.pipes.giveBack(pipe) } else { worker.pipes.discard() }
    }

    private func copy(_ worker: Worker) throws(FlowFailure) {
        let buffer = worker.buffer
        switch try reading({ () throws(SystemCallError) in try buffer.receive(from: source.descriptor) }) {
        case .wouldBlock:
            source.isReadable = false
            fullReads = 0
        case .done(0):
            sourceEnded = true
        case .done(let count):
            fullReads = count == buffer.capacity ? fullReads + 1 : 0
            // A short read has emptied the socket: asking again would only tell so. At the end of a stream it is asked all
            // the same, because no further edge will come.
            if count < buffer.capacity, !source.isEnding { source.isReadable = false }
            let isLast = source.isLastReadable && count < buffer.capacity
            let sent = try send { () throws(SystemCallError) in
                try buffer.send(0..<count, to: sink.descriptor, endFollows: isLast)
            }
            if sent < count { held = buffer.copy(sent..<count)[...] }
        }
    }

    /// Sends what is held; false where the sink takes no more now.
    private func passOnHeld() throws(FlowFailure) -> Bool {
        while !held.isEmpty {
            guard sink.isWritable else { return false }
            let bytes = held
            let sent = try send { () throws(SystemCallError) in
                try sendBytes(bytes, to: sink.descriptor)
            }
            held = held.dropFirst(sent)
        }
        if held.startIndex != 0 { held = [] }
        return true
    }

    private func takePipe(_ worker: Worker) -> Bool {
        pipe = worker.pipes.take()
        if pipe == nil { fullReads = 0 }
        return pipe != nil
    }

    private func fillPipe(_ worker: Worker) throws(FlowFailure) {
        guard let pipe else { return }
        switch try reading({ () throws(SystemCallError) in try pipe.fill(from: source.descriptor) }) {
        case .wouldBlock:
            // The pipe is empty here, so it is the socket that has nothing. The burst is over.
            source.isReadable = false
            fullReads = 0
            release(worker)
        case .done(0):
            // The end, or urgent data, which a pipe does not carry: reading tells the two apart.
            fullReads = 0
            release(worker)
        case .done(let count):
            bytesInPipe = count
        }
    }

    /// Sends what the pipe holds; false where the sink takes no more now.
    private func passOnPipe(_ worker: Worker) throws(FlowFailure) -> Bool {
        guard let pipe else { return true }
        while bytesInPipe > 0 {
            guard sink.isWritable else { return false }
            let count = bytesInPipe
            bytesInPipe -= try send { () throws(SystemCallError) in
                try pipe.drain(count, to: sink.descriptor)
            }
        }
        return true
    }

    private func finish(_ worker: Worker, isLast: Bool) throws(FlowFailure) {
        release(worker)
        isFinished = true
        // When the other direction is over as well, both sockets are closed next, and closing says the same.
        if isLast { return }
        do throws(SystemCallError) {
            try shutdownSending(sink.descriptor)
        } catch {
            throw FlowFailure(side: .sink, error: error)
        }
    }

    private func reading(
        _ body: () throws(SystemCallError) -> Completion<Int>
    ) throws(FlowFailure) -> Completion<Int> {
        do throws(SystemCallError) {
            return try body()
        } catch {
            throw FlowFailure(side: .source, error: error)
        }
    }

    private func send(
        _ body: () throws(SystemCallError) -> Completion<Int>
    ) throws(FlowFailure) -> Int {
        do throws(SystemCallError) {
            switch try body() {
            case .wouldBlock:
                sink.isWritable = false
                return 0
            case .done(let count):
                moved &+= UInt64(count)
                return count
            }
        } catch {
            throw FlowFailure(side: .sink, error: error)
        }
    }
}
