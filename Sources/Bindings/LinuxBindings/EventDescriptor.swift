import CLinux
import Glibc

/// An eventfd: how one thread wakes a loop that sleeps in epoll_wait, or another thread that reads it.
package struct EventDescriptor: ~Copyable {
    package let descriptor: OwnedDescriptor

    /// Makes one; `blocking` for a thread that waits in `wait()`, otherwise for an epoll set.
    package init(blocking: Bool = false) throws(SystemCallError) {
        descriptor = OwnedDescriptor(
            adopting: try systemCall("eventfd") {
                eventfd(0, Int32(EFD_CLOEXEC) | (blocking ? 0 : Int32(EFD_NONBLOCK)))
            }
        )
    }

    /// Wakes whoever waits.
    ///
    /// It may be called from any thread.
    package func signal() {
        // The only failure of a write to an eventfd is a full counter, and then the sleeper is being woken already.
        _ = eventfd_write(descriptor.number, 1)
    }

    /// Waits for a signal without taking it, on a descriptor that does not block.
    package func sleepUntilSignalled() {
        var question = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&question, 1, -1) == -1, errno == EINTR {}
    }

    /// Takes all signals so far; waits for one if the descriptor is blocking.
    package func wait() {
        var count: eventfd_t = 0
        while unsafe eventfd_read(descriptor.number, &count) == -1, errno == EINTR {}
    }
}
