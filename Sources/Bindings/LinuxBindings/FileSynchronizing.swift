import CLinux
import Glibc

/// Waits until the bytes of a file, and its size, are where a loss of power does not take them.
package func synchronizeData(_ file: borrowing OwnedDescriptor) throws(SystemCallError) {
    let number = file.number
    _ = try systemCall("fdatasync") { fdatasync(number) }
}

/// Waits until a file or a directory, and all that is known of it, is where a loss of power does not take it.
package func synchronize(_ file: borrowing OwnedDescriptor) throws(SystemCallError) {
    let number = file.number
    _ = try systemCall("fsync") { fsync(number) }
}
