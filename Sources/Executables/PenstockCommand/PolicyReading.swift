import Configuration
import LinuxBindings
import OpenSSLBindings
import SourceDocuments

/// For what kind of daemon a policy is.
struct DaemonKind: Hashable {
    /// One that has `interception.authority`.
    var canIntercept: Bool
    /// Its configuration, which names its ways out and its secrets; `nil`: every name is taken.
    var configuration: String?

    static let options: [Options.Form] = [.flag("--intercept"), .value("--config")]

    /// A configuration that cannot be read is named where a policy is read for it.
    init(_ options: Options) {
        configuration = options.value("--config")
        let configured = configuration.flatMap { file in try? DaemonConfiguration.load(path: file) }
        canIntercept = options.has("--intercept") || configured?.interception != nil
    }
}

extension DaemonKind {
    /// What is wrong with the configuration is said of that, and not of a policy; `code`: how the command ends then.
    func checkConfiguration(or code: ExitCode) throws(Complaint) {
        guard let configuration else { return }
        do throws(ConfigurationError) {
            _ = try DaemonConfiguration.load(path: configuration)
        } catch {
            switch error {
            case .file(let problem): throw Complaint("\(problem)", .unreadable)
            case .source(let problems):
                complain(of: problems)
                throw Complaint("\(configuration) does not load, so no policy is read for such a daemon", code)
            }
        }
    }
}

/// Loads a policy as the daemon does.
func readPolicy(_ path: String, for daemon: DaemonKind) -> Result<LoadedPolicy, ConfigurationError> {
    Result { () throws(ConfigurationError) in
        let configuration = try daemon.configuration.map { file throws(ConfigurationError) in
            try DaemonConfiguration.load(path: file)
        }
        return try loadPolicy(
            paths: [path],
            canIntercept: daemon.canIntercept,
            secrets: configuration?.secrets.mapValues(\.scope),
            egress: configuration?.egress.mapValues(\.kind),
            digest: { SHA256Digest(of: $0.span).bytes }
        )
    }
}

/// What to do about a policy that loads nowhere but in a daemon with interception; `nil` where that is not why it does not.
func interceptionHint(_ path: String, for daemon: DaemonKind) -> String? {
    guard !daemon.canIntercept else { return nil }
    var other = daemon
    other.canIntercept = true
    guard case .success = readPolicy(path, for: other) else { return nil }
    return "it loads in a daemon with `interception.authority`: add --intercept to ask as such a one"
}

/// Loads a policy that is needed; what is wrong with it is said as `check` says it.
///
/// - Parameters:
///   - path: a file or directory.
///   - daemon: for what kind of daemon it is.
///   - code: how a command ends whose policy does not load.
/// - Returns: the policy, and where its rules stand.
/// - Throws: where it does not load; what is wrong with it has been said then.
func loadedPolicy(_ path: String, for daemon: DaemonKind, or code: ExitCode) throws(Complaint) -> LoadedPolicy {
    try daemon.checkConfiguration(or: code)
    switch readPolicy(path, for: daemon) {
    case .success(let loaded): return loaded
    case .failure(.file(let problem)): throw Complaint("\(problem)", .unreadable)
    case .failure(.source(let problems)):
        complain(of: problems)
        let hint = interceptionHint(path, for: daemon).map { "; \($0)" } ?? ""
        throw Complaint("\(path) does not load, so there is no answer\(hint)", code)
    }
}

/// Says everything that is wrong with a file, each with its line and a caret.
func complain(of problems: SourceProblems) {
    var texts = SourceTexts()
    let lines = problems.problems.flatMap { Finding(.error, $0).lines(&texts) }
    writeToStandardError(lines.map { $0 + "\n" }.joined())
}
