import LinuxBindings

/// The longest manifest that is read, in bytes.
private let manifestLimit = 16 << 20

/// Reads a manifest whole; `-` is standard input.
func readManifest(_ path: String) throws(Complaint) -> [UInt8] {
    do throws(SystemCallError) {
        return try path == "-" ? readStandardInput() : readFile(path, limit: manifestLimit)
    } catch {
        let name = path == "-" ? "standard input" : path
        let why = error.isTooLarge ? "it is longer than \(manifestLimit) bytes" : "\(error)"
        throw Complaint("cannot read \(name): \(why)", .unreadable)
    }
}

private func readStandardInput() throws(SystemCallError) -> [UInt8] {
    // Nobody else reads it, and the program ends soon.
    let input = OwnedDescriptor(adopting: 0)
    var content: [UInt8] = []
    // One byte more than is allowed tells that there is more.
    while content.count <= manifestLimit {
        let piece = try readBytes(input, atMost: 1 << 16)
        if piece.isEmpty { break }
        content += piece
    }
    return content
}

/// Gives a file new content in one step: whoever reads it sees the old or the new, whole.
///
/// A file that is there keeps its permissions.
func replaceContent(of path: String, with bytes: [UInt8]) throws(Complaint) {
    let cut = path.lastIndex(of: "/")
    let folder = cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = cut.map { String(path[path.index(after: $0)...]) } ?? path
    let isOdd: Bool
    do throws(SystemCallError) {
        let directory = try openFile(folder, [.readOnly, .directory])
        let status = try fileStatus(below: directory, name)
        isOdd = status.map { !$0.isRegular } ?? false
        if !isOdd { try replaceFile(below: directory, name, with: bytes, status?.permissions) }
    } catch {
        throw Complaint("cannot write \(path): \(error)", .unwritable)
    }
    guard !isOdd else {
        throw Complaint(
            "cannot write \(path): it is a link, a directory or a device, and no regular file; name the file itself, or leave out "
                + "--output for standard output",
            .unwritable
        )
    }
}

private func replaceFile(
    below directory: borrowing OwnedDescriptor,
    _ name: String,
    with bytes: [UInt8],
    _ permissions: UInt32?
) throws(SystemCallError) {
    let draft = ".\(name).\(processIdentifier()).penstock"
    let file = try openFile(below: directory, draft, [.readWrite, .create, .exclusive], mode: permissions ?? 0o666)
    do throws(SystemCallError) {
        // The umask is for new files.
        if let permissions { try setPermissions(file, permissions) }
        try writeAll(bytes, to: file)
        try synchronize(file)
        try replaceFile(below: directory, name, with: draft)
    } catch {
        try? removeFile(below: directory, draft)
        throw error
    }
}

/// Writes all bytes where the file stands.
///
/// - Throws: where not all of them could be written; what was written before that stays.
func writeAll(_ bytes: [UInt8], to file: borrowing OwnedDescriptor) throws(SystemCallError) {
    var done = 0
    while done < bytes.count {
        let count = try writeBytes(file, bytes.span.extracting(done...))
        guard count > 0 else { throw .inputOutput("write") }
        done += count
    }
}
