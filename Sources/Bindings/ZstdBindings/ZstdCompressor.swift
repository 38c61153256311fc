import CZstd

/// Compresses a stream of bytes into one zstd frame (RFC 8878), with a checksum of what went in.
///
/// It belongs to one thread.
@safe package struct ZstdCompressor: ~Copyable {
    private let stream: OpaquePointer
    private var output: [UInt8]

    /// Makes a compressor; `level` is libzstd's, 1 is the fastest.
    package init(level: Int32 = 3) throws(ZstdError) {
        guard let stream = unsafe ZSTD_createCCtx() else { throw .noMemory }
        unsafe self.stream = stream
        output = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
        unsafe _ = ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, level)
        unsafe _ = ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1)
    }

    deinit { unsafe _ = ZSTD_freeCCtx(stream) }

    /// Takes `input`, all of it, and hands the compressed bytes that are ready to `take`, piece by piece.
    ///
    /// The frame ends with these bytes if `isLast`. What `take` throws is thrown.
    package mutating func compress<Failure: Error>(
        _ input: [UInt8],
        isLast: Bool,
        _ take: (borrowing Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var consumed = 0
        var remaining = 1
        while consumed < input.count || (isLast && remaining > 0) {
            let step = advance(input, from: consumed, isLast: isLast)
            consumed = step.consumed
            remaining = step.remaining
            if step.produced > 0 { try take(output.span.extracting(..<step.produced)) }
        }
    }

    private mutating func advance(
        _ input: [UInt8],
        from start: Int,
        isLast: Bool
    ) -> (consumed: Int, produced: Int, remaining: Int) {
        unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { room in
                var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: start)
                var to = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let left = unsafe ZSTD_compressStream2(stream, &to, &from, isLast ? ZSTD_e_end : ZSTD_e_continue)
                // With memory that is ours already and parameters that are libzstd's own it has no reason to fail.
                precondition(ZSTD_isError(left) == 0, "libzstd cannot compress")
                return unsafe (from.pos, to.pos, left)
            }
        }
    }
}
