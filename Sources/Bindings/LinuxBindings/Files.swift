import CLinux
import Glibc

/// What `stat` tells of a file, as far as anybody here asks.
package struct FileStatus: Hashable, Sendable {
    /// In bytes.
    package let size: Int
    package let device: UInt64
    package let inode: UInt64
    package let owner: UInt32
    package let linkCount: Int
    package let isRegular: Bool
    package let isDirectory: Bool
}

/// Opens a file. `flags` are the `O_…` of open(2); `O_CLOEXEC` is always added.
package func openFile(
    _ path: String,
    flags: Int32,
    mode: UInt32 = 0
) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try systemCall("open") { unsafe clinux_open(path, flags | O_CLOEXEC, mode) })
}

/// Opens a file below an open directory. `O_CLOEXEC` is always added.
package func openFile(
    below directory: borrowing OwnedDescriptor,
    _ name: String,
    flags: Int32,
    mode: UInt32 = 0
) throws(SystemCallError) -> OwnedDescriptor {
    let parent = directory.number
    return OwnedDescriptor(
        adopting: try systemCall("openat") { unsafe clinux_openat(parent, name, flags | O_CLOEXEC, mode) }
    )
}

/// What the kernel knows of an open file.
package func fileStatus(_ file: borrowing OwnedDescriptor) throws(SystemCallError) -> FileStatus {
    var status = stat()
    let number = file.number
    _ = try systemCall("fstat") { unsafe fstat(number, &status) }
    return FileStatus(
        size: Int(status.st_size),
        device: UInt64(status.st_dev),
        inode: UInt64(status.st_ino),
        owner: status.st_uid,
        linkCount: Int(status.st_nlink),
        isRegular: status.st_mode & S_IFMT == S_IFREG,
        isDirectory: status.st_mode & S_IFMT == S_IFDIR
    )
}

/// Reads at most `count` bytes; an empty array is the end of the file.
package func readBytes(
    _ file: borrowing OwnedDescriptor,
    atMost count: Int,
    at offset: Int? = nil
) throws(SystemCallError) -> [UInt8] {
    let number = file.number
    var failed: SystemCallError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        do throws(SystemCallError) {
            filled = try systemCall("read") {
                if let offset { return unsafe pread(number, buffer.baseAddress, count, offset) }
                return unsafe read(number, buffer.baseAddress, count)
            }
        } catch {
            failed = error
        }
    }
    if let failed { throw failed }
    return bytes
}

/// Writes as many of the bytes as the file takes, and says how many.
package func writeBytes(
    _ file: borrowing OwnedDescriptor,
    _ bytes: borrowing Span<UInt8>
) throws(SystemCallError) -> Int {
    let number = file.number
    var failed: SystemCallError?
    let written = unsafe bytes.withUnsafeBufferPointer { buffer in
        do throws(SystemCallError) {
            return try systemCall("write") { unsafe write(number, buffer.baseAddress, buffer.count) }
        } catch {
            failed = error
            return 0
        }
    }
    if let failed { throw failed }
    return written
}

/// Reads a whole file of at most `limit` bytes; `EFBIG` where it is larger.
package func readFile(_ path: String, limit: Int) throws(SystemCallError) -> [UInt8] {
    let file = try openFile(path, flags: O_RDONLY)
    var content: [UInt8] = []
    while true {
        let piece = try readBytes(file, atMost: 65536)
        if piece.isEmpty { return content }
        content += piece
        guard content.count <= limit else { throw SystemCallError(call: "read", code: EFBIG) }
    }
}
