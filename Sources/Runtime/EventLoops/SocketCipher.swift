import LinuxBindings

/// What stands between a socket and those who read and write it: TLS.
///
/// Lives on the socket's loop, and is its socket's alone.
package protocol SocketCipher: AnyObject {
    /// Something can be read from the socket again; `isEnding`: nobody will say so once more.
    func becomesReadable(isEnding: Bool)

    /// False where nothing can be read until `becomesReadable` says otherwise.
    var mayHaveMore: Bool { get }

    /// The last look gave nothing, and there is more: it has gone through as much as one look may.
    var isMidway: Bool { get }

    /// The last look stopped at something that had to be answered and could not: it goes on when nothing is unsent.
    var hadToStop: Bool { get }

    /// How many octets the last look took from the wire beyond the data that it gave; fewer than none where it gave what others had
    /// taken.
    var overhead: Int { get }

    /// A part of something has been taken whose rest has not come: the peer is about to say more.
    var holdsPart: Bool { get }

    /// True while octets wait that the socket has not taken.
    var hasUnsent: Bool { get }

    /// The peer has said that it sends no more; false where it has only stopped.
    var endedInOrder: Bool { get }

    /// Sends what waits, as much as the socket takes.
    func flush() throws(SystemCallError)

    /// Receives at most `count` octets, or a buffer full; 0 is the end of the stream.
    func receive(into buffer: TransferBuffer, atMost count: Int) throws(SystemCallError) -> Completion<Int>

    /// Whether an octet waits to be read: 1, or 0 at the end of the stream; it is not taken.
    func peek() throws(SystemCallError) -> Completion<Int>

    /// Sends octets, and says how many were taken.
    func send(_ octets: Span<UInt8>) throws(SystemCallError) -> Completion<Int>

    /// Gives back memory that is only needed while octets move.
    func rest()

    /// Ends the sending side behind what was sent, once: with the word for it only if `inOrder`.
    func endSending(inOrder: Bool)
}
