import AuditTrail
import Configuration
import LinuxBindings
import NetworkTypes
import PolicyEngine
import PolicyTrials
import SourceDocuments
import Telemetry
import YAMLBindings

/// What `penstock policy learn` is asked.
struct LearnRequest: Hashable {
    var files: [String]
    var name: String
    var wildcards: [HostPattern] = []
    var pathLimit: Int
    var takesDenied: Bool
    var wantsProgress: Bool
    var canIntercept: Bool

    /// Reads the words after `policy learn`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let forms: [Options.Form] = [
            .value("--name"), .values("--wildcard"), .value("--paths"), .flag("--denied"), .flag("--progress"),
            .flag("--intercept"),
        ]
        let options = try Options(words, forms, .learn)
        guard !options.wantsHelp else { return nil }
        files = AuditCommand.files(options.operands)
        name = options.value("--name") ?? "learned"
        guard RuleName(name) != nil else {
            throw options.misuse("--name '\(name)' is no name; write at most 128 printable ASCII characters")
        }
        for text in options.all("--wildcard") {
            guard text.hasPrefix("*."), let pattern = try? HostPattern(text) else {
                throw options.misuse("--wildcard '\(text)' is no pattern; write '*.example.com'")
            }
            wildcards.append(pattern)
        }
        let text = options.value("--paths") ?? "20"
        guard let limit = Int(text), (1...10_000).contains(limit) else {
            throw options.misuse("--paths '\(text)' is no number of paths; write 1 to 10000")
        }
        pathLimit = limit
        takesDenied = options.has("--denied")
        wantsProgress = options.has("--progress")
        canIntercept = options.has("--intercept")
    }
}

extension LearnRequest {
    /// Reads the traffic, and writes the policy that allows it to standard output.
    func run() throws(Complaint) -> ExitCode {
        var traffic = LearnedTraffic(takesDenied: takesDenied, canIntercept: canIntercept)
        let foreign = try readTraffic(files, wantsProgress: wantsProgress) { record, line in
            traffic.add(record, in: line)
        }
        sayForeign(foreign)
        let policy = LearnedPolicy(
            of: traffic,
            name: name,
            wildcards: wildcards,
            pathLimit: pathLimit,
            canIntercept: canIntercept
        )
        let text = policy.text(preface(traffic, policy).map { printable($0) })
        deliver(text)
        try requireLoading(text)
        return .done
    }

    /// Reads what was written as a daemon reads it.
    private func requireLoading(_ text: String) throws(Complaint) {
        do throws(SourceProblems) {
            let limits = YAMLLimits(PolicyFileLimits())
            let documents = try readYAML(Array(text.utf8), file: "standard output", limits: limits)
            _ = try Policy.load(documents, hash: "", canIntercept: canIntercept)
        } catch {
            complain(of: error)
            throw Complaint("what was written does not load: see above", .problems)
        }
    }

    /// What was learned from, what was left out, and what to do with it.
    private func preface(_ traffic: LearnedTraffic, _ policy: LearnedPolicy) -> [String] {
        let span = traffic.firstTime.flatMap { first in traffic.lastTime.map { ", \(first) to \($0)" } } ?? ""
        var lines = ["Learned by `penstock policy learn` from \(traffic.learned) decisions\(span)."]
        let allowed =
            takesDenied
            ? "It allows all of them, those that were denied among them" : "It allows what was let through then"
        lines.append("\(allowed), and nothing else. Read it first: what an agent did is not always what it should do.")
        if canIntercept { lines.append("It is for a daemon with `interception.authority`: check it with --intercept.") }
        for cause in LearnedTraffic.LeftOut.allCases {
            guard let count = traffic.leftOut[cause] else { continue }
            lines.append("Left out: \(count) \(cause.explanation)")
        }
        for cause in UnjudgedCause.allCases where cause != .carrier {
            guard let count = traffic.unjudged[cause] else { continue }
            lines.append("Left out: \(count) \(cause.explanation)")
        }
        lines += traffic.rejectedBySome.prefix(10).map { place in
            "NOT TUNNELLED: some clients of \(place) did not take the certificate, and others did. Give it to them, or write "
                + "`action: tunnel` for their `workload` alone."
        }
        lines += policy.notAllowed.prefix(10).map { "NOT ALLOWED by these rules, because none could: \($0.summary)" }
        if policy.notAllowed.count > 10 { lines.append("… and \(policy.notAllowed.count - 10) more") }
        return lines
    }
}

extension LearnedTraffic.LeftOut {
    fileprivate var explanation: String {
        switch self {
        case .denied: "that were denied (--denied takes them, too)"
        case .nameless: "with neither a name nor an address that a rule could name"
        case .unallowable: "with a name or a path that no policy allows"
        case .ambiguousMethod:
            "with a method such as `get`, which is refused where rules ask for methods: write it in capitals in the client"
        case .starredMethod: "with an asterisk in the method, which no rule may name"
        case .unreadCalls:
            "with calls that could be read in more than one way (malformed_call): a rule for them would allow any call"
        }
    }
}

extension Question {
    /// `HOST:PORT`, and of a request what was asked for.
    fileprivate var summary: String {
        let host = name ?? original?.description ?? "unknown"
        return ["\(host):\(port)", method?.text, path].compactMap { $0 }.joined(separator: " ")
    }
}
