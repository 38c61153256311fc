import LinuxBindings

extension TrustBundle {
    /// Writes the files into a folder that agents read, each whole or not at all; the folder is made where it is missing.
    ///
    /// - Throws: `.holdsKey` where the folder is an authority's own; `.unwritable`.
    package func write(to path: String) throws(AuthorityError) {
        do throws(SystemCallError) {
            try makeDirectory(path, mode: 0o755)
        } catch {
            throw .unwritable(path, error)
        }
        let folder = try AuthorityFolder(path)
        // By another name it may be the authority's own folder.
        guard try folder.status(AuthorityFolder.key) == nil else { throw .holdsKey(path) }
        for file in files {
            try folder.prepare(file.name, file.bytes, mode: 0o644)
            try folder.take(file.name, replacing: true)
        }
    }
}
