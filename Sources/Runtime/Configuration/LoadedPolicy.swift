import LinuxBindings
import PolicyEngine
import SourceDocuments
import YAMLBindings

/// A policy as it was read from its file or directory.
package struct LoadedPolicy: Hashable, Sendable {
    package let policy: Policy
    /// What is right but probably not meant, in the order of the text.
    package let warnings: [SourceProblem]
}

/// Reads a policy: one file, or every `*.yaml` and `*.yml` of a directory in the byte order of their names, as a whole.
///
/// The policy's hash is `sha256:` and, in hexadecimal, the SHA-256 of the file's exact bytes; of a directory, that of one
/// line for each file, in the order in which they are read, as `sha256sum` writes them: the digest in hexadecimal, two
/// spaces, the name, a line feed.
///
/// A directory is read until it is the same twice running: a ConfigMap that is swapped meanwhile is never half the old one,
/// and a file that is being written is noticed if it grows meanwhile. Policies belong there by a rename.
///
/// - Parameters:
///   - path: the file or directory; symbolic links are followed.
///   - limits: how much is read.
///   - digest: SHA-256.
/// - Returns: the policy, and what was found in reading it.
/// - Throws: why it cannot be read, or everything that is wrong with it.
package func loadPolicy(
    path: String,
    limits: PolicyFileLimits = PolicyFileLimits(),
    digest: ([UInt8]) -> [UInt8]
) throws(ConfigurationError) -> LoadedPolicy {
    let source = try PolicySource.read(path, limits: limits)
    do throws(SourceProblems) {
        let documents = try source.documents(limits)
        let (policy, warnings) = try Policy.load(documents, of: path, hash: source.hash(digest))
        return LoadedPolicy(policy: policy, warnings: warnings)
    } catch {
        throw .source(error)
    }
}

/// The bytes of a policy, before anybody reads them.
private enum PolicySource: Equatable {
    case file(path: String, [UInt8])
    case directory(path: String, [SourceFile])

    static func read(_ path: String, limits: PolicyFileLimits) throws(ConfigurationError) -> PolicySource {
        var last = try readOnce(path, limits: limits)
        // A swap takes one rename; whoever changes the files more often than this is not done yet.
        for _ in 0..<8 {
            let again = try readOnce(path, limits: limits)
            if again == last { return again }
            last = again
        }
        throw .file(FileProblem(path: path, cause: .changing))
    }

    private static func readOnce(_ path: String, limits: PolicyFileLimits) throws(ConfigurationError) -> PolicySource {
        let opened = try reading(path) { () throws(SystemCallError) in try openForReading(path) }
        let status = try reading(path) { () throws(SystemCallError) in try fileStatus(opened) }
        guard status.isDirectory else {
            return .file(path: path, try readWhole(opened, path: path, limit: limits.fileBytes))
        }
        return .directory(path: path, try readPolicyFiles(opened, path: path, limits: limits))
    }

    /// The documents of every file; everything that is no YAML in any of them is thrown together.
    func documents(_ limits: PolicyFileLimits) throws(SourceProblems) -> [SourceNode] {
        var documents: [SourceNode] = []
        var problems: [SourceProblem] = []
        for (path, bytes) in files {
            do throws(SourceProblems) {
                documents += try readYAML(bytes, file: path, limits: YAMLLimits(bytes: limits.fileBytes))
            } catch {
                problems += error.problems
            }
        }
        guard problems.isEmpty else { throw SourceProblems(problems) }
        return documents
    }

    private var files: [(path: String, bytes: [UInt8])] {
        switch self {
        case .file(let path, let bytes): [(path, bytes)]
        case .directory(let path, let files): files.map { (pathOfFile($0.name, in: path), $0.bytes) }
        }
    }

    func hash(_ digest: ([UInt8]) -> [UInt8]) -> String {
        let octets =
            switch self {
            case .file(_, let bytes): bytes
            case .directory(_, let files):
                files.flatMap { Array("\(hexadecimal(digest($0.bytes)))  \($0.name)\n".utf8) }
            }
        return "sha256:\(hexadecimal(digest(octets)))"
    }
}

private func hexadecimal(_ octets: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
