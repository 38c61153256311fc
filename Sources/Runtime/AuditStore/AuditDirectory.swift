import AuditTrail
import LinuxBindings

/// The directory of the audit file: opened once, and every file in it opened below it, so that nobody can put another
/// directory in its place.
final class AuditDirectory: Sendable {
    /// How many names are looked at; more are none of ours.
    private static let nameLimit = 100_000

    private let descriptor: OwnedDescriptor
    /// The name of the file that is being written.
    let activeName: String
    /// What the names of segments begin with.
    let stem: String

    /// Opens the directory of this file.
    init(of path: String) throws(SystemCallError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        activeName = slash.map { String(path[path.index(after: $0)...]) } ?? path
        stem = SegmentName.stem(of: activeName)
        descriptor = try openFile(folder, [.readOnly, .directory])
    }

    /// Under this name the next file is prepared.
    var nextName: String { activeName + ".new" }

    /// What a segment that is being compressed is called until it is whole.
    func partName(of segment: SegmentName) -> String { segment.text + ".part" }

    /// Opens a file here; `mode` is of one that is made, and no symbolic link is followed.
    func open(_ name: String, _ opening: FileOpening, mode: UInt32 = 0o600) throws(SystemCallError) -> OwnedDescriptor {
        try openFile(below: descriptor, name, opening.union([.noFollow, .nonblocking]), mode: mode)
    }

    func status(_ name: String) throws(SystemCallError) -> FileStatus? {
        try fileStatus(below: descriptor, name)
    }

    func rename(_ name: String, to newName: String) throws(SystemCallError) {
        try renameFile(below: descriptor, name, to: newName)
    }

    func replace(_ name: String, with newName: String) throws(SystemCallError) {
        try replaceFile(below: descriptor, name, with: newName)
    }

    /// Removes a file; one that is not there is no error.
    func remove(_ name: String) throws(SystemCallError) {
        do throws(SystemCallError) {
            try removeFile(below: descriptor, name)
        } catch {
            guard error.isMissing else { throw error }
        }
    }

    /// Waits until the names are where a loss of power does not take them.
    func synchronize() throws(SystemCallError) { try LinuxBindings.synchronize(descriptor) }

    /// The segments here, in the order of their lines.
    func segments() throws(SystemCallError) -> [SegmentName] {
        try names().compactMap { SegmentName($0, stem: stem) }.sorted()
    }

    /// Names of compressed segments that were not finished.
    func parts() throws(SystemCallError) -> [String] {
        try names().filter { $0.hasPrefix(stem + "-") && $0.hasSuffix(".jsonl.part") }
    }

    private func names() throws(SystemCallError) -> [String] {
        guard let names = try namesInDirectory(descriptor, limit: Self.nameLimit) else {
            throw SystemCallError(call: "readdir", code: 75)
        }
        return names
    }
}

/// Opens a file of the trail for reading, below its directory.
///
/// - Throws: `.foreignSegment` for a file that somebody else may have put there, a symbolic link among them.
func openSegment(
    _ name: String,
    in directory: AuditDirectory
) throws(AuditError) -> OpenSegment {
    do throws(SystemCallError) {
        let file = try directory.open(name, .readOnly)
        let status = try fileStatus(file)
        if AuditFile.fault(of: status) == nil { return OpenSegment(file: file, size: status.size) }
    } catch {
        // What others own cannot even be opened.
        let isForeign = (try? directory.status(name)).flatMap { $0 }.map { AuditFile.fault(of: $0) != nil } ?? false
        guard isForeign else { throw .notOpened(error) }
    }
    throw .foreignSegment(name)
}

/// A file of the trail, open for reading.
struct OpenSegment: ~Copyable {
    let file: OwnedDescriptor
    /// In bytes.
    let size: Int
}
