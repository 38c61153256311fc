import CLinux
import Glibc

/// A pipe that carries bytes from one socket to another without their passing through our memory.
///
/// One owner, one thread.
package final class SplicePipe {
    private let readEnd: OwnedDescriptor
    private let writeEnd: OwnedDescriptor
    /// In bytes, as the kernel granted it.
    package let capacity: Int

    /// Makes a pipe and asks for `capacity` bytes of room.
    ///
    /// - Throws: `EMFILE` without descriptors, `EPERM` where the user has spent the pages that pipes may hold
    ///   (`/proc/sys/fs/pipe-user-pages-soft`).
    package init(capacity: Int32) throws(SystemCallError) {
        var ends: (Int32, Int32) = (-1, -1)
        _ = try systemCall("pipe2") {
            unsafe withUnsafeMutableBytes(of: &ends) {
                unsafe pipe2($0.bindMemory(to: Int32.self).baseAddress, O_NONBLOCK | O_CLOEXEC)
            }
        }
        let reading = OwnedDescriptor(adopting: ends.0)
        let writing = OwnedDescriptor(adopting: ends.1)
        let number = ends.1
        let granted = try systemCall("fcntl") { clinux_fcntl_int(number, Int32(CLINUX_F_SETPIPE_SZ), capacity) }
        readEnd = reading
        writeEnd = writing
        self.capacity = Int(granted)
    }

    /// Moves at most `count` bytes, and no more than there is room for, from a socket into the pipe; 0 is the end of the
    /// stream.
    package func fill(
        from socket: borrowing OwnedDescriptor,
        atMost count: Int = .max
    ) throws(SystemCallError) -> Completion<Int> {
        try move(from: socket.number, to: writeEnd.number, count: min(count, capacity))
    }

    /// Moves at most `count` bytes from the pipe to a socket.
    package func drain(_ count: Int, to socket: borrowing OwnedDescriptor) throws(SystemCallError) -> Completion<Int> {
        try move(from: readEnd.number, to: socket.number, count: count)
    }

    private func move(from source: Int32, to sink: Int32, count: Int) throws(SystemCallError) -> Completion<Int> {
        let flags = UInt32(CLINUX_SPLICE_F_MOVE | CLINUX_SPLICE_F_NONBLOCK)
        return try nonblockingCall("splice") { splice(source, nil, sink, nil, count, flags) }
    }
}
