import CZstd

/// Why bytes cannot be decompressed.
package enum ZstdError: Error, Hashable, Sendable {
    /// They are no zstd, or were changed; the number is libzstd's.
    case damaged(code: UInt32)
    /// There is no memory for a decompressor.
    case noMemory
}

/// Decompresses a stream of zstd frames (RFC 8878), piece by piece.
///
/// However much a frame claims to hold, no more is made at once than there is room for, and no frame may ask for a
/// window of more than it was made for.
@safe package struct ZstdDecompressor: ~Copyable {
    /// The first bytes of every frame.
    package static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
    /// The greatest window of a file, as a power of two: what the command `zstd -d` takes without being asked, 128 MiB.
    package static let windowOfFiles: Int32 = 27
    /// The greatest window of what is sent, as a power of two: 8 MiB (RFC 9659).
    package static let windowOfContent: Int32 = 23

    /// How far a step came.
    package struct Step: Hashable, Sendable {
        /// Bytes of the input that were used.
        package let consumed: Int
        /// Bytes that were written.
        package let produced: Int

        package init(consumed: Int, produced: Int) {
            self.consumed = consumed
            self.produced = produced
        }
    }

    private let stream: OpaquePointer
    /// Whether a frame has begun and not ended: where the input ends then, it was cut short.
    package private(set) var isInsideFrame = false

    /// Makes a decompressor that stands before a frame, and keeps a window of two to the power of `windowLog` bytes at most.
    package init(windowLog: Int32 = Self.windowOfFiles) throws(ZstdError) {
        guard let stream = unsafe ZSTD_createDStream() else { throw .noMemory }
        unsafe self.stream = stream
        unsafe _ = ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, windowLog)
    }

    deinit { unsafe _ = ZSTD_freeDStream(stream) }

    /// How much memory it takes for now, in bytes: what the frames so far have asked for.
    package var memoryBytes: Int { unsafe ZSTD_sizeof_DStream(stream) }

    /// Decompresses what it can of `input` into `output`, from the index `start` on.
    ///
    /// - Throws: `.damaged`; the decompressor is of no use then.
    package mutating func decompress(
        _ input: borrowing Span<UInt8>,
        into output: inout [UInt8],
        from start: Int
    ) throws(ZstdError) -> Step {
        var consumed = 0
        var produced = 0
        let answer = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { room in
                let free = room.extracting(start...)
                var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                var to = unsafe ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
                let answer = unsafe ZSTD_decompressStream(stream, &to, &from)
                consumed = unsafe from.pos
                produced = unsafe to.pos
                return answer
            }
        }
        guard ZSTD_isError(answer) == 0 else { throw .damaged(code: ZSTD_getErrorCode(answer).rawValue) }
        // 0 is the end of a frame; but where nothing went in or out, nothing has changed.
        if consumed > 0 || produced > 0 { isInsideFrame = answer != 0 }
        return Step(consumed: consumed, produced: produced)
    }
}
