import LinuxBindings

/// One file of a source: its name in the directory, and its bytes.
struct SourceFile: Hashable, Sendable {
    var name: String
    var bytes: [UInt8]
}

/// How much of a policy is read before the reader gives up.
package struct PolicyFileLimits: Hashable, Sendable {
    /// The most entries that a directory may have, policy files or not.
    package var names = 4096
    /// The most policy files.
    package var files = 256
    /// The longest file, in bytes.
    package var fileBytes = 4 << 20
    /// The most values in a file, counting every list and mapping as one: ten thousand rules have some 200,000.
    package var fileNodes = 1_000_000
    /// All files together, in bytes.
    package var bytes = 16 << 20

    package init() {}
}

/// Reads a regular file of at most `limit` bytes.
func readSource(_ path: String, limit: Int) throws(ConfigurationError) -> [UInt8] {
    let file = try reading(path) { () throws(SystemCallError) in try openForReading(path) }
    return try readWhole(file, path: path, limit: limit)
}

/// Reads every policy file of an open directory, in the byte order of the names.
///
/// Names that begin with a dot are passed over: they are editors' and, in a mounted ConfigMap, `..data`, through which the
/// visible names point.
func readPolicyFiles(
    _ directory: borrowing OwnedDescriptor,
    path: String,
    limits: PolicyFileLimits
) throws(ConfigurationError) -> [SourceFile] {
    let names = try policyNames(directory, path: path, limits: limits)
    var files: [SourceFile] = []
    var room = limits.bytes
    for name in names {
        let place = pathOfFile(name, in: path)
        let file = try reading(place) { () throws(SystemCallError) in
            try openForReading(below: directory, name)
        }
        let bytes = try readWhole(file, path: place, limit: min(limits.fileBytes, room))
        room -= bytes.count
        files.append(SourceFile(name: name, bytes: bytes))
    }
    return files
}

/// A file's path, as messages write it.
func pathOfFile(_ name: String, in directory: String) -> String {
    directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
}

private func policyNames(
    _ directory: borrowing OwnedDescriptor,
    path: String,
    limits: PolicyFileLimits
) throws(ConfigurationError) -> [String] {
    let found = try reading(path) { () throws(SystemCallError) in
        try namesInDirectory(directory, limit: limits.names)
    }
    guard let found else { throw .file(FileProblem(path: path, cause: .tooManyFiles(limit: limits.names))) }
    let names = found.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard !names.isEmpty else { throw .file(FileProblem(path: path, cause: .noPolicyFile)) }
    guard names.count <= limits.files else {
        throw .file(FileProblem(path: path, cause: .tooManyFiles(limit: limits.files)))
    }
    for name in names where name.unicodeScalars.contains(where: isStrange) {
        throw .file(FileProblem(path: path, cause: .strangeName))
    }
    return names
}

func readWhole(
    _ file: borrowing OwnedDescriptor,
    path: String,
    limit: Int
) throws(ConfigurationError) -> [UInt8] {
    let status = try reading(path) { () throws(SystemCallError) in try fileStatus(file) }
    guard status.isRegular else {
        throw .file(FileProblem(path: path, cause: status.isDirectory ? .directory : .notRegular))
    }
    var content: [UInt8] = []
    while true {
        // One byte more than may be there, so that a file that grows is noticed.
        let count = min(65536, limit - content.count + 1)
        let piece = try reading(path) { () throws(SystemCallError) in try readBytes(file, atMost: count) }
        if piece.isEmpty { return content }
        content += piece
        guard content.count <= limit else { throw .file(FileProblem(path: path, cause: .tooLarge(limit: limit))) }
    }
}

/// Says which file a system call failed on.
func reading<Value: ~Copyable>(
    _ path: String,
    _ call: () throws(SystemCallError) -> Value
) throws(ConfigurationError) -> Value {
    do throws(SystemCallError) {
        return try call()
    } catch {
        throw .file(FileProblem(path: path, cause: .systemCall(error)))
    }
}
