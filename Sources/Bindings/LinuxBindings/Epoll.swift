import CLinux
import Glibc

/// What epoll told of a descriptor.
package struct ReadyEvents: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// True where any of these is told.
    ///
    /// What the protocol offers instead asks for its operations one by one, from another module.
    package func has(anyOf events: ReadyEvents) -> Bool { rawValue & events.rawValue != 0 }

    package static let readable = ReadyEvents(rawValue: EPOLLIN.rawValue)
    package static let writable = ReadyEvents(rawValue: EPOLLOUT.rawValue)
    /// The peer closed its sending side: after what is buffered comes the end.
    package static let peerClosed = ReadyEvents(rawValue: EPOLLRDHUP.rawValue)
    package static let hangUp = ReadyEvents(rawValue: EPOLLHUP.rawValue)
    package static let failed = ReadyEvents(rawValue: EPOLLERR.rawValue)
    /// A mark of urgent data stands in the stream (RFC 9293, section 3.8.5): a read stops at it, whatever comes behind.
    package static let urgent = ReadyEvents(rawValue: EPOLLPRI.rawValue)
    /// The peer will send no more, or the descriptor has failed.
    ///
    /// A constant, for the path of every event.
    package static let ending = ReadyEvents(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// It can be written, or writing would tell that it has failed.
    package static let writableOrFailed = ReadyEvents(
        rawValue: EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
    )
}

/// An epoll set with a buffer for what it tells.
///
/// One owner, one thread.
@safe package final class EpollSet {
    private let descriptor: OwnedDescriptor
    /// Never replaced, so that no access to it needs to be guarded.
    private let events: UnsafeMutableBufferPointer<clinux_epoll_event>

    /// Makes an empty set that tells at most `capacity` events at a time.
    package init(capacity: Int) throws(SystemCallError) {
        descriptor = OwnedDescriptor(adopting: try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        unsafe events = .allocate(capacity: capacity)
        unsafe events.initialize(repeating: clinux_epoll_event())
    }

    deinit { unsafe events.deallocate() }

    /// Watches a descriptor edge-triggered, until it is closed: for what can be read and for the end, and for room to write where
    /// that is waited for already.
    ///
    /// `token` comes back with each event.
    package func addEdgeTriggered(_ number: Int32, writable: Bool, token: UInt64) throws(SystemCallError) {
        try add(number, token: token, edges(writable: writable))
    }

    /// Watches a descriptor of `addEdgeTriggered` for room to write as well, from now on; if there is some, that is an edge.
    package func addWritable(_ number: Int32, token: UInt64) throws(SystemCallError) {
        let set = descriptor.number
        let bits = edges(writable: true)
        _ = try systemCall("epoll_ctl") { clinux_epoll_ctl(set, EPOLL_CTL_MOD, number, bits, token) }
    }

    /// Watches a descriptor level-triggered, for the directions named.
    package func addLevelTriggered(
        _ number: Int32,
        readable: Bool,
        writable: Bool,
        token: UInt64
    ) throws(SystemCallError) {
        try add(number, token: token, (readable ? EPOLLIN.rawValue : 0) | (writable ? EPOLLOUT.rawValue : 0))
    }

    /// Changes what a level-triggered descriptor is watched for.
    package func changeLevelTriggered(
        _ number: Int32,
        readable: Bool,
        writable: Bool,
        token: UInt64
    ) throws(SystemCallError) {
        let set = descriptor.number
        let bits = (readable ? EPOLLIN.rawValue : 0) | (writable ? EPOLLOUT.rawValue : 0)
        _ = try systemCall("epoll_ctl") { clinux_epoll_ctl(set, EPOLL_CTL_MOD, number, bits, token) }
    }

    /// Forgets a descriptor that stays open.
    package func remove(_ number: Int32) throws(SystemCallError) {
        let set = descriptor.number
        _ = try systemCall("epoll_ctl") { clinux_epoll_ctl(set, EPOLL_CTL_DEL, number, 0, 0) }
    }

    /// Sleeps until something is ready or the time is over, and says how many events there are.
    ///
    /// - Parameter milliseconds: 0 to look only, -1 to wait without end.
    /// - Returns: How many events `event(_:)` has now.
    /// - Throws: Only what a defect of ours would cause.
    package func wait(milliseconds: Int32) throws(SystemCallError) -> Int {
        let number = descriptor.number
        let capacity = Int32(unsafe events.count)
        let count = try systemCall("epoll_wait") {
            unsafe clinux_epoll_wait(number, events.baseAddress, capacity, milliseconds)
        }
        return Int(count)
    }

    /// The event at `index` of the last wait.
    package func event(_ index: Int) -> (token: UInt64, events: ReadyEvents) {
        precondition(unsafe index >= 0 && index < events.count, "a set tells of no more events than it has room for")
        let event = unsafe events[index]
        return (event.token, ReadyEvents(rawValue: event.events))
    }

    private func edges(writable: Bool) -> UInt32 {
        EPOLLIN.rawValue | EPOLLPRI.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
            | (writable ? EPOLLOUT.rawValue : 0)
    }

    private func add(_ number: Int32, token: UInt64, _ bits: UInt32) throws(SystemCallError) {
        let set = descriptor.number
        _ = try systemCall("epoll_ctl") { clinux_epoll_ctl(set, EPOLL_CTL_ADD, number, bits, token) }
    }
}
