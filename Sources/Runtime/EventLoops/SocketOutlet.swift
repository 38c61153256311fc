import LinuxBindings

/// The way out of a socket: short pieces are gathered until the end of the loop's turn, and what the kernel does not take waits here.
///
/// Lives on its socket's loop. Whoever gave a piece that was taken need not keep it; a failure that shows later is the socket's, and is told
/// to whoever sends next, and to whoever reads once there is nothing more to read.
package final class SocketOutlet {
    /// Of the descriptor, which is the socket's.
    let number: Int32
    /// A piece of it is in the batch.
    var isGathered = false
    /// The last period in which something came for the socket.
    var movedInPeriod: UInt64 = .max
    /// What sending has failed with.
    private(set) var failure: SystemCallError?
    /// True while octets wait that the kernel has not taken.
    var hasUnsent: Bool { keepsUnsent }
    // A plain value, which need not be guarded: it is asked with every piece.
    private var keepsUnsent = false
    /// At most what fits into a batch.
    private var unsent: [UInt8] = []
    private var endsBehindUnsent = false
    private var hasEnded = false
    /// Set while the socket is attached to a loop.
    private var socket: StreamSocket?
    private var sends: GatheredSends?

    package init(number: Int32) {
        self.number = number
    }

    /// The socket is attached to the loop whose sends these are.
    func join(_ sends: GatheredSends, for socket: StreamSocket) {
        self.sends = sends
        self.socket = socket
    }

    /// The socket is about to leave its loop.
    func leave() {
        settle()
        sends?.noteEnd(of: self)
        sends = nil
        socket = nil
    }

    /// Something has come for the socket.
    func noteMove() { sends?.noteMove(of: self) }

    /// Takes octets, and says how many.
    package func send(_ octets: Span<UInt8>) throws(SystemCallError) -> Completion<Int> {
        if let failure { throw failure }
        // It is no failure of the socket's: who still has to say something, TLS for one, may read on.
        if hasEnded { throw .afterEnd }
        guard let sends, octets.count <= SendBatch.mostOctets else { return try sendAtOnce(octets) }
        if isGathered {
            if sends.extend(octets, of: self) { return .done(octets.count) }
            guard try isClear() else { return .wouldBlock }
        }
        guard sends.gathers, !keepsUnsent else { return try sendAtOnce(octets) }
        sends.add(octets, of: self)
        return .done(octets.count)
    }

    private func sendAtOnce(_ octets: Span<UInt8>) throws(SystemCallError) -> Completion<Int> {
        guard try isClear() else { return .wouldBlock }
        return try sendBytes(octets, to: number)
    }

    /// Gives the kernel what is gathered; true where it has taken all of it, and the next octets can go to it past this outlet.
    func isClear() throws(SystemCallError) -> Bool {
        settle()
        if let failure { throw failure }
        return !keepsUnsent
    }

    /// Gives the kernel what is gathered.
    func settle() {
        if isGathered { sends?.send() }
    }

    /// Sends what the kernel has not taken, as much as it takes now.
    func flush() {
        while keepsUnsent {
            let octets = unsent
            do throws(SystemCallError) {
                guard case .done(let count) = try sendBytes(octets.span, to: number) else { return }
                keep(octets.span.extracting(count...))
            } catch {
                return fail(error)
            }
        }
        // A socket that is gone has ended.
        if endsBehindUnsent { try? end() }
    }

    /// Ends the sending side behind what was sent.
    package func end() throws(SystemCallError) {
        endsBehindUnsent = try !isClear()
        guard !endsBehindUnsent else { return }
        hasEnded = true
        try shutdownSending(number)
    }

    /// What has become of a piece in the batch.
    func hasSent(_ outcome: SendBatch.Outcome, rest: Span<UInt8>) {
        isGathered = false
        switch outcome {
        case .taken where rest.isEmpty: break
        case .taken:
            keep(rest)
            socket?.isWritable = false
        case .failed(let error): fail(error)
        }
    }

    private func keep(_ octets: Span<UInt8>) {
        var kept: [UInt8] = []
        kept.reserveCapacity(octets.count)
        for index in octets.indices { kept.append(octets[index]) }
        unsent = kept
        keepsUnsent = !kept.isEmpty
    }

    private func fail(_ error: SystemCallError) {
        failure = error
        unsent = []
        keepsUnsent = false
        socket?.noteFailure()
    }
}
