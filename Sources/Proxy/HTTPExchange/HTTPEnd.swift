import ByteRelay
import EventLoops
import LinuxBindings
import WireFormats

/// One end of an HTTP/1 conversation: its socket, and what was read from it and not yet used.
///
/// Lives on one loop.
///
/// What waits unused is at most a head within its limits and one buffer.
package final class HTTPEnd {
    /// Attached to the loop, and detached from it, by whoever made this end.
    package let socket: StreamSocket
    private var storage: [UInt8]
    /// How many octets of the storage have been used.
    private var used = 0
    private var requests: HTTP1RequestReader
    private var responses: HTTP1ResponseReader

    /// An end of which `unread` has been read already.
    package init(_ socket: StreamSocket, unread: [UInt8] = [], limits: HTTP1Limits) {
        self.socket = socket
        storage = unread
        requests = HTTP1RequestReader(limits: limits)
        responses = HTTP1ResponseReader(limits: limits)
    }

    /// Lets go of what only serves the next head while it comes soon.
    package func rest() {
        requests.forget()
        responses.forget()
        if unreadCount == 0 { forgetStorage() }
    }

    /// How many octets wait unused; the next message begins with them.
    package var unreadCount: Int { storage.count - used }

    /// Takes `count` of the octets that wait, or all where there are fewer.
    package func takeUnread(atMost count: Int = .max) -> ArraySlice<UInt8> {
        let taken = storage[used...].prefix(count)
        drop(taken.count)
        return taken
    }

    /// What an attempt to read a head came to.
    enum HeadStep<Head> {
        case head(Head)
        /// The socket has no more for now.
        case nothing
        /// The peer sends no more, and has begun nothing.
        case ended
        case malformed(HTTP1Violation)
        case failed(SystemCallError)
    }

    /// Reads what there is of a request's head.
    func readRequest(_ means: RelayMeans) -> HeadStep<HTTP1Request> {
        readHead(means, length: \.headBytes) { bytes throws(HTTP1Violation) in try requests.read(bytes) }
    }

    /// Reads what there is of a response's head.
    func readResponse(answering: HTTP1Answering, _ means: RelayMeans) -> HeadStep<HTTP1Response> {
        readHead(means, length: \.headBytes) { bytes throws(HTTP1Violation) in
            try responses.read(bytes, answering: answering)
        }
    }

    private func readHead<Head>(
        _ means: RelayMeans,
        length: (Head) -> Int,
        _ parse: (Span<UInt8>) throws(HTTP1Violation) -> Head?
    ) -> HeadStep<Head> {
        do throws(HTTP1Violation) {
            if unreadCount > 0, let head = try parseStored(length, parse) { return .head(head) }
            while socket.isReadable {
                switch receive(means) {
                case .failure(let error): return .failed(error)
                case .success(nil): break
                case .success(0?): return unreadCount == 0 ? .ended : .malformed(.messageIncomplete)
                case .success(let count?):
                    if let head = try read(count, means, length, parse) { return .head(head) }
                }
            }
            return .nothing
        } catch {
            return .malformed(error)
        }
    }

    private func parseStored<Head>(
        _ length: (Head) -> Int,
        _ parse: (Span<UInt8>) throws(HTTP1Violation) -> Head?
    ) throws(HTTP1Violation) -> Head? {
        let octets = storage
        let head = try parse(octets.span.extracting(used...))
        if let head { drop(length(head)) }
        return head
    }

    /// Parses what the buffer has received; a head that comes alone and whole, as nearly all do, is parsed where it lies.
    private func read<Head>(
        _ count: Int,
        _ means: RelayMeans,
        _ length: (Head) -> Int,
        _ parse: (Span<UInt8>) throws(HTTP1Violation) -> Head?
    ) throws(HTTP1Violation) -> Head? {
        guard unreadCount == 0 else {
            // What was used goes first: a peer that never pauses between two heads would fill the memory with them. Once: where a head
            // comes octet by octet, all of it would else be copied for each.
            var octets = storage
            storage = []
            if used > 0 { octets.removeFirst(used) }
            used = 0
            means.buffer.append(0..<count, to: &octets)
            storage = octets
            return try parseStored(length, parse)
        }
        let head = try means.buffer.withBytes(0..<count) { bytes throws(HTTP1Violation) in try parse(bytes) }
        keep(head.map(length).map { $0..<count } ?? 0..<count, means)
        return head
    }

    /// Receives into the loop's buffer; `nil` where there is nothing for now, 0 where there will never be.
    func receive(_ means: RelayMeans) -> Result<Int?, SystemCallError> {
        do throws(SystemCallError) {
            switch try socket.receive(into: means.buffer) {
            case .wouldBlock: return .success(nil)
            case .done(let count): return .success(count)
            }
        } catch {
            return .failure(error)
        }
    }

    /// Keeps octets of the buffer that were received and are not used yet; nothing else waits.
    func keep(_ range: Range<Int>, _ means: RelayMeans) {
        guard !range.isEmpty else { return }
        used = 0
        // In the memory of what was kept before, if that is there and nobody else has it; taken out meanwhile, because a property
        // that is held open would be checked as it runs.
        var octets: [UInt8] = []
        swap(&octets, &storage)
        octets.removeAll(keepingCapacity: true)
        octets.reserveCapacity(range.count)
        means.buffer.append(range, to: &octets)
        storage = octets
    }

    /// Puts octets back that were taken and are of what follows; nothing else waits.
    func putBack(_ octets: ArraySlice<UInt8>) {
        storage = Array(octets)
        used = 0
    }

    private func drop(_ count: Int) {
        used += count
        // A piece that comes with its head, as short answers do, is kept in the memory of the one before.
        if used == storage.count, used > Self.mostRoom { forgetStorage() }
    }

    /// A connection that is idle holds nothing.
    private func forgetStorage() {
        storage = []
        used = 0
    }

    /// How many octets the memory that is kept between two messages may have held.
    private static let mostRoom = 4096
}
