import PolicyEngine
import SourceDocuments

/// A policy as it was read from its file or directory.
package struct LoadedPolicy: Hashable, Sendable {
    package let policy: Policy
    /// What is right but probably not meant, in the order of the text.
    package let warnings: [SourceProblem]
}

/// Reads a policy: files, and directories of which every `*.yaml` and `*.yml` is read in the byte order of their names; the
/// paths in the order given, all of it as a whole.
///
/// What a file names in `extends` is read before it, each file once.
///
/// The policy's hash is `sha256:` and, in hexadecimal, the SHA-256 of the exact bytes where it is one file; else, that of one
/// line for each file, in the order in which they are taken, as `sha256sum` writes them: the digest in hexadecimal, two
/// spaces, the name, a line feed. The name is the way from the directory of the one path; with several paths, the whole path.
///
/// It is read until it is the same twice running: a ConfigMap that is swapped meanwhile is never half the old one, and a file
/// that is being written is noticed if it grows meanwhile. Policies belong there by a rename.
///
/// - Parameters:
///   - paths: the files and directories, at least one; symbolic links are followed.
///   - limits: how much is read.
///   - canIntercept: whether an authority for interception is configured.
///   - secrets: those that are configured, and where they may go; `nil` where nobody knows.
///   - egress: the ways out that are configured beside `direct`; `nil` where nobody knows.
///   - digest: SHA-256.
/// - Returns: the policy, and what was found in reading it.
/// - Throws: why it cannot be read, or everything that is wrong with it.
package func loadPolicy(
    paths: [String],
    limits: PolicyFileLimits = PolicyFileLimits(),
    canIntercept: Bool = false,
    secrets: [SecretName: SecretScope]? = nil,
    egress: [EgressName: EgressKind]? = nil,
    digest: ([UInt8]) -> [UInt8]
) throws(ConfigurationError) -> LoadedPolicy {
    let source = try collect(paths, limits: limits)
    do throws(SourceProblems) {
        let name = paths.first ?? "policy"
        let (policy, warnings) = try Policy.load(
            source.documents,
            of: name,
            hash: source.hash(digest),
            canIntercept: canIntercept,
            secrets: secrets,
            egress: egress
        )
        guard source.problems.isEmpty else { throw SourceProblems([]) }
        return LoadedPolicy(policy: policy, warnings: warnings)
    } catch {
        throw .source(source.allProblems(error.problems))
    }
}

/// As `loadPolicy(paths:)`, of one path.
package func loadPolicy(
    path: String,
    limits: PolicyFileLimits = PolicyFileLimits(),
    canIntercept: Bool = false,
    digest: ([UInt8]) -> [UInt8]
) throws(ConfigurationError) -> LoadedPolicy {
    try loadPolicy(paths: [path], limits: limits, canIntercept: canIntercept, digest: digest)
}

private func collect(_ paths: [String], limits: PolicyFileLimits) throws(ConfigurationError) -> PolicyCollector {
    var parsed = ParsedFiles()
    var last = try collectOnce(paths, limits: limits, &parsed)
    // A swap takes one rename; whoever changes the files more often than this is not done yet.
    for _ in 0..<8 {
        let again = try collectOnce(paths, limits: limits, &parsed)
        if again.files == last.files, again.problems == last.problems { return again }
        last = again
    }
    throw .file(FileProblem(path: paths.first ?? "", cause: .changing))
}

private func collectOnce(
    _ paths: [String],
    limits: PolicyFileLimits,
    _ parsed: inout ParsedFiles
) throws(ConfigurationError) -> PolicyCollector {
    var collector = PolicyCollector(limits: limits, hasSeveralPaths: paths.count > 1)
    for path in paths { try collector.take(path: path, &parsed) }
    return collector
}

extension PolicyCollector {
    /// Those of the files themselves, and those of what they say.
    ///
    /// What stands in the place of something that was refused is no further mistake.
    fileprivate func allProblems(_ said: [SourceProblem]) -> SourceProblems {
        guard !problems.isEmpty else { return SourceProblems(said) }
        let refused = Set(problems.map(\.location))
        let further = documents.isEmpty ? [] : said.filter { !refused.contains($0.location) }
        return SourceProblems(inOrder: problems + further)
    }

    fileprivate func hash(_ digest: ([UInt8]) -> [UInt8]) -> String {
        let octets =
            if isOneFile, let file = files.first {
                file.bytes
            } else {
                files.flatMap { Array("\(hexadecimal(digest($0.bytes)))  \($0.name)\n".utf8) }
            }
        return "sha256:\(hexadecimal(digest(octets)))"
    }
}

private func hexadecimal(_ octets: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
