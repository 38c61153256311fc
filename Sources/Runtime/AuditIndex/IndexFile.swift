import LinuxBindings

/// What stands at the path of an index, seen before SQLite opens it.
enum IndexFile: Hashable {
    case absent
    /// Nothing was written to it so far.
    case blank
    case index(version: Int)
    case foreign

    /// A page of ours.
    private static let pageBytes = 4096

    /// Looks at the head of the file, which every SQLite database has (its file format, section 1.3).
    ///
    /// Nothing but an index of ours is ever emptied: a slip of the operator's may name the trail itself.
    init(_ path: String) throws(SystemCallError) {
        let file: OwnedDescriptor
        do throws(SystemCallError) {
            file = try openFile(path, [.readOnly, .nonblocking, .noFollow])
        } catch {
            guard error.isMissing else { throw error }
            self = .absent
            return
        }
        let status = try fileStatus(file)
        guard status.isRegular, status.linkCount == 1 else {
            self = .foreign
            return
        }
        let head = try readBytes(file, atMost: 100, at: 0)
        self = head.isEmpty ? .blank : Self.kind(head, size: status.size)
    }

    /// Makes an empty file for its owner only, which SQLite would not do; one that is there by now is left as it is.
    ///
    /// What root makes in the folder of another user's trail is that user's, where the file system has it so.
    static func make(_ path: String, besideTrail trail: String?) throws(SystemCallError) {
        let file: OwnedDescriptor
        do throws(SystemCallError) {
            file = try openFile(path, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
        } catch {
            guard error.isAlreadyThere else { throw error }
            return
        }
        guard effectiveIdentity().user == 0, let trail, folder(of: trail) == folder(of: path),
            let owner = try? fileStatus(at: trail).owner
        else { return }
        try? setOwner(file, owner)
    }

    private static func folder(of path: String) -> Substring { path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }

    private static func kind(_ head: [UInt8], size: Int) -> IndexFile {
        guard head.count == 100, head.starts(with: Array("SQLite format 3\u{0}".utf8)) else { return .foreign }
        let application = number(head[68..<72])
        // A database of one page has no tables: one that was made and left, or emptied.
        if application == 0, size <= pageBytes { return .blank }
        return application == IndexSchema.application ? .index(version: number(head[60..<64])) : .foreign
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
