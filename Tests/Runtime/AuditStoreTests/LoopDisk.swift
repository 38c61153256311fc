import Foundation

/// A disk of a few megabytes in a file, with ext4 on it, mounted; what really happens to disks can be done to it.
///
/// It needs root and loop devices.
final class LoopDisk {
    let path: String
    private let image: String

    init() throws {
        let name = "/tmp/audit-disk-\(UUID().uuidString)"
        path = name
        image = name + ".img"
        try run("truncate", "-s", "16M", image)
        try run("mkfs.ext4", "-q", "-F", image)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try run("mount", "-o", "loop,errors=remount-ro", image, path)
    }

    deinit {
        try? thaw()
        try? run("umount", "-l", path)
        try? FileManager.default.removeItem(atPath: path)
        try? FileManager.default.removeItem(atPath: image)
    }

    var file: String { path + "/audit.jsonl" }

    /// Has every write wait in the kernel until `thaw`; at most 30 seconds, because a process that waits so cannot be killed.
    func freeze() throws {
        try run("fsfreeze", "-f", path)
        let path = path
        DispatchQueue.global().asyncAfter(deadline: .now() + 30) {
            if FileManager.default.fileExists(atPath: path) { try? run("sh", "-c", "fsfreeze -u \(path) 2>/dev/null") }
        }
    }

    func thaw() throws { try run("sh", "-c", "fsfreeze -u \(path) 2>/dev/null || true") }

    /// Has the kernel find an error on the disk: it lets nothing more be written, as `errors=remount-ro` says.
    func fail() throws {
        try run("sh", "-c", "echo test > /sys/fs/ext4/$(basename $(findmnt -no SOURCE \(path)))/trigger_fs_error")
    }
}
