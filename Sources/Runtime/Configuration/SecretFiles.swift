import Credentials
import LinuxBindings
import NetworkTypes
import PolicyEngine
import SourceDocuments

/// Secrets as they were read from their files.
package struct LoadedSecrets: Sendable {
    package let secrets: [SecretName: Secret]
    /// What is open to more users than need it, in the order of the names.
    package let warnings: [String]
}

/// Reads secrets, each from the file that the configuration names for it.
///
/// Symbolic links are followed: a mounted Secret of Kubernetes is made of them. A file that everybody may write to is an
/// error, for whoever does decides what goes to the hosts of others; that others may read it, or own it, is a warning, for in a
/// volume of the daemon's own nobody else sees it.
///
/// - Parameter paths: absolute paths by the names of the secrets.
/// - Returns: all of them, and what is to be said of them.
/// - Throws: why one of them cannot be read, or is no secret; nothing of its content is told.
package func loadSecrets(_ paths: [SecretName: String]) throws(ConfigurationError) -> LoadedSecrets {
    var secrets: [SecretName: Secret] = [:]
    var warnings: [String] = []
    for (name, path) in paths.sorted(by: { $0.key.text < $1.key.text }) {
        // A line end of two octets may stand behind the longest secret.
        let (content, openness) = try readPrivately(path, limit: Secret.lengths.upperBound + 2)
        do throws(SecretFault) {
            secrets[name] = try Secret(fileContent: content)
        } catch {
            throw .file(FileProblem(path: path, cause: .noSecret(error)))
        }
        warnings += openness.map { "the secret `\(name)`, \(path), \($0)" }
    }
    return LoadedSecrets(secrets: secrets, warnings: warnings)
}

/// Reads a file that is nobody else's business; whoever else gets at it is told beside its content.
func readPrivately(_ path: String, limit: Int) throws(ConfigurationError) -> (content: [UInt8], openness: [String]) {
    let file = try reading(path) { () throws(SystemCallError) in try openForReading(path) }
    let status = try reading(path) { () throws(SystemCallError) in try fileStatus(file) }
    guard status.permissions & 0o002 == 0 else { throw .file(FileProblem(path: path, cause: .writableByAll)) }
    return (try readWhole(file, path: path, limit: limit), openness(of: status))
}

/// Who else gets at a file.
private func openness(of status: FileStatus) -> [String] {
    let mode = "mode 0\(String(status.permissions, radix: 8))"
    var findings: [String] = []
    if status.permissions & 0o004 != 0 {
        findings.append("may be read by every user who sees it (\(mode)); give it mode 0400 or 0440")
    }
    if status.permissions & 0o020 != 0 {
        findings.append("may be written by its group (\(mode)); give it mode 0400 or 0440")
    }
    if status.owner != 0, status.owner != effectiveIdentity().user {
        findings.append("belongs to the user \(status.owner), neither root nor the daemon's")
    }
    return findings
}

extension MappingReader {
    /// Reads `secrets`: names, each with the file that holds it and, if the operator says so, the hosts that it may go to.
    mutating func readSecrets() -> [SecretName: SecretSettings] {
        var secrets: [SecretName: SecretSettings] = [:]
        for key in keys {
            let settings = mapping(key, .optional, readSecret)
            if let name = SecretName(key) {
                secrets[name] = settings
            } else {
                note(
                    SourceProblem(
                        "this is no name of a secret",
                        at: keyLocation(of: key),
                        remedy: "write at most 64 lower-case letters, digits, `-`, `_` and `.`"
                    )
                )
            }
        }
        return secrets
    }
}

private func readSecret(_ reader: inout MappingReader) -> SecretSettings? {
    let path = reader.value("file", .required) { node, subject throws(SourceProblem) in
        try node.absolutePath(subject)
    }
    let hosts = reader.list("hosts", of: "host names") { node, subject throws(SourceProblem) in
        let text = try node.string(subject, expected: "a host name")
        do throws(HostName.Malformed) {
            return try HostName(text)
        } catch {
            throw SourceProblem(
                "\(subject) is no host name: \(error.explanation(for: text))",
                at: node.location,
                remedy: "write whole names, such as api.example.com"
            )
        }
    }
    return path.map { SecretSettings(path: $0, scope: SecretScope(hosts: hosts.map(Set.init))) }
}
