import CLinux
import Glibc

/// Octets for several sockets, which the kernel takes in one call (`io_submit`, Linux 2.6).
///
/// A call for each socket wakes whoever reads there, who then runs before the next call is made, once for each. Of a batch all have
/// something to read when the first of them runs. Where the kernel has no such calls to give (a seccomp filter, or `fs.aio-max-nr`
/// is used up) a batch is sent call by call.
///
/// One owner, one thread at a time.
@safe package final class SendBatch {
    /// What one socket is to be sent.
    private struct Piece {
        var number: Int32
        var octets: Range<Int>
    }

    /// What became of a piece.
    package enum Outcome {
        /// So many of its octets were taken, which may be none.
        case taken(Int)
        case failed(SystemCallError)
    }

    /// How many sockets a batch is for: enough to wake people once for several, and few enough that nobody waits long for the last.
    package static let places = 8
    /// How many octets a piece may have: what is larger costs more than the call.
    package static let mostOctets = 4096

    /// The kernel takes the pieces in one call.
    package var isTogether: Bool { context != nil }
    /// How many pieces there are.
    package var count: Int { pieces.count }
    private var pieces: [Piece] = []
    private let room: UnsafeMutableRawBufferPointer
    private var used = 0
    private let operations: UnsafeMutableBufferPointer<iocb>
    private let list: UnsafeMutableBufferPointer<UnsafeMutablePointer<iocb>?>
    private let events: UnsafeMutableBufferPointer<io_event>
    /// `nil` where the kernel has given none.
    private let context: aio_context_t?

    /// With `isTogether` false, as where the kernel has no such calls: each piece is sent by itself.
    package init(isTogether: Bool = true) {
        unsafe room = .allocate(byteCount: Self.places * Self.mostOctets, alignment: 64)
        unsafe operations = .allocate(capacity: Self.places)
        unsafe operations.initialize(repeating: iocb())
        unsafe list = .allocate(capacity: Self.places)
        for index in unsafe list.indices {
            unsafe list.initializeElement(at: index, to: operations.baseAddress?.advanced(by: index))
        }
        unsafe events = .allocate(capacity: Self.places)
        unsafe events.initialize(repeating: io_event())
        pieces.reserveCapacity(Self.places)
        context = isTogether ? Self.workingContext() : nil
    }

    /// What the kernel takes batches by; `nil` where it has none to give, or does not take sockets in them as Linux does: gVisor has
    /// the calls, and may answer them otherwise.
    private static func workingContext() -> aio_context_t? {
        var context: aio_context_t = 0
        guard unsafe clinux_io_setup(UInt32(places), &context) == 0 else { return nil }
        guard takesSockets(context) else {
            _ = clinux_io_destroy(context)
            return nil
        }
        return context
    }

    private static func takesSockets(_ context: aio_context_t) -> Bool {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return false }
        defer { for end in ends { close(end) } }
        var octet: UInt8 = 7
        var event = io_event()
        var patience = timespec(tv_sec: 1, tv_nsec: 0)
        let count = unsafe withUnsafeBytes(of: &octet) { octets in
            var operation = unsafe clinux_write_operation(ends[0], octets.baseAddress, octets.count, 0)
            return unsafe withUnsafeMutablePointer(to: &operation) { pointer in
                var list: UnsafeMutablePointer<iocb>? = unsafe pointer
                guard unsafe clinux_io_submit(context, 1, &list) == 1 else { return Int32(0) }
                return unsafe clinux_io_getevents(context, 1, 1, &event, &patience)
            }
        }
        var heard: UInt8 = 0
        return unsafe count == 1 && event.res == 1 && recv(ends[1], &heard, 1, 0) == 1 && heard == octet
    }

    deinit {
        if let context { _ = clinux_io_destroy(context) }
        unsafe room.deallocate()
        unsafe operations.deallocate()
        unsafe list.deallocate()
        unsafe events.deallocate()
    }

    /// True where there is a place for another piece of so many octets.
    package func hasRoom(for count: Int) -> Bool {
        pieces.count < Self.places && used + count <= Self.places * Self.mostOctets
    }

    /// Takes a piece; there is room for it, and none for this socket.
    package func add(_ octets: Span<UInt8>, to number: Int32) {
        precondition(hasRoom(for: octets.count), "who adds has looked for room")
        pieces.append(Piece(number: number, octets: used..<used))
        extend(octets)
    }

    /// Takes more for the socket of the last piece; false where there is no room.
    package func extendLast(_ octets: Span<UInt8>) -> Bool {
        guard used + octets.count <= Self.places * Self.mostOctets else { return false }
        extend(octets)
        return true
    }

    private func extend(_ octets: Span<UInt8>) {
        unsafe octets.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(rebasing: room[used...]).copyMemory(from: bytes)
        }
        used += octets.count
        let last = pieces.count - 1
        pieces[last].octets = pieces[last].octets.lowerBound..<used
    }

    /// Sends all pieces, and tells of each what became of it, with the octets that were not taken; there is none then.
    package func send(_ told: (_ index: Int, _ outcome: Outcome, _ rest: Span<UInt8>) -> Void) {
        var first = 0
        while first < pieces.count {
            let submitted = submit(from: first)
            for index in 0..<submitted {
                let event = unsafe events[index]
                tell(Int(event.data), event.res, told)
            }
            first += submitted
            guard first < pieces.count else { break }
            // The kernel takes no more of them together: what it says to this one alone tells why.
            let sent = sendAlone(pieces[first])
            tell(first, sent, told)
            first += 1
        }
        pieces.removeAll(keepingCapacity: true)
        used = 0
    }

    private func tell(
        _ index: Int,
        _ result: Int64,
        _ told: (_ index: Int, _ outcome: Outcome, _ rest: Span<UInt8>) -> Void
    ) {
        let octets = pieces[index].octets
        let taken = Int(max(0, result))
        let rest = unsafe UnsafeRawBufferPointer(rebasing: room[(octets.lowerBound + taken)..<octets.upperBound])
        let span = unsafe Span<UInt8>(_unsafeElements: rest.bindMemory(to: UInt8.self))
        let code = Int32(-min(0, result))
        precondition(code != EBADF && code != EFAULT, "io_submit: a descriptor or a buffer of ours is not valid")
        let isRefused = code != 0 && code != EAGAIN && code != EINTR
        told(index, isRefused ? .failed(SystemCallError(call: "send", code: code)) : .taken(taken), span)
    }

    /// Sends the pieces from this one on, in one call where there are several: of how many there are events now.
    private func submit(from first: Int) -> Int {
        guard let context, pieces.count - first > 1 else { return 0 }
        for index in first..<pieces.count {
            let piece = pieces[index]
            let start = unsafe room.baseAddress?.advanced(by: piece.octets.lowerBound)
            unsafe operations[index] = clinux_write_operation(piece.number, start, piece.octets.count, UInt64(index))
        }
        let taken = unsafe clinux_io_submit(
            context,
            pieces.count - first,
            list.baseAddress?.advanced(by: first)
        )
        guard taken > 0 else { return 0 }
        // Sockets that do not block have answered by now, each.
        var got = 0
        while got < taken {
            let count = unsafe clinux_io_getevents(
                context,
                taken - got,
                taken - got,
                events.baseAddress?.advanced(by: got),
                nil
            )
            precondition(count > 0 || errno == EINTR, "io_getevents can fail only by a defect of ours")
            got += Int(max(0, count))
        }
        return taken
    }

    /// As the kernel says it of a piece in a batch: how many octets, or an error number below 0.
    private func sendAlone(_ piece: Piece) -> Int64 {
        while true {
            let start = unsafe room.baseAddress?.advanced(by: piece.octets.lowerBound)
            let sent = unsafe Glibc.send(piece.number, start, piece.octets.count, Int32(MSG_NOSIGNAL))
            if sent >= 0 { return Int64(sent) }
            if errno != EINTR { return -Int64(errno) }
        }
    }
}
