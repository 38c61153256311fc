import COpenSSL
import Glibc

/// What a TLS session stands on, and what is known of it.
///
/// Lives on the session's loop. OpenSSL asks for no more than is known to be there: a session that has read all of it is told
/// so without another call of the kernel's.
final class TLSWire {
    private let floor: TLSFloor
    /// Octets that were read before there was a session.
    private var unread: ArraySlice<UInt8>
    /// False after a read that took all there was, until somebody says otherwise.
    private var isReadable = true
    /// No further word will come of what can be read: it is asked for until the end.
    private var isEnding = false
    /// What the socket did not take: at most `mostUnsent`, and what one call of OpenSSL's writes.
    private var unsent: ArraySlice<UInt8> = [] {
        didSet { keepsUnsent = !unsent.isEmpty }
    }
    /// True while octets wait that the socket has not taken.
    ///
    /// It is asked with every piece, and a plain value need not be guarded while it is.
    private var keepsUnsent = false
    /// Set where the sending side is to end behind what is unsent.
    private var endsBehindUnsent = false
    /// What reading the socket has failed with, as `errno`.
    private(set) var failure: Int32?
    /// What writing it has failed with, as `errno`.
    ///
    /// What is written then is lost, and OpenSSL is not told: it would not read any more, and the peer may have said why before it went.
    private(set) var sendFailure: Int32?
    /// The peer sends no more.
    private(set) var hasEnded = false
    /// Octets that came from the socket.
    private(set) var received: UInt64 = 0

    /// The last look stopped at an answer that could not be kept: it goes on when what is unsent is gone, whoever sends that.
    var hadToStop: Bool { hasStopped || floor.session?.hadToStop == true }
    fileprivate var hasStopped = false
    /// The last look was given all that it may have, and found no data.
    private(set) var isSpent = false
    /// What is left for this look; a handshake may have all that there is.
    private var left = Int.max
    /// How many octets the last look took beyond the data that it gave; fewer than none where it gave what others had taken.
    private(set) var overhead = 0
    /// The last look took much, and little of it was data: the next has less.
    private var isWordy = false
    private var atLook: UInt64 = 0

    /// What one look may have, in octets: more than the largest record.
    private static let portion = 18_432
    /// The same where the last look found little.
    private static let smallPortion = 2048

    /// A peer that only asks, for new keys say, and takes no answer, is not answered beyond this, in octets.
    private static let mostUnsent = 65_536

    init(on floor: TLSFloor, unread: [UInt8]) {
        self.floor = floor
        self.unread = unread[...]
    }

    /// Something can be read again; `isEnding`: and nobody will say so once more.
    func becomesReadable(isEnding: Bool) {
        floor.session?.becomesReadable(isEnding: isEnding)
        isReadable = true
        if isEnding { self.isEnding = true }
    }

    /// True where what OpenSSL writes is kept, if the socket does not take it.
    fileprivate var mayKeepMore: Bool { !keepsUnsent || unsent.count < Self.mostUnsent }

    /// True while octets wait that the socket has not taken.
    var hasUnsent: Bool { keepsUnsent || floor.session?.hasUnsent == true }

    /// False where a read would find nothing until somebody says otherwise.
    var mayHaveMore: Bool { isReadable || !unread.isEmpty || failure != nil }

    /// Begins a look for data: the socket gives it a bounded number of octets.
    ///
    /// A peer may say ever so much that is none, new keys for one (RFC 8446, section 4.6.3), each at the price of ten microseconds here:
    /// one that does is read in small portions.
    func beginLook() {
        isSpent = false
        hasStopped = false
        left = isWordy ? Self.smallPortion : Self.portion
        atLook = received
    }

    /// Ends a look that found so many octets of data.
    func endLook(given count: Int) {
        left = .max
        let taken = Int(received &- atLook)
        overhead = taken - count
        isWordy = taken >= Self.smallPortion && count < taken / 2
    }

    /// True where something that was read has not been looked at, here or in a session below.
    var holdsPart: Bool { !unread.isEmpty || floor.session?.holdsPart == true }

    /// Sends what is unsent, as much as the socket takes.
    func flush() {
        flushFloor()
        while !unsent.isEmpty {
            guard let count = transmit(unsent) else { return }
            unsent = unsent.dropFirst(count)
        }
        if unsent.isEmpty { unsent = [] }
        if endsBehindUnsent { end() }
    }

    /// Gives back what a session below only needs while octets move.
    func rest() { floor.session?.rest() }

    /// What the session below has taken goes first.
    private func flushFloor() {
        guard let session = floor.session, sendFailure == nil else { return }
        do throws(TLSFailure) {
            try session.flush()
        } catch {
            lose(because: error.number)
        }
    }

    /// Ends the sending side behind what is unsent.
    func end() {
        endsBehindUnsent = hasUnsent
        guard !endsBehindUnsent else { return }
        floor.endSending()
    }

    /// Sends octets at once as far as the socket takes them, and keeps the rest.
    fileprivate func send(_ octets: UnsafeRawBufferPointer) {
        var sent = 0
        if !keepsUnsent {
            sent = unsafe transmit(octets) ?? 0
        }
        guard sendFailure == nil else { return }
        if sent < octets.count { unsafe unsent.append(contentsOf: octets.dropFirst(sent)) }
    }

    private func lose(because code: Int32) {
        sendFailure = code
        unsent = []
    }

    /// Receives into `place`: how many octets, 0 at the end; `nil` where there are none now, or the socket has failed.
    fileprivate func receive(into place: UnsafeMutableRawBufferPointer) -> Int? {
        if !unread.isEmpty {
            let count = min(place.count, unread.count)
            unsafe place.copyBytes(from: unread.prefix(count))
            unread = unread.dropFirst(count)
            if unread.isEmpty { unread = [] }
            return count
        }
        guard isReadable, failure == nil else { return nil }
        guard left > 0 else {
            isSpent = true
            return nil
        }
        let place = unsafe UnsafeMutableRawBufferPointer(rebasing: place.prefix(left))
        // A handshake has to be told of each of its steps; data are read on in the next turn.
        switch unsafe floor.receive(into: place, isPatient: left != .max) {
        case .moved(0):
            hasEnded = true
            return 0
        case .moved(let count):
            received &+= UInt64(count)
            if left != .max { left -= count }
            // A session gives one record at a time: only a socket that was read short has no more.
            if count < place.count, !isEnding, floor.session == nil { isReadable = false }
            return count
        case .blocked: isReadable = false
        case .midway: isSpent = true
        case .failed(let code): failure = code
        }
        return nil
    }

    private func transmit(_ octets: some Collection<UInt8>) -> Int? {
        octets.withContiguousStorageIfAvailable { unsafe transmit(UnsafeRawBufferPointer($0)) } ?? nil
    }

    /// How many octets the socket takes; `nil` where it takes none now, or has failed.
    private func transmit(_ octets: UnsafeRawBufferPointer) -> Int? {
        guard sendFailure == nil else { return nil }
        switch unsafe floor.send(octets) {
        case .moved(let count): return count
        case .blocked, .midway: return nil
        case .failed(let code):
            lose(because: code)
            return nil
        }
    }
}

extension TLSWire {
    /// Has OpenSSL read and write through a wire; whoever has the session keeps the wire as long.
    func connect(_ session: OpaquePointer) throws(TLSFailure) {
        guard let kind = unsafe Self.kind, let end = unsafe BIO_new(kind) else { throw .failed }
        unsafe BIO_set_data(end, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(end, 1)
        // The session owns it from here on, for both directions.
        unsafe SSL_set_bio(session, end, end)
    }

    /// What OpenSSL calls; made once.
    private nonisolated(unsafe) static let kind: OpaquePointer? = {
        let kind = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "penstock")
        guard let kind = unsafe kind else { return nil }
        unsafe BIO_meth_set_read(kind) { end, place, count in
            guard let wire = unsafe TLSWire.behind(end), let place = unsafe place, count > 0 else { return -1 }
            unsafe BIO_clear_flags(end, retryFlags)
            let received = unsafe wire.receive(into: UnsafeMutableRawBufferPointer(start: place, count: Int(count)))
            if let received { return Int32(received) }
            if wire.failure == nil { unsafe BIO_set_flags(end, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY) }
            return -1
        }
        unsafe BIO_meth_set_write(kind) { end, octets, count in
            guard let wire = unsafe TLSWire.behind(end), let octets = unsafe octets, count > 0 else { return -1 }
            unsafe BIO_clear_flags(end, retryFlags)
            guard wire.mayKeepMore else {
                wire.hasStopped = true
                unsafe BIO_set_flags(end, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
                return -1
            }
            unsafe wire.send(UnsafeRawBufferPointer(start: octets, count: Int(count)))
            return count
        }
        unsafe BIO_meth_set_ctrl(kind) { end, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH: return 1
            case BIO_CTRL_EOF: return unsafe TLSWire.behind(end)?.hasEnded == true ? 1 : 0
            default: return 0
            }
        }
        return unsafe kind
    }()

    private static func behind(_ end: OpaquePointer?) -> TLSWire? {
        unsafe BIO_get_data(end).map { unsafe Unmanaged<TLSWire>.fromOpaque($0).takeUnretainedValue() }
    }
}

private let retryFlags = BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY
