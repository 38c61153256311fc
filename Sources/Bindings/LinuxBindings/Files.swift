import CLinux
import Glibc

/// How a file is opened; it is always closed on exec.
package struct FileOpening: OptionSet, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static let readOnly = FileOpening(rawValue: O_RDONLY)
    package static let readWrite = FileOpening(rawValue: O_RDWR)
    package static let append = FileOpening(rawValue: O_APPEND)
    package static let create = FileOpening(rawValue: O_CREAT)
    /// Together with `create`: a file that is there already is an error.
    package static let exclusive = FileOpening(rawValue: O_EXCL)
    /// Whatever stands in the file goes.
    package static let truncate = FileOpening(rawValue: O_TRUNC)
    package static let directory = FileOpening(rawValue: O_DIRECTORY)
    /// A symbolic link at the end of the path is an error.
    package static let noFollow = FileOpening(rawValue: O_NOFOLLOW)
    /// Opening a pipe does not wait for its other end.
    package static let nonblocking = FileOpening(rawValue: O_NONBLOCK)
}

extension SystemCallError {
    /// What a call should have said that did nothing and called it success.
    package static func inputOutput(_ call: String) -> SystemCallError { SystemCallError(call: call, code: EIO) }

    /// What is said of a folder, a link or a device where a file is wanted.
    package static func notRegular(_ call: String) -> SystemCallError { SystemCallError(call: call, code: EISDIR) }

    /// True where there is more than the caller wants.
    package var isTooLarge: Bool { code == EFBIG }

    /// True where nobody reads any more what is written.
    package var isReaderGone: Bool { code == EPIPE }

    /// True where there is no such file.
    package var isMissing: Bool { code == ENOENT }

    /// True where a symbolic link stands at a path of which none is followed.
    package var isLink: Bool { code == ELOOP }
}

/// What `stat` tells of a file, as far as anybody here asks.
package struct FileStatus: Hashable, Sendable {
    /// In bytes.
    package let size: Int
    package let device: UInt64
    package let inode: UInt64
    package let owner: UInt32
    package let linkCount: Int
    /// Who may read, write and run it, and the bits beside.
    package let permissions: UInt32
    package let isRegular: Bool
    package let isDirectory: Bool
    package let isSocket: Bool
    /// When it was written to last, in microseconds since 1970-01-01T00:00:00Z.
    package let modified: Int64
}

/// Opens a file; `mode` is of one that is made.
package func openFile(
    _ path: String,
    _ opening: FileOpening,
    mode: UInt32 = 0
) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try systemCall("open") { unsafe clinux_open(path, opening.rawValue | O_CLOEXEC, mode) })
}

/// Opens a file below an open directory; `mode` is of one that is made.
package func openFile(
    below directory: borrowing OwnedDescriptor,
    _ name: String,
    _ opening: FileOpening,
    mode: UInt32 = 0
) throws(SystemCallError) -> OwnedDescriptor {
    let parent = directory.number
    return OwnedDescriptor(
        adopting: try systemCall("openat") { unsafe clinux_openat(parent, name, opening.rawValue | O_CLOEXEC, mode) }
    )
}

/// What the kernel knows of an open file.
package func fileStatus(_ file: borrowing OwnedDescriptor) throws(SystemCallError) -> FileStatus {
    var status = stat()
    let number = file.number
    _ = try systemCall("fstat") { unsafe fstat(number, &status) }
    return FileStatus(status)
}

/// What the kernel knows of the file at a path, which need not be readable; symbolic links are followed.
package func fileStatus(at path: String) throws(SystemCallError) -> FileStatus {
    var status = stat()
    _ = try systemCall("fstatat") { unsafe fstatat(AT_FDCWD, path, &status, 0) }
    return FileStatus(status)
}

/// How many bytes an open file has, and how many names.
///
/// Its times are not asked for: a kernel with fine-grained ones (6.13) dates the next write after each look at them, which costs that write
/// a change of the inode in the file system's journal.
package func sizeAndLinks(of file: borrowing OwnedDescriptor) throws(SystemCallError) -> (size: Int, links: Int) {
    var size: UInt64 = 0
    var links: UInt32 = 0
    let number = file.number
    _ = try systemCall("statx") { unsafe clinux_size_and_links(number, &size, &links) }
    return (Int(size), Int(links))
}

extension FileStatus {
    init(_ status: stat) {
        size = Int(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        owner = status.st_uid
        linkCount = Int(status.st_nlink)
        permissions = status.st_mode & 0o7777
        isRegular = status.st_mode & S_IFMT == S_IFREG
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
        isSocket = status.st_mode & S_IFMT == S_IFSOCK
        modified = Int64(status.st_mtim.tv_sec) &* 1_000_000 &+ Int64(status.st_mtim.tv_nsec / 1000)
    }
}

/// Gives an open file or directory these permissions, whatever the process's mask; one that has them is left alone.
package func setPermissions(_ file: borrowing OwnedDescriptor, _ mode: UInt32) throws(SystemCallError) {
    guard try fileStatus(file).permissions != mode else { return }
    let number = file.number
    _ = try systemCall("fchmod") { fchmod(number, mode) }
}

/// Gives an open file to another user, which takes root; its group stays.
package func setOwner(_ file: borrowing OwnedDescriptor, _ user: UInt32) throws(SystemCallError) {
    let number = file.number
    _ = try systemCall("fchown") { fchown(number, user, .max) }
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

/// Reads into the array from the index `start` on, as much as it has room for and the file has; 0 is the end of the file.
package func readBytes(
    _ file: borrowing OwnedDescriptor,
    into buffer: inout [UInt8],
    from start: Int = 0
) throws(SystemCallError) -> Int {
    let number = file.number
    let room = buffer.count - start
    precondition(start >= 0 && room >= 0, "there is no such place in the buffer")
    return try systemCall("read") {
        unsafe buffer.withUnsafeMutableBytes { unsafe read(number, $0.baseAddress.map { unsafe $0 + start }, room) }
    }
}

/// Has the next read begin at this offset, in bytes from the beginning of the file.
package func seek(_ file: borrowing OwnedDescriptor, to offset: Int) throws(SystemCallError) {
    let number = file.number
    _ = try systemCall("lseek") { lseek(number, offset, SEEK_SET) }
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
    let file = try openFile(path, .readOnly)
    var content: [UInt8] = []
    while true {
        let piece = try readBytes(file, atMost: 65536)
        if piece.isEmpty { return content }
        content += piece
        guard content.count <= limit else { throw SystemCallError(call: "read", code: EFBIG) }
    }
}
