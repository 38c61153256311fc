import LinuxBindings

/// What all relays of one loop share: the buffer that bytes pass through, and pipes for those that come in bulk.
///
/// Lives on that loop.
package final class RelayMeans {
    package let buffer: TransferBuffer
    package let pipes: PipePool

    /// Makes a buffer of so many bytes, and a pool of so many pipes.
    package init(bufferBytes: Int, pipes: Int) {
        buffer = TransferBuffer(capacity: bufferBytes)
        self.pipes = PipePool(capacity: pipes)
    }
}
