import FuzzDriver
import NetworkTypes
import PolicyEngine
import SourceDocuments
import YAMLBindings

// Build and run as FuzzOpening says, with this one's name.
// A crash file goes, once understood, into Regressions with a test of its own.

/// Connections that a policy may have been written for.
private let connections: [Facts] = {
    let name = try? HostName("api.example.com")
    let original = IPAddress("203.0.113.7").map { OriginalDestination(SocketAddress($0, port: 443)) }
    let openings: [Opening] = [.silent, .known(.tls, name: name), .known(.http, name: name), .asked(name)]
    let moments: [Int64?] = [nil, 0, 1_765_000_000]
    return openings.flatMap { opening in
        moments.map { now in
            var facts = Facts(original: original, port: 443, opening: opening, workloadUID: 1000, now: now)
            facts.request = RequestFacts(
                method: RequestMethod("GET"),
                path: try? CanonicalPath("/v1/a/b"),
                fields: nil,
                query: RequestQuery("q=1&x;y")
            )
            return facts
        }
    }
}()

/// Checks that a text loads the same every time, that what is wrong has a place in it, and that what loads decides.
private func check(_ bytes: [UInt8]) {
    for canIntercept in [false, true] {
        do throws(SourceProblems) {
            let documents = try readYAML(bytes, file: "p", limits: YAMLLimits(bytes: 1 << 16))
            for document in documents { _ = extendedFiles(of: document) }
            let (policy, warnings) = try Policy.load(documents, of: "p", hash: "sha256:", canIntercept: canIntercept)
            let again = try Policy.load(documents, of: "p", hash: "sha256:", canIntercept: canIntercept)
            precondition(again.policy == policy && again.warnings == warnings, "the same text loads differently")
            check(SourceProblems(warnings), in: bytes)
            for facts in connections { check(policy, facts) }
        } catch {
            precondition(!error.problems.isEmpty, "a refusal without a reason")
            check(error, in: bytes)
        }
    }
}

private func check(_ policy: Policy, _ facts: Facts) {
    let decision = policy.decide(facts)
    precondition(policy.decide(facts) == decision, "a policy is of two minds")
    precondition(decision.verdict == .allow || policy.permit(for: decision) == nil, "a refusal with a permit")
    precondition(policy.examine(facts).count == policy.rules.count, "a rule was not examined")
    if let next = policy.nextBoundary(after: facts.now ?? 0) {
        precondition(next > facts.now ?? 0, "a window turns in the past")
    }
}

private func check(_ problems: SourceProblems, in bytes: [UInt8]) {
    let lines = bytes.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } + 1
    for problem in problems.problems {
        precondition((1...(lines + 1)).contains(problem.location.line), "a fault on a line that is not there")
        precondition(problem.location.column >= 1, "a fault before its line")
    }
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzPolicy(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzPolicy {
    static func main() {
        unsafe runFuzzer(fuzzPolicy)
    }
}
