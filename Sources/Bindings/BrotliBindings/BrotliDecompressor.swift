import CBrotli

/// Why bytes cannot be decompressed.
package enum BrotliError: Error, Hashable, Sendable {
    /// They are no brotli, or were changed.
    case damaged
    /// There is no memory for a decompressor.
    case noMemory
}

/// Decompresses one brotli stream (RFC 7932), piece by piece.
///
/// No more is made at once than there is room for, and its window is at most 16 MiB: the large windows that the format does
/// not know are refused.
@safe package struct BrotliDecompressor: ~Copyable {
    /// How far a step came.
    package struct Step: Hashable, Sendable {
        /// Bytes of the input that were used.
        package let consumed: Int
        /// Bytes that were written.
        package let produced: Int
        /// The stream has ended; what follows it was not used.
        package let isAtEnd: Bool
    }

    private let state: OpaquePointer
    /// What the state has allocated, in bytes: libbrotlidec counts here.
    private let count: UnsafeMutablePointer<Int>

    /// Makes one that stands before a stream.
    package init() throws(BrotliError) {
        let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        unsafe count.initialize(to: 0)
        guard let state = unsafe BrotliDecoderCreateInstance(cbrotli_allocate, cbrotli_free, count) else {
            unsafe count.deallocate()
            throw .noMemory
        }
        unsafe self.state = state
        unsafe self.count = count
    }

    deinit {
        unsafe BrotliDecoderDestroyInstance(state)
        unsafe count.deallocate()
    }

    /// How much memory it takes for now, in bytes: its window grows up to what the stream asks for.
    package var memoryBytes: Int { unsafe count.pointee }

    /// Decompresses what it can of `input` into all of `output`.
    ///
    /// - Throws: `.damaged`; the decompressor is of no use then.
    package mutating func decompress(
        _ input: borrowing Span<UInt8>,
        into output: inout [UInt8]
    ) throws(BrotliError) -> Step {
        var consumed = 0
        var produced = 0
        let result = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { room in
                var left = source.count
                var free = room.count
                var next = source.baseAddress
                var target = room.baseAddress
                let result = unsafe BrotliDecoderDecompressStream(state, &left, &next, &free, &target, nil)
                consumed = source.count - left
                produced = room.count - free
                return result
            }
        }
        guard result != BROTLI_DECODER_RESULT_ERROR else { throw .damaged }
        return Step(
            consumed: consumed,
            produced: produced,
            isAtEnd: result == BROTLI_DECODER_RESULT_SUCCESS
        )
    }
}
