import CLinux
import Glibc

/// Makes a directory; `mode` is cut by the process's mask.
///
/// One that is there is left as it is.
///
/// - Returns: whether it was made.
@discardableResult
package func makeDirectory(_ path: String, mode: UInt32) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) {
        _ = try systemCall("mkdir") { unsafe mkdir(path, mode) }
        return true
    } catch {
        guard error.isAlreadyThere else { throw error }
        return false
    }
}

/// Removes an empty directory.
package func removeDirectory(_ path: String) throws(SystemCallError) {
    _ = try systemCall("rmdir") { unsafe rmdir(path) }
}
