import Configuration
import LinuxBindings
import NetworkTypes
import PolicyEngine
import SourceDocuments

extension ExplainRequest {
    /// Puts the connection to the policy, and says what comes of it.
    func answer() throws(Complaint) -> String {
        switch readPolicy(policy) {
        case .success(let loaded):
            return Explanation(self, loaded.policy).lines.map { printable($0) + "\n" }.joined()
        case .failure(.file(let problem)): throw Complaint("\(problem)", .unreadable)
        case .failure(.source(let problems)):
            var texts = SourceTexts()
            let lines = problems.problems.flatMap { Finding(.error, $0).lines(&texts) }
            writeToStandardError(lines.map { $0 + "\n" }.joined())
            throw Complaint("\(policy) does not load, so there is no answer", .problems)
        }
    }
}

/// The judgement of one connection by one policy, in the two phases of the data path.
struct Explanation {
    let request: ExplainRequest
    let policy: Policy
    let decision: Decision
    /// What is wrong with the question; `nil` where nothing is.
    let fault: Fault?
    /// The facts of the last phase.
    let facts: Facts

    /// What is refused before policy is asked.
    enum Fault: Error {
        case name(HostName.Malformed)
        case path(PathAmbiguity)
    }

    init(_ request: ExplainRequest, _ policy: Policy) {
        self.request = request
        self.policy = policy
        var facts = Facts(
            original: request.original.map { OriginalDestination(SocketAddress($0, port: request.port)) },
            port: request.port,
            opening: .known(request.spoken, name: nil),
            workloadUID: request.uid,
            isFinal: true
        )
        do throws(Fault) {
            facts.opening = .known(request.spoken, name: try Self.name(request))
            facts.request = try Self.requestFacts(request, policy)
            decision = Self.judge(policy, &facts, request.addresses)
            fault = nil
        } catch {
            decision = .refused(error.reason, port: request.port)
            fault = error
        }
        self.facts = facts
    }

    /// The name that the client says where anybody could read it.
    private static func name(_ request: ExplainRequest) throws(Fault) -> HostName? {
        guard let text = request.name else { return nil }
        do throws(HostName.Malformed) {
            let name = try HostName(text)
            return request.spoken.carriesName ? name : nil
        } catch {
            throw .name(error)
        }
    }

    private static func judge(_ policy: Policy, _ facts: inout Facts, _ resolved: [IPAddress]?) -> Decision {
        let first = policy.decide(facts)
        switch first.dial {
        case nil: return first
        case .original: facts.addresses = facts.original.map { [$0.socket.address] }
        case .name: facts.addresses = resolved
        }
        return policy.decide(facts)
    }
}

extension Explanation.Fault {
    var reason: Reason {
        switch self {
        case .name: .malformedName
        case .path: .ambiguousPath
        }
    }
}

extension ApplicationProtocol {
    /// True where the client says in its first bytes which name it wants.
    var carriesName: Bool {
        switch self {
        case .tls, .http: true
        case .h2c, .opaque: false
        }
    }
}
