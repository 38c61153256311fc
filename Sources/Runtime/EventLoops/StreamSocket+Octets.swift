import LinuxBindings

/// What is read and written goes through the socket's cipher, where it has one; readiness is noted on the way.
extension StreamSocket {
    /// True where what is read is not what goes over the wire: the kernel cannot pass it on by itself.
    package var isCoded: Bool { cipher != nil }

    /// Receives at most `count` bytes, or a buffer full; 0 is the end of the stream.
    ///
    /// A cipher gives a bounded number of pieces in one turn of the loop. Behind them it is as if there were no more, and whoever waits
    /// or observes is told in the next turn: a peer may say each octet in a TLS record of its own.
    package func receive(
        into buffer: TransferBuffer,
        atMost count: Int = .max
    ) throws(SystemCallError) -> Completion<Int> {
        if let cipher {
            guard takeTurn() else { return .wouldBlock }
            // Reading may have to answer: with new keys, or the end.
            defer { noteUnsent() }
            let completion = try cipher.receive(into: buffer, atMost: count)
            charge(cipher.overhead)
            switch completion {
            case .wouldBlock:
                guard !cipher.isMidway else {
                    holdBack()
                    break
                }
                noteEmpty()
                try tellFailure()
            case .done(0): try tellFailureAtEnd()
            case .done:
                // What it has given may have been all: asking again would cost a look into TLS.
                if !cipher.mayHaveMore { noteEmpty() }
            }
            return completion
        }
        let completion = try buffer.receive(from: descriptor, atMost: count)
        switch completion {
        case .wouldBlock:
            isReadable = false
            try tellFailure()
        case .done(0): try tellFailureAtEnd()
        // A short read has emptied the socket: asking again would only tell so.
        case .done(let received):
            if received < min(count, buffer.capacity), !readsShort { isReadable = false }
        }
        return completion
    }

    /// At the end of what can be read, what sending has met is told where it came before the peer's own end.
    ///
    /// The kernel gives a reset behind that end another number (`EPIPE`, in the state CLOSE_WAIT): all that the peer said has come.
    private func tellFailureAtEnd() throws(SystemCallError) {
        if cipher?.endedInOrder ?? false { return }
        if let failure = outlet.failure, failure != .afterEnd { throw failure }
    }

    /// What sending has met is told where there is nothing more to read.
    private func tellFailure() throws(SystemCallError) {
        if let failure = outlet.failure { throw failure }
    }

    /// Whether a byte waits to be read: 1, or 0 at the end of the stream; it is not taken.
    package func peekAtByte() throws(SystemCallError) -> Completion<Int> {
        defer { noteUnsent() }
        let completion = if let cipher { try cipher.peek() } else { try LinuxBindings.peekAtByte(descriptor) }
        if case .wouldBlock = completion {
            if cipher?.isMidway ?? false { holdBack() } else { noteEmpty() }
        }
        if case .done(0) = completion { try tellFailureAtEnd() }
        return completion
    }

    /// True where the peer has said nothing that is not read, as far as can be known at once: it is looked for, whoever's turn it is.
    ///
    /// One that has not taken what it asked for is not read on, and nobody knows what it has said.
    package var isSilent: Bool {
        guard isFlushed else { return false }
        if mayBeReadable {
            guard case .wouldBlock? = try? peekAtByte() else { return false }
            if cipher?.isMidway ?? false { return false }
        }
        return !(cipher?.holdsPart ?? false)
    }

    /// True where the peer has ended its side, and nothing that it said is unread; it can be answered as before.
    package var hasSaidAll: Bool {
        guard isLastReadable else { return false }
        if let cipher, !cipher.holdsPart, case .done(0)? = try? LinuxBindings.peekAtByte(descriptor) {
            // A cipher that meets an end which was not announced has failed, and sends no more.
            return true
        }
        guard case .done(0)? = try? peekAtByte() else { return false }
        return true
    }

    /// Sends the bytes in `range` of a buffer, and says how many were taken.
    ///
    /// With `endFollows` a last short segment is kept back until the end is said, and both go as one.
    package func send(
        _ range: Range<Int>,
        of buffer: TransferBuffer,
        endFollows: Bool = false
    ) throws(SystemCallError) -> Completion<Int> {
        if endFollows, cipher == nil {
            guard try outlet.isClear() else { return noting(.wouldBlock) }
            return noting(try buffer.send(range, to: descriptor, endFollows: true))
        }
        guard let cipher else {
            return noting(
                try buffer.withBytes(range) { bytes throws(SystemCallError) in try outlet.send(bytes) }
            )
        }
        return noting(
            try buffer.withBytes(range) { bytes throws(SystemCallError) in try cipher.send(bytes) }
        )
    }

    /// Sends bytes, and says how many were taken.
    package func send(_ bytes: ArraySlice<UInt8>) throws(SystemCallError) -> Completion<Int> {
        guard let cipher else { return noting(try outlet.send(bytes.span)) }
        return noting(try cipher.send(bytes.span))
    }

    /// Ends the sending side behind what was sent; reading goes on.
    ///
    /// Without `inOrder` the peer is left to think that it was cut off, where it can tell. Said again it means nothing.
    package func endSending(inOrder: Bool = true) throws(SystemCallError) {
        // The kernel takes it for an error where the peer has ended its side meanwhile.
        guard !hasEndedSending else { return }
        hasEndedSending = true
        guard let cipher else { return try outlet.end() }
        cipher.endSending(inOrder: inOrder)
        noteUnsent()
    }

    /// The kernel has taken all that was sent; what is gathered it is given now.
    package var isFlushed: Bool {
        outlet.settle()
        return !hasUnsent
    }

    /// As `isFlushed`, and what was sent before has not failed meanwhile.
    package func isClear() throws(SystemCallError) -> Bool {
        // What it cannot send it has lost, and tells once it is asked.
        try cipher?.flush()
        return try outlet.isClear() && !(cipher?.hasUnsent ?? false)
    }

    /// True while octets wait that the kernel has refused: there is no room for more.
    package var hasUnsent: Bool { outlet.hasUnsent || cipher?.hasUnsent ?? false }

    /// True where a peer that is there has not acknowledged all that it was sent.
    package var isOnItsWay: Bool {
        outlet.settle()
        guard hasUnsent || (try? octetsOnTheirWay(descriptor)).map({ $0 > 0 }) ?? false else { return false }
        return (try? isConnected(descriptor)) == true
    }

    /// The stream that has come to its end was not cut short: TLS tells, TCP alone cannot.
    package var endedInOrder: Bool { cipher?.endedInOrder ?? true }

    /// Leaves the cipher out for good: what can be read from here on is what goes over the wire.
    package func dropCipher() {
        guard cipher != nil else { return }
        cipher = nil
        // The cipher may have known that it has no whole record; of the wire nothing is known.
        isReadable = true
    }

    /// A socket that has not taken all that a cipher wrote tells by an edge when it takes more.
    ///
    /// Where whoever sends has found out before that it does, no edge follows for a cipher that had stopped reading.
    package func noteUnsent() {
        guard let cipher else { return }
        if cipher.hasUnsent { isWritable = false } else if cipher.hadToStop { holdBack() }
    }

    private func noting(_ completion: Completion<Int>) -> Completion<Int> {
        if case .wouldBlock = completion { isWritable = false }
        noteUnsent()
        return completion
    }
}
