import Configuration
import LinuxBindings
import OpenSSLBindings
import SourceDocuments

/// Loads a policy as the daemon does.
func readPolicy(_ path: String) -> Result<LoadedPolicy, ConfigurationError> {
    Result { () throws(ConfigurationError) in
        try loadPolicy(path: path) { SHA256Digest(of: $0.span).bytes }
    }
}

/// Loads a policy that is needed; what is wrong with it is said as `check` says it.
///
/// - Parameters:
///   - path: a file or directory.
///   - code: how a command ends whose policy does not load.
/// - Returns: the policy, and where its rules stand.
/// - Throws: where it does not load; what is wrong with it has been said then.
func loadedPolicy(_ path: String, or code: ExitCode) throws(Complaint) -> LoadedPolicy {
    switch readPolicy(path) {
    case .success(let loaded): return loaded
    case .failure(.file(let problem)): throw Complaint("\(problem)", .unreadable)
    case .failure(.source(let problems)):
        complain(of: problems)
        throw Complaint("\(path) does not load, so there is no answer", code)
    }
}

/// Says everything that is wrong with a file, each with its line and a caret.
func complain(of problems: SourceProblems) {
    var texts = SourceTexts()
    let lines = problems.problems.flatMap { Finding(.error, $0).lines(&texts) }
    writeToStandardError(lines.map { $0 + "\n" }.joined())
}
