import CZlib

/// Why bytes cannot be inflated.
package enum InflateError: Error, Hashable, Sendable {
    /// They are not what they should be, or were changed; a checksum that is wrong is among it.
    case damaged
    /// There is no memory for the window.
    case noMemory
}

/// What stands around a deflated stream.
package enum InflateFormat: Hashable, Sendable {
    /// RFC 1952: a header, and a trailer with a checksum and the length, both compared.
    case gzip
    /// RFC 1950: a header, and a checksum, which is compared.
    case zlib
    /// RFC 1951: nothing; the window is two to the power of 8 to 15 bytes.
    case raw(windowBits: Int)
}

/// Inflates one stream (RFC 1950 to 1952), piece by piece.
///
/// No more is made at once than there is room for; its window is at most 32 KiB.
@safe package struct Inflater: ~Copyable {
    /// How much memory one takes, in bytes: the window of 32 KiB, its tables and its state.
    package static let memoryBytes = 48 * 1024

    /// How far a step came.
    package struct Step: Hashable, Sendable {
        /// Bytes of the input that were used.
        package let consumed: Int
        /// Bytes that were written.
        package let produced: Int
        /// The stream has ended; what follows it was not used.
        package let isAtEnd: Bool
    }

    /// The library keeps a pointer back to it, so it stays where it is.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Makes one that stands before a stream.
    package init(_ format: InflateFormat) throws(InflateError) {
        let bits: Int32 =
            switch format {
            case .gzip: 15 + 16
            case .zlib: 15
            case .raw(let bits): -Int32(min(max(bits, 8), 15))
            }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe cz_inflate_init(stream, bits) == Z_OK else {
            unsafe stream.deallocate()
            throw .noMemory
        }
        unsafe self.stream = stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Forgets the window and what was begun: what comes next is a stream of its own.
    package mutating func reset() {
        unsafe inflateReset(stream)
    }

    /// Inflates what it can of `input` into all of `output`.
    ///
    /// - Throws: `.damaged`; it is of no use then until it is reset.
    package mutating func inflate(
        _ input: borrowing Span<UInt8>,
        into output: inout [UInt8]
    ) throws(InflateError) -> Step {
        let given = min(input.count, Int(Int32.max))
        var produced = 0
        var consumed = 0
        let answer = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { room in
                let free = min(room.count, Int(Int32.max))
                // The library only reads what it is given, and says so by a macro that is not set.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(given)
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = UInt32(free)
                let answer = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
                consumed = unsafe given - Int(stream.pointee.avail_in)
                produced = unsafe free - Int(stream.pointee.avail_out)
                unsafe stream.pointee.next_in = nil
                unsafe stream.pointee.next_out = nil
                return answer
            }
        }
        switch answer {
        case Z_OK, Z_BUF_ERROR: return Step(consumed: consumed, produced: produced, isAtEnd: false)
        case Z_STREAM_END: return Step(consumed: consumed, produced: produced, isAtEnd: true)
        case Z_MEM_ERROR: throw .noMemory
        // A dictionary that was agreed on elsewhere is among it: nobody agreed on one.
        default: throw .damaged
        }
    }
}
