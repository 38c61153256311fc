import CLinux
import Glibc

/// Opens a file or a directory to read it.
///
/// It never waits: a pipe without a writer is opened, and it is the caller who looks at what was opened.
package func openForReading(_ path: String) throws(SystemCallError) -> OwnedDescriptor {
    try openFile(path, [.readOnly, .nonblocking])
}

/// As `openForReading`, below an open directory; symbolic links are followed.
package func openForReading(
    below directory: borrowing OwnedDescriptor,
    _ name: String
) throws(SystemCallError) -> OwnedDescriptor {
    try openFile(below: directory, name, [.readOnly, .nonblocking])
}
