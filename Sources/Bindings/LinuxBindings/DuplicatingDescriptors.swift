import CLinux
import Glibc

/// A second descriptor of what a standard descriptor of this process (0, 1 or 2) stands for.
package func duplicate(ofDescriptor number: Int32) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try systemCall("fcntl") { clinux_fcntl_int(number, F_DUPFD_CLOEXEC, 3) })
}
