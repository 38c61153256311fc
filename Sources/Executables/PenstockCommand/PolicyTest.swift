import AuditTrail
import Configuration
import LinuxBindings
import PolicyEngine
import PolicyTrials
import SourceDocuments
import Telemetry
import YAMLBindings

/// What `penstock policy test` is asked.
struct TestRequest: Hashable {
    var policy: String
    var cases: String
    var isStrict: Bool
    var isJSON: Bool
    var daemon: DaemonKind

    /// Reads the words after `policy test`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.flag("--strict"), .flag("--json")] + DaemonKind.options, .test)
        guard !options.wantsHelp else { return nil }
        guard options.operands.count >= 2 else { throw options.misuse("a policy and a file of cases are needed") }
        try options.refuseOperands(after: 2)
        policy = options.operands[0]
        cases = options.operands[1]
        isStrict = options.has("--strict")
        isJSON = options.has("--json")
        daemon = DaemonKind(options)
    }
}

extension TestRequest {
    /// Puts each case to the policy, and says which came out another way.
    func run() throws(Complaint) -> ExitCode {
        let loaded = try loadedPolicy(policy, for: daemon, or: .wrong)
        let results = try readCases().map { CaseResult($0, by: loaded.policy) }
        let coverage = RuleCoverage(of: results, by: loaded.policy)
        let lines =
            isJSON ? results.map(\.json) + [coverage.json(results)] : text(results, coverage, loaded.policy)
        deliver(lines.map { $0 + "\n" }.joined())
        let isGood = results.allSatisfy(\.faults.isEmpty) && (!isStrict || coverage.missed.isEmpty)
        return isGood ? .done : .problems
    }

    private func readCases() throws(Complaint) -> [PolicyCase] {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try readFile(cases, limit: 4 << 20)
        } catch {
            throw Complaint("\(cases): \(error)", .unreadable)
        }
        do throws(SourceProblems) {
            let document = try readYAMLDocument(bytes, file: cases, limits: YAMLLimits(bytes: 4 << 20))
            return try PolicyCase.read(document, canIntercept: daemon.canIntercept)
        } catch {
            complain(of: error)
            throw Complaint("\(cases) holds no cases that can be read", .wrong)
        }
    }

    /// Each case that fails, the rules that decided none, and how many passed.
    private func text(
        _ results: [CaseResult],
        _ coverage: RuleCoverage,
        _ policy: Policy
    ) -> [String] {
        let failed = results.filter { !$0.faults.isEmpty }
        var lines = failed.flatMap(\.lines)
        let severity = isStrict ? "error" : "warning"
        lines += coverage.missed.map { rule in
            "\(policy.location(of: rule).map { "\($0): " } ?? "")\(severity): no case is decided by the rule `\(rule)`"
        }
        let rules = coverage.hit.count + coverage.missed.count
        let passed = "\(results.count - failed.count) of \(results.count) cases pass"
        return (lines + ["\(passed), \(coverage.hit.count) of \(rules) rules decide one"]).map { printable($0) }
    }
}

extension CaseResult {
    /// The case, and below it what is not as it ought to be.
    fileprivate var lines: [String] {
        let found = faults.map { "  \($0.subject): expected \($0.expected), found \($0.found)" }
        let decision = judgement.decision
        let why = "  it was \(decision.reason.rawValue)" + (decision.rule.map { ", rule \($0)" } ?? "")
        return ["\(expected.location): error: the case `\(expected.name)` fails"] + found + [why]
    }

    fileprivate var json: String {
        jsonObject { members in
            members.text("kind", "case")
            members.text("name", expected.name)
            members.text("file", expected.location.file)
            members.number("line", UInt64(clamping: expected.location.line))
            members.text("result", faults.isEmpty ? "pass" : "fail")
            members.text("decision", judgement.isAllowed ? "allow" : "deny")
            members.text("treatment", judgement.decision.treatment.rawValue)
            members.text("rule", orNull: judgement.decision.rule?.text)
            members.text("reason", judgement.decision.reason.rawValue)
            members.objects("faults", faults) { fault, members in
                members.text("subject", fault.subject)
                members.text("expected", fault.expected)
                members.text("found", fault.found)
            }
        }
    }
}

extension RuleCoverage {
    fileprivate func json(_ results: [CaseResult]) -> String {
        jsonObject { members in
            members.text("kind", "summary")
            members.number("cases", UInt64(clamping: results.count))
            members.number("failed", UInt64(clamping: results.count { !$0.faults.isEmpty }))
            members.number("rules", UInt64(clamping: hit.count + missed.count))
            members.texts("rules_not_hit", missed.map(\.text))
        }
    }
}
