import CLinux
import Glibc

extension SystemCallError {
    /// True where a file of that name is there already.
    package var isAlreadyThere: Bool { code == EEXIST }
}

/// What the kernel knows of the file with this name in an open directory; a symbolic link is not followed.
///
/// - Returns: `nil` where there is none.
package func fileStatus(
    below directory: borrowing OwnedDescriptor,
    _ name: String
) throws(SystemCallError) -> FileStatus? {
    var status = stat()
    let parent = directory.number
    do throws(SystemCallError) {
        _ = try systemCall("fstatat") { unsafe fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) }
    } catch {
        guard error.isMissing else { throw error }
        return nil
    }
    return FileStatus(status)
}

/// Gives a file in an open directory another name there; a file that has the name already is an error, not replaced.
package func renameFile(
    below directory: borrowing OwnedDescriptor,
    _ name: String,
    to newName: String
) throws(SystemCallError) {
    let parent = directory.number
    _ = try systemCall("renameat2") {
        unsafe renameat2(parent, name, parent, newName, UInt32(CLINUX_RENAME_NOREPLACE))
    }
}

/// Gives a file in an open directory the name of another, which is replaced in the same step.
package func replaceFile(
    below directory: borrowing OwnedDescriptor,
    _ name: String,
    with newName: String
) throws(SystemCallError) {
    let parent = directory.number
    _ = try systemCall("renameat") { unsafe renameat(parent, newName, parent, name) }
}

/// Makes sure that this process may make files in an open directory, without making one.
package func checkWriting(in directory: borrowing OwnedDescriptor) throws(SystemCallError) {
    let parent = directory.number
    _ = try systemCall("faccessat") { unsafe faccessat(parent, ".", W_OK | X_OK, AT_EACCESS) }
}

/// Removes a name from an open directory.
package func removeFile(below directory: borrowing OwnedDescriptor, _ name: String) throws(SystemCallError) {
    let parent = directory.number
    _ = try systemCall("unlinkat") { unsafe unlinkat(parent, name, 0) }
}

/// Writes bytes at an offset, all of them or with an error.
package func writeBytes(
    _ file: borrowing OwnedDescriptor,
    _ bytes: [UInt8],
    at offset: Int
) throws(SystemCallError) {
    let number = file.number
    var done = 0
    while done < bytes.count {
        let rest = bytes[done...]
        let count = try systemCall("pwrite") {
            unsafe rest.withUnsafeBytes { unsafe pwrite(number, $0.baseAddress, $0.count, offset + done) }
        }
        guard count > 0 else { throw .inputOutput("pwrite") }
        done += count
    }
}

extension SystemCallError {
    /// True where a path leads through something that is no directory, or a cgroup that is being removed.
    package var isGone: Bool { code == ENOTDIR || code == ENODEV }
}

/// Where a symbolic link leads; `nil` where there is none, or its target is longer than 4095 bytes.
package func linkTarget(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes { room in
        unsafe room.baseAddress.map { unsafe readlink(path, $0, room.count) } ?? -1
    }
    guard count > 0, count < buffer.count else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self)
}
