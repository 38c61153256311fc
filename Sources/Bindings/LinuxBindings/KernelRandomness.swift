import CLinux
import Glibc

/// The kernel's randomness, drawn in pieces of 512 bytes.
///
/// One owner, one thread.
package struct KernelRandomness: RandomNumberGenerator {
    private var words: [UInt64] = []

    package init() {}

    package mutating func next() -> UInt64 {
        if words.isEmpty { refill() }
        return words.removeLast()
    }

    private mutating func refill() {
        words = Array(repeating: 0, count: 64)
        let wanted = words.count * MemoryLayout<UInt64>.size
        // At most 256 bytes are sure to come in one piece; more may be cut short by a signal.
        while unsafe getrandom(&words, wanted, 0) != wanted {
            precondition(errno == EINTR, "a kernel that runs this has getrandom")
        }
    }
}
