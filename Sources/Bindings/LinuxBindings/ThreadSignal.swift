import CLinux
import Glibc

/// How other threads wake one that sleeps and has no descriptors to look after (futex(2)): a call for it to sleep, and one for whoever
/// wakes it.
///
/// Concurrency: anybody may signal, and only one thread waits. A signal that nobody waits for is kept, however many there are, for the next
/// wait.
@safe package struct ThreadSignal: ~Copyable, @unchecked Sendable {
    // @unchecked: the word is read and written by atomic operations alone.
    private let word: UnsafeMutablePointer<UInt32>

    /// Makes one that is not signalled.
    package init() {
        unsafe word = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe word.initialize(to: 0)
    }

    deinit {
        unsafe word.deallocate()
    }

    /// Wakes whoever waits.
    package func signal() {
        unsafe clinux_word_signal(word)
    }

    /// Takes all signals so far; waits for one.
    package func wait() {
        // It may also wake for nothing, as when a signal handler has run.
        while unsafe clinux_word_wait(word, nil) == 0 {}
    }

    /// The same for at most so many milliseconds; false where there was none.
    ///
    /// A signal handler that runs meanwhile ends the wait early.
    package func wait(milliseconds: Int32) -> Bool {
        let milliseconds = Int(max(0, milliseconds))
        var limit = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        return unsafe clinux_word_wait(word, &limit) != 0
    }
}
