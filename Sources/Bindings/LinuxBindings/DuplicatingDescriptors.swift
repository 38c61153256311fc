import CLinux
import Glibc

/// Whether a standard descriptor of this process (0, 1 or 2) is open for writing.
package func isOpenForWriting(descriptor number: Int32) -> Bool {
    let flags = fcntl(number, F_GETFL)
    return flags != -1 && flags & O_ACCMODE != O_RDONLY
}

/// A second descriptor of what a standard descriptor of this process (0, 1 or 2) stands for.
package func duplicate(ofDescriptor number: Int32) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try systemCall("fcntl") { clinux_fcntl_int(number, F_DUPFD_CLOEXEC, 3) })
}
