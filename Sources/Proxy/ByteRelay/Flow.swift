import EventLoops
import LinuxBindings

/// Which side of a flow failed, and how.
package struct FlowFailure: Error {
    /// The end that a failure was met at.
    package enum Side {
        case source
        case sink
    }

    package let side: Side
    package let error: SystemCallError
}

/// One direction between two sockets: bytes from one to the other, none lost, none held beyond one buffer.
///
/// Lives on one loop.
///
/// Small pieces are copied through the loop's buffer; after three full buffers in a row the bytes go through a pipe in the
/// kernel instead. Nothing is read that the other side has not taken: that is the back-pressure.
package final class Flow {
    package let source: StreamSocket
    package let sink: StreamSocket
    /// Bytes that the sink has taken.
    package var moved: UInt64 { taken }
    /// The source has said that it will send no more.
    package var sourceEnded: Bool { hasEnded }
    /// Everything that there was to pass on has been passed on, the end too.
    package var isFinished: Bool { isOver }
    /// What bounds how much it may carry; `nil`: nothing does.
    ///
    /// What is held already is spent from it before it is passed on.
    package var meter: (any FlowMeter)? {
        get { bound }
        set {
            bound = newValue
            unpaid = newValue == nil ? 0 : held.count - gone
        }
    }
    // What is private is seen by the compiler wherever it is touched: each access would else be checked as it runs.
    private var taken: UInt64 = 0
    private var bound: (any FlowMeter)?
    private var hasEnded = false
    private var isOver = false
    private var held: [UInt8]
    /// How many of the held bytes, the first of them, have been passed on.
    private var gone = 0
    /// Room for bytes that go first is kept for the next that begin.
    private let keepsRoom: Bool
    /// How many of the held bytes, the last of them, are not spent from the meter yet.
    private var unpaid = 0
    /// How many bytes are still to be taken from the source; `nil`: all until its end.
    private var remaining: UInt64?
    private var pipe: SplicePipe?
    private var bytesInPipe = 0
    private var fullReads = 0
    /// The kernel can pass the bytes on by itself: they are on both sides what goes over the wire.
    private let isPlain: Bool

    /// How many reads a flow may do before others get their turn.
    private static let budget = 16
    /// How much room is kept at most: an answer's head and a short body.
    private static let mostRoom = 4096

    /// One direction; `held` are bytes that were read before and must go first.
    ///
    /// With `keepsRoom`, whoever begins anew may write into the room of the bytes before, which `takeRoom` gives; `forgetRoom` lets
    /// go of it.
    package init(from source: StreamSocket, to sink: StreamSocket, held: [UInt8] = [], keepsRoom: Bool = false) {
        self.source = source
        self.sink = sink
        self.held = held
        self.keepsRoom = keepsRoom
        isPlain = !source.isCoded && !sink.isCoded
    }

    /// Puts bytes in front that were read elsewhere.
    package func hold(_ bytes: [UInt8]) {
        held = bytes
        gone = 0
        unpaid = bound == nil ? 0 : bytes.count
    }

    /// No bytes, in memory that is there already if there is any.
    package func takeRoom() -> [UInt8] {
        guard gone == held.count else { return [] }
        var room: [UInt8] = []
        swap(&room, &held)
        gone = 0
        room.removeAll(keepingCapacity: true)
        return room
    }

    /// Lets go of room that nothing is in.
    package func forgetRoom() {
        guard gone == held.count else { return }
        held = []
        gone = 0
    }

    /// Starts over with bytes that go first, and so many more from the source, `nil` for all until its end.
    package func begin(_ bytes: [UInt8], thenTaking count: UInt64?) {
        hold(bytes)
        remaining = count
        isOver = false
    }

    /// True while bytes wait that the sink has not taken.
    package var isHolding: Bool { gone < held.count || bytesInPipe > 0 }

    /// True where the source has ended before it gave what it was to give.
    package var isCutShort: Bool { hasEnded && (remaining ?? 0) > 0 }

    /// Moves what can be moved now; true where there may be more, and only the turn is over.
    ///
    /// At its end it tells the sink so, unless `isLast` says that the other direction is finished, or that the sink is to go
    /// on.
    package func pump(_ means: RelayMeans, isLast: Bool) throws(FlowFailure) -> Bool {
        guard !isOver else { return false }
        for _ in 0..<Self.budget {
            guard try passOnHeld(), try passOnPipe() else { return false }
            if hasEnded || remaining == 0 {
                // What waits for room is not passed on yet.
                guard try hasEnded ? isTaken() : !sink.hasUnsent else { return false }
                try finish(means, isLast: isLast)
                return false
            }
            guard !sink.hasUnsent, source.isReadable, try hasAllowance() else { return false }
            if sourceEnded { continue }
            if isPlain, fullReads >= 3, pipe != nil || takePipe(means) { try fillPipe(means) } else { try copy(means) }
        }
        return true
    }

    /// Gives the pipe back when the relay ends, whatever is in it.
    package func release(_ means: RelayMeans) {
        guard let pipe else { return }
        self.pipe = nil
        if bytesInPipe == 0 { means.pipes.giveBack(pipe) } else { means.pipes.discard() }
        bytesInPipe = 0
    }

    /// Whether the sink has taken all that was passed on, and does not only keep it.
    private func isTaken() throws(FlowFailure) -> Bool {
        do throws(SystemCallError) {
            return try sink.isClear()
        } catch {
            throw FlowFailure(side: .sink, error: error)
        }
    }

    private func copy(_ means: RelayMeans) throws(FlowFailure) {
        let buffer = means.buffer
        let wanted = min(buffer.capacity, atMost)
        switch try reading({ () throws(SystemCallError) in
            try source.receive(into: buffer, atMost: wanted)
        }) {
        case .wouldBlock:
            fullReads = 0
        case .done(0):
            hasEnded = true
        case .done(let count):
            took(count)
            fullReads = count == buffer.capacity ? fullReads + 1 : 0
            // Only a relay that takes all until the end passes the end on: another keeps its sink open.
            let isLast = remaining == nil && source.isLastReadable && count < wanted
            let sent = try send { () throws(SystemCallError) in
                try sink.send(0..<count, of: buffer, endFollows: isLast)
            }
            if sent < count {
                held = buffer.copy(sent..<count)
                gone = 0
            }
        }
    }

    /// Sends what is held; false where the sink takes no more now.
    private func passOnHeld() throws(FlowFailure) -> Bool {
        while gone < held.count {
            guard sink.isWritable else { return false }
            if unpaid > 0 { pay() }
            let end = held.count - unpaid
            guard gone < end else { return false }
            let bytes = held[gone..<end]
            let sent = try send { () throws(SystemCallError) in
                try sink.send(bytes)
            }
            gone += sent
            // Nearly always all of it goes at once.
            if gone == held.count, !keepsRoom || gone > Self.mostRoom { forgetRoom() }
        }
        return true
    }

    private func takePipe(_ means: RelayMeans) -> Bool {
        pipe = means.pipes.take()
        if pipe == nil { fullReads = 0 }
        return pipe != nil
    }

    private func fillPipe(_ means: RelayMeans) throws(FlowFailure) {
        guard let pipe else { return }
        let wanted = atMost
        switch try reading({ () throws(SystemCallError) in
            try pipe.fill(from: source.descriptor, atMost: wanted)
        }) {
        case .wouldBlock:
            // The pipe is empty here, so it is the socket that has nothing. The burst is over.
            source.isReadable = false
            fullReads = 0
            release(means)
        case .done(0):
            // The end, or urgent data, which a pipe does not carry: reading tells the two apart.
            fullReads = 0
            release(means)
        case .done(let count):
            took(count)
            bytesInPipe = count
        }
    }

    /// Sends what the pipe holds; false where the sink takes no more now.
    private func passOnPipe() throws(FlowFailure) -> Bool {
        guard let pipe else { return true }
        while bytesInPipe > 0 {
            // The pipe goes past what was gathered before.
            guard sink.isWritable, sink.isFlushed else { return false }
            let count = bytesInPipe
            let sent = try send { () throws(SystemCallError) in
                try pipe.drain(count, to: sink.descriptor)
            }
            bytesInPipe = count - sent
        }
        return true
    }

    private func finish(_ means: RelayMeans, isLast: Bool) throws(FlowFailure) {
        release(means)
        isOver = true
        // A sink of which more was promised is told of no end: it is to be reset.
        guard hasEnded, !isCutShort else { return }
        // When the other direction is over as well, both sockets are closed next, and closing says the same: without TLS.
        if isLast, !sink.isCoded { return }
        do throws(SystemCallError) {
            // A source that was cut off is not to look like one that was done.
            try sink.endSending(inOrder: source.endedInOrder)
        } catch {
            throw FlowFailure(side: .sink, error: error)
        }
    }

    /// How many bytes the source may be asked for.
    private var atMost: Int {
        let asked = remaining.map { Int(clamping: $0) } ?? .max
        return bound.map { min($0.allowance, asked) } ?? asked
    }

    private func took(_ count: Int) {
        if let left = remaining { remaining = left - UInt64(count) }
        bound?.spend(count)
    }

    /// True where another byte may be taken, or the end; otherwise whoever made the meter sees to it that the flow goes on, or
    /// is ended.
    private func hasAllowance() throws(FlowFailure) -> Bool {
        guard let meter = bound, meter.allowance == 0 else { return true }
        // A source that has nothing more to say needs no allowance for it.
        switch try reading({ () throws(SystemCallError) in try source.peekAtByte() }) {
        case .wouldBlock: return false
        case .done(0):
            hasEnded = true
            return true
        case .done: return meter.refill()
        }
    }

    /// Spends held bytes from the meter, as many as it allows.
    private func pay() {
        guard let meter = bound else { return }
        while unpaid > 0, meter.allowance > 0 || meter.refill() {
            let count = min(unpaid, meter.allowance)
            meter.spend(count)
            unpaid -= count
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
                taken &+= UInt64(count)
                return count
            }
        } catch {
            throw FlowFailure(side: .sink, error: error)
        }
    }
}
