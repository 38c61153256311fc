import CLinux
import Glibc

extension EventDescriptor {
    /// Waits for a signal no longer than `milliseconds`; true where one came, and then all signals so far are taken.
    ///
    /// A signal handler that interrupts it ends the wait early.
    package func wait(milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        guard unsafe Glibc.poll(&poll, 1, max(0, milliseconds)) == 1 else { return false }
        wait()
        return true
    }
}
