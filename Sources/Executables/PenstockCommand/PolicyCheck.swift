import AuditTrail
import Configuration
import LinuxBindings
import PolicyEngine
import SourceDocuments
import Telemetry

/// What `penstock policy check` is asked.
struct CheckRequest: Hashable {
    var paths: [String]
    var isStrict: Bool
    var isJSON: Bool
    var daemon: DaemonKind

    /// Reads the words after `policy check`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.flag("--strict"), .flag("--json")] + DaemonKind.options, .check)
        guard !options.wantsHelp else { return nil }
        guard !options.operands.isEmpty else { throw options.misuse("a policy file or directory is needed") }
        paths = options.operands
        isStrict = options.has("--strict")
        isJSON = options.has("--json")
        daemon = DaemonKind(options)
    }
}

extension CheckRequest {
    /// Checks each policy, and says everything about all of them.
    func run() throws(Complaint) -> ExitCode {
        try daemon.checkConfiguration(or: .problems)
        var texts = SourceTexts()
        var worst = ExitCode.done
        for path in paths {
            var checked = CheckedPolicy(path, readPolicy(path, for: daemon), isStrict: isStrict)
            if checked.result == .problems { checked.hint = interceptionHint(path, for: daemon) }
            let lines = isJSON ? checked.json : checked.lines(&texts)
            deliver(lines.map { $0 + "\n" }.joined())
            if checked.result.rawValue > worst.rawValue { worst = checked.result }
        }
        return worst
    }
}

/// What came of checking one policy.
struct CheckedPolicy {
    let path: String
    /// `nil` where it does not load.
    let policy: Policy?
    let findings: [Finding]
    let result: ExitCode
    /// What else may be done about it, for people.
    var hint: String?

    init(_ path: String, _ loaded: Result<LoadedPolicy, ConfigurationError>, isStrict: Bool) {
        self.path = path
        switch loaded {
        case .success(let loaded):
            policy = loaded.policy
            findings = loaded.warnings.map { Finding(isStrict ? .error : .warning, $0) }
            result = isStrict && !findings.isEmpty ? .problems : .done
        case .failure(.source(let problems)):
            policy = nil
            findings = problems.problems.map { Finding(.error, $0) }
            result = .problems
        case .failure(.file(let problem)):
            policy = nil
            findings = [Finding(problem)]
            result = .unreadable
        }
    }

    /// For people: each finding, then one line for the policy.
    func lines(_ texts: inout SourceTexts) -> [String] {
        findings.flatMap { $0.lines(&texts) } + [printable("\(path): \(summary)")]
    }

    /// For programs: an object for each finding, then one for the policy.
    var json: [String] {
        findings.map(\.json) + [
            jsonObject { members in
                members.text("kind", "policy")
                members.text("file", path)
                guard let policy else { return }
                members.flag("loads")
                members.text("name", policy.name)
                members.text("mode", policy.mode.rawValue)
                members.number("rules", UInt64(clamping: policy.rules.count))
                members.text("policy_hash", policy.hash)
            }
        ]
    }

    private var summary: String {
        let counts = [Finding.Severity.error, .warning].compactMap { severity in
            let count = findings.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        guard let policy else {
            return "does not load: " + counts.joined(separator: ", ") + (hint.map { "; \($0)" } ?? "")
        }
        let rules = "\(policy.rules.count) rule\(policy.rules.count == 1 ? "" : "s")"
        let loads = "policy '\(policy.name)', mode \(policy.mode.rawValue), \(rules), \(policy.hash)"
        return (counts.isEmpty ? "ok" : counts.joined(separator: ", ")) + "; " + loads
    }
}
