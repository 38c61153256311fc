import CLinux
import Glibc

/// A piece of memory that bytes pass through between two sockets.
///
/// One owner, one thread: a loop has one and lends it to each relay in turn.
@safe package final class TransferBuffer {
    /// In bytes.
    package let capacity: Int
    private let memory: UnsafeMutableRawBufferPointer

    package init(capacity: Int) {
        self.capacity = capacity
        unsafe memory = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// Receives at most a buffer full, or `count` bytes where that is less; 0 is the end of the stream.
    @inline(__always)
    package func receive(
        from socket: borrowing OwnedDescriptor,
        atMost count: Int = .max
    ) throws(SystemCallError) -> Completion<Int> {
        let number = socket.number
        return try nonblockingCall("recv") { unsafe recv(number, memory.baseAddress, min(count, capacity), 0) }
    }

    /// Has `body` write at most a buffer full, or `count` bytes where that is less, and say how many; `nil`: none now.
    package func fill<Failure: Error>(
        atMost count: Int,
        _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Int?
    ) throws(Failure) -> Completion<Int> {
        let place = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<min(count, capacity)])
        var bytes = unsafe MutableSpan<UInt8>(_unsafeElements: place.bindMemory(to: UInt8.self))
        guard let written = try body(&bytes) else { return .wouldBlock }
        return .done(written)
    }

    /// Sends the bytes in `range`, and says how many the socket took.
    ///
    /// With `endFollows` the kernel keeps a last short segment back until the end is said, and sends both as one.
    @inline(__always)
    package func send(
        _ range: Range<Int>,
        to socket: borrowing OwnedDescriptor,
        endFollows: Bool = false
    ) throws(SystemCallError) -> Completion<Int> {
        precondition(range.upperBound <= capacity, "a buffer sends only what it holds")
        let number = socket.number
        return try nonblockingCall("send") {
            // A peer that is gone answers EPIPE, not a signal.
            unsafe Glibc.send(
                number,
                memory.baseAddress?.advanced(by: range.lowerBound),
                range.count,
                Int32(MSG_NOSIGNAL) | (endFollows ? Int32(MSG_MORE) : 0)
            )
        }
    }

    /// A copy of the bytes in `range`.
    package func copy(_ range: Range<Int>) -> [UInt8] {
        precondition(range.upperBound <= capacity, "a buffer copies only what it holds")
        // Making an array of a collection asks the runtime for its type each time.
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        append(range, to: &copy)
        return copy
    }

    /// Appends the bytes in `range` to an array.
    package func append(_ range: Range<Int>, to array: inout [UInt8]) {
        precondition(range.upperBound <= capacity, "a buffer copies only what it holds")
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[range]).bindMemory(to: UInt8.self)
        unsafe array.append(contentsOf: bytes)
    }

    /// Reads the bytes in `range` in place.
    package func withBytes<Result, Failure: Error>(
        _ range: Range<Int>,
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(range.upperBound <= capacity, "a buffer shows only what it holds")
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[range]).bindMemory(to: UInt8.self)
        return unsafe try body(Span(_unsafeElements: bytes))
    }
}

/// Sends bytes, and says how many the socket took.
package func sendBytes(_ bytes: Span<UInt8>, to number: Int32) throws(SystemCallError) -> Completion<Int> {
    try nonblockingCall("send") {
        unsafe bytes.withUnsafeBytes { unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}

/// Sends bytes, and says how many the socket took.
package func sendBytes(
    _ bytes: some Collection<UInt8>,
    to socket: borrowing OwnedDescriptor
) throws(SystemCallError) -> Completion<Int> {
    let number = socket.number
    var failed: SystemCallError?
    let completion = bytes.withContiguousStorageIfAvailable { rest -> Completion<Int> in
        do throws(SystemCallError) {
            return try nonblockingCall("send") {
                unsafe Glibc.send(number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
        } catch {
            failed = error
            return .wouldBlock
        }
    }
    if let failed { throw failed }
    guard let completion else { return try sendBytes(Array(bytes), to: socket) }
    return completion
}
