import Configuration
import LinuxBindings
import OpenSSLBindings
import SourceDocuments

/// Loads a policy as the daemon does: with `canIntercept`, as one that has `interception.authority`.
func readPolicy(_ path: String, canIntercept: Bool) -> Result<LoadedPolicy, ConfigurationError> {
    Result { () throws(ConfigurationError) in
        try loadPolicy(path: path, canIntercept: canIntercept) { SHA256Digest(of: $0.span).bytes }
    }
}

/// What to do about a policy that loads nowhere but in a daemon with interception; `nil` where that is not why it does not.
func interceptionHint(_ path: String, canIntercept: Bool) -> String? {
    guard !canIntercept, case .success = readPolicy(path, canIntercept: true) else { return nil }
    return "it loads in a daemon with `interception.authority`: add --intercept to ask as such a one"
}

/// Loads a policy that is needed; what is wrong with it is said as `check` says it.
///
/// - Parameters:
///   - path: a file or directory.
///   - canIntercept: whether it is for a daemon that looks into TLS.
///   - code: how a command ends whose policy does not load.
/// - Returns: the policy, and where its rules stand.
/// - Throws: where it does not load; what is wrong with it has been said then.
func loadedPolicy(_ path: String, canIntercept: Bool, or code: ExitCode) throws(Complaint) -> LoadedPolicy {
    switch readPolicy(path, canIntercept: canIntercept) {
    case .success(let loaded): return loaded
    case .failure(.file(let problem)): throw Complaint("\(problem)", .unreadable)
    case .failure(.source(let problems)):
        complain(of: problems)
        let hint = interceptionHint(path, canIntercept: canIntercept).map { "; \($0)" } ?? ""
        throw Complaint("\(path) does not load, so there is no answer\(hint)", code)
    }
}

/// Says everything that is wrong with a file, each with its line and a caret.
func complain(of problems: SourceProblems) {
    var texts = SourceTexts()
    let lines = problems.problems.flatMap { Finding(.error, $0).lines(&texts) }
    writeToStandardError(lines.map { $0 + "\n" }.joined())
}
