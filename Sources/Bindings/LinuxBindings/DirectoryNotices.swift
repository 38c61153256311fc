import CLinux
import Glibc

/// Tells when a directory comes into one of the watched directories, or goes from it (inotify).
package struct DirectoryNotices: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// Watches nothing yet.
    package init() throws(SystemCallError) {
        descriptor = OwnedDescriptor(
            adopting: try systemCall("inotify_init1") { inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)) }
        )
    }

    /// Readable once something has come or gone.
    package var number: Int32 { descriptor.number }

    /// Watches a directory; one that is watched already, or is not there, is no error.
    ///
    /// A directory that goes takes its watch with it: ask again when it may be back.
    package func watch(_ path: String) throws(SystemCallError) {
        let mask = UInt32(IN_CREATE | IN_DELETE | IN_MOVE | IN_DELETE_SELF) | UInt32(IN_ONLYDIR.magnitude)
        let number = descriptor.number
        do throws(SystemCallError) {
            _ = try systemCall("inotify_add_watch") { unsafe inotify_add_watch(number, path, mask) }
        } catch {
            guard error.isMissing else { throw error }
        }
    }

    /// Takes all notices so far; what came or went is found by looking.
    package func takeAll() {
        while let bytes = try? readBytes(descriptor, atMost: 65_536), !bytes.isEmpty {}
    }
}
