import LinuxBindings

/// Pipes that wait to carry bulk data, so that a flow does not make one for each burst.
///
/// Lives on one loop.
///
/// Only empty pipes come back. There are at most `capacity`: a user's pipes may hold 16384 pages in all before the kernel
/// refuses larger ones (pipe-user-pages-soft), and each costs two descriptors.
package final class PipePool {
    private var idle: [SplicePipe] = []
    private var made = 0
    private let capacity: Int

    /// 256 KiB: the size from which on a larger pipe moved no more (docs/performance.md).
    private static let pipeBytes: Int32 = 262_144

    package init(capacity: Int) {
        self.capacity = capacity
    }

    /// An empty pipe; `nil` where there are enough already or the kernel gives no more: the flow copies instead.
    package func take() -> SplicePipe? {
        if let pipe = idle.popLast() { return pipe }
        guard made < capacity, let pipe = try? SplicePipe(capacity: Self.pipeBytes) else { return nil }
        made += 1
        return pipe
    }

    /// Takes an empty pipe back.
    package func giveBack(_ pipe: SplicePipe) {
        idle.append(pipe)
    }

    /// Forgets a pipe that still held bytes when its flow ended.
    package func discard() {
        made -= 1
    }
}
