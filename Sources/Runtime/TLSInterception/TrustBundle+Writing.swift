import LinuxBindings

extension TrustBundle {
    /// Writes the files into a folder that agents read, each whole or not at all; the folder is made where it is missing.
    ///
    /// Everybody may read the files, and a folder that is made, whatever the process's mask. One that is there keeps its mode.
    ///
    /// - Throws: `.holdsKey` where the folder is an authority's own; `.noParent`; `.unwritable`.
    package func write(to path: String) throws(AuthorityError) {
        let isNew: Bool
        do throws(SystemCallError) {
            isNew = try makeDirectory(path, mode: 0o755)
        } catch {
            throw error.isMissing ? .noParent(path) : .unwritable(path, error)
        }
        let folder = try AuthorityFolder(path)
        try Self.refuseKey(in: folder)
        if isNew { try folder.open(to: 0o755) }
        for file in files {
            try folder.prepare(file.name, file.bytes, mode: 0o644)
            try folder.take(file.name, replacing: true)
        }
    }

    /// Says why the files could not be written there, as far as that is known without writing.
    ///
    /// `path` is absolute.
    ///
    /// - Throws: as `write` does.
    package static func check(_ path: String) throws(AuthorityError) {
        do throws(AuthorityError) {
            let folder = try AuthorityFolder(path)
            try refuseKey(in: folder)
            try folder.checkIsWritable()
        } catch .missing {
            // It is made at the start, and nothing above it.
            let above = path.split(separator: "/").dropLast().joined(separator: "/")
            do throws(SystemCallError) {
                _ = try openFile("/" + above, [.readOnly, .directory])
            } catch {
                if error.isMissing { throw .noParent(path) }
            }
        }
    }

    /// By another name it may be the authority's own folder.
    private static func refuseKey(in folder: borrowing AuthorityFolder) throws(AuthorityError) {
        guard try folder.status(AuthorityFolder.key) == nil else { throw .holdsKey(folder.path) }
    }
}
