import CLinux
import Glibc

/// A file descriptor with one owner, who closes it by letting it go.
package struct OwnedDescriptor: ~Copyable {
    /// The number, for calls that borrow it.
    package let number: Int32

    /// Takes over a descriptor that nobody else will close.
    package init(adopting number: Int32) {
        precondition(number >= 0, "no descriptor has a negative number")
        self.number = number
    }

    /// Gives the descriptor up without closing it: the caller owns the number now.
    package consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }

    deinit {
        // Linux releases the descriptor whatever close answers, EINTR too: never repeat it.
        _ = close(number)
    }
}
