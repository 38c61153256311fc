import LinuxBindings
import PolicyEngine
import SourceDocuments

/// What stands at a path that a policy is read from.
enum PolicyPath {
    case file([UInt8])
    case directory([SourceFile])

    /// Reads a file, or every policy file of a directory.
    static func read(_ path: String, limits: PolicyFileLimits, room: Int) throws(ConfigurationError) -> PolicyPath {
        let opened = try reading(path) { () throws(SystemCallError) in try openForReading(path) }
        let status = try reading(path) { () throws(SystemCallError) in try fileStatus(opened) }
        guard status.isDirectory else {
            return .file(try readWhole(opened, path: path, limit: min(limits.fileBytes, room)))
        }
        var limits = limits
        limits.bytes = room
        return .directory(try readPolicyFiles(opened, path: path, limits: limits))
    }

    /// The directory that a file is in, and its name there.
    static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let directory = String(path[..<slash])
        return (directory.isEmpty ? "/" : directory, String(path[path.index(after: slash)...]))
    }

    /// The way from the policy's directory to an extended file.
    ///
    /// `extends` is read from the directory of the file that says it, and stays within the policy's own: what is mounted or
    /// reviewed as a whole is a whole.
    static func resolve(_ extended: ExtendedFile, from relative: String) throws(SourceProblem) -> String {
        let text = extended.path
        func problem(_ message: String, _ remedy: String) -> SourceProblem {
            SourceProblem("`extends` names \(message)", at: extended.location, remedy: remedy)
        }
        guard !text.hasPrefix("/") else {
            throw problem("an absolute path", "name a file relative to this one, such as base.yaml")
        }
        guard !text.unicodeScalars.contains(where: isStrange) else {
            throw problem("a file with a character that no policy file needs", "rename the file")
        }
        var parts = relative.split(separator: "/").dropLast()
        for part in text.split(separator: "/") where part != "." {
            guard part == ".." else {
                parts.append(part)
                continue
            }
            guard parts.popLast() != nil else {
                throw problem("a file outside the policy's directory", "put the file beside this one, or below")
            }
        }
        let path = parts.joined(separator: "/")
        guard !path.isEmpty, !text.hasSuffix("/") else {
            throw problem("a directory", "name one file, such as base.yaml")
        }
        return path
    }
}

/// What would make the lines that the hash is taken over ambiguous, or could not be opened again.
func isStrange(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || scalar == "\\" || scalar == "\u{fffd}"
}
