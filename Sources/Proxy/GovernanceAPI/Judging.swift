import AuditTrail
import NetworkTypes
import PolicyEngine

/// What came of a question.
struct CheckJudgement {
    let decision: PolicyEngine.Decision
    let address: AddressCheck
    /// What was wrong with the question, in a word of ours.
    var detail: String?
    /// The path as it was judged; as it was given where it could not be.
    var path: String?
}

extension GovernanceAPI {
    /// Puts a question to the policy by the function that the data path asks.
    func judge(_ request: CheckRequest, _ situation: GovernanceSituation) -> CheckJudgement {
        guard let destination = request.destination else {
            return CheckJudgement(decision: .refused(.unknownAction), address: .unchecked)
        }
        var judgement = judge(destination, situation)
        judgement.path = judgement.path ?? destination.path
        return judgement
    }

    private func judge(_ destination: CheckedDestination, _ situation: GovernanceSituation) -> CheckJudgement {
        let port = destination.port
        var facts = Facts(
            original: nil,
            port: port,
            opening: .asked(nil),
            workloadUID: situation.callerUID,
            workload: WorkloadNames(
                namespace: settings.workload.namespace,
                serviceAccount: settings.workload.serviceAccount
            ),
            now: situation.time / 1_000_000,
            isFinal: true
        )
        let name: HostName?
        switch destination.host {
        case .name(let host): name = host
        case .address(let address):
            name = nil
            let socket = SocketAddress(address, port: port)
            facts.original = OriginalDestination(socket)
            facts.addresses = [address]
            facts.isOwnListener = isOwnListener(socket)
        case .malformed(let fault):
            return CheckJudgement(
                decision: .refused(.malformedName, port: port),
                address: .unchecked,
                detail: fault.rawValue
            )
        }
        facts.opening = destination.spoken.map { .known($0, name: name) } ?? .asked(name)
        let check: AddressCheck = name == nil ? .checked : .unchecked
        guard let policy = situation.policy else {
            return CheckJudgement(decision: .refused(.noPolicy, port: port), address: check)
        }
        let told = destination.request()
        do throws(RequestFault) {
            let decision = try policy.answer(&facts, telling: told) { ask(policy, &$0) }
            return CheckJudgement(decision: decision, address: check, path: (try? told.get())?.path?.text)
        } catch {
            return CheckJudgement(
                decision: .refused(error.reason, port: port),
                address: .unchecked,
                detail: error.detail
            )
        }
    }
}

extension GovernanceAPI {
    /// What the policy says to something that would draw on its counters now; nothing is spent.
    private func ask(_ policy: Policy, _ facts: inout Facts) -> PolicyEngine.Decision {
        while true {
            let decision = policy.decide(facts)
            let before = facts.exhausted.count
            for draw in decision.draws {
                if let obstacle = obstacle(draw) { facts.lack(draw.counter, because: obstacle) }
            }
            if facts.exhausted.count == before { return decision }
        }
    }
}

extension PolicyEngine.Decision {
    /// What is undetermined in the end is not allowed.
    var isAllowed: Bool {
        switch verdict {
        case .allow: true
        case .deny, .undetermined, .needsBody: false
        }
    }
}

extension CheckedDestination {
    /// What the question tells of a request, or what is wrong with it.
    fileprivate func request() -> Result<RequestFacts?, RequestFault> {
        let isRead = spoken != .h2c && spoken != .opaque
        do throws(RequestFault) {
            return .success(try RequestFacts(telling: method, path: path, query: query, isRead: isRead))
        } catch {
            return .failure(error)
        }
    }
}
