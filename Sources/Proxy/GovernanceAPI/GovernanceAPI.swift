import AuditTrail
import HTTPExchange
import NetworkTypes
import PolicyEngine
import WireFormats

/// What bounds a question, and what is the same for all of them.
package struct GovernanceSettings: Sendable {
    /// Of a body.
    package var json = JSONLimits(bytes: 65536, depth: 32, values: 4096)
    /// The most characters of what a caller calls itself and its question.
    package var claimCharacters = 256
    package var workload: WorkloadIdentity

    package init(workload: WorkloadIdentity) {
        self.workload = workload
    }
}

/// Answers questions about policy, without asking anybody else.
///
/// The shapes are those that callers of the Agent Governance Toolkit know: docs/governance-api.md.
package struct GovernanceAPI {
    let settings: GovernanceSettings
    /// True where an address is a listener of the daemon's own.
    let isOwnListener: (SocketAddress) -> Bool
    /// Nanoseconds of a clock that only goes forward.
    private let clock: () -> UInt64
    /// What stands in the way of drawing on a counter.
    let obstacle: (CounterDraw) -> CounterObstacle?

    package init(
        _ settings: GovernanceSettings,
        isOwnListener: @escaping (SocketAddress) -> Bool,
        clock: @escaping () -> UInt64,
        obstacle: @escaping (CounterDraw) -> CounterObstacle? = { _ in nil }
    ) {
        self.settings = settings
        self.isOwnListener = isOwnListener
        self.clock = clock
        self.obstacle = obstacle
    }

    /// The answer to a question, and the record that it leaves.
    package func answer(_ question: GovernanceQuestion, in situation: GovernanceSituation) -> GovernanceAnswer {
        let start = clock()
        guard let route = Route(path: question.path) else { return GovernanceAnswer(redirectOrNotFound(question)) }
        guard question.method == route.method else {
            let allow = OwnAnswer.Field("Allow", route.method)
            return GovernanceAnswer(.detail("Method Not Allowed", status: 405, fields: [allow]))
        }
        switch route {
        case .health: return GovernanceAnswer(.health(at: situation.time))
        case .ready: return GovernanceAnswer(.ready(situation))
        case .checkPolicy: return checkPolicy(question, situation, since: start)
        }
    }

    /// The answer to a body that is larger than the limit, whatever it says.
    package static var tooLarge: OwnAnswer { .detail("Request body too large", status: 413) }

    private func redirectOrNotFound(_ question: GovernanceQuestion) -> OwnAnswer {
        guard question.path.hasSuffix("/"), Route(path: String(question.path.dropLast())) != nil else {
            return .detail("Not Found", status: 404)
        }
        let origin = question.authority.isEmpty ? "" : "http://\(question.authority)"
        return OwnAnswer(307, fields: [OwnAnswer.Field("Location", origin + question.path.dropLast())])
    }

    private func checkPolicy(
        _ question: GovernanceQuestion,
        _ situation: GovernanceSituation,
        since start: UInt64
    ) -> GovernanceAnswer {
        do throws(CheckFault) {
            let request = try CheckRequest(question, settings)
            let judgement = judge(request, situation)
            let microseconds = (clock() &- start) / 1000
            return GovernanceAnswer(
                .check(request, judgement, situation, microseconds: microseconds),
                check: CheckRecord(request, judgement, situation, settings.workload)
            )
        } catch {
            return GovernanceAnswer(error.answer)
        }
    }
}

/// What there is to ask.
private enum Route {
    case health
    case ready
    case checkPolicy

    init?(path: String) {
        switch path {
        case "/health", "/healthz": self = .health
        case "/ready", "/readyz": self = .ready
        case "/api/v1/check-policy": self = .checkPolicy
        default: return nil
        }
    }

    /// The one method that each of them has.
    var method: String {
        switch self {
        case .health, .ready: "GET"
        case .checkPolicy: "POST"
        }
    }
}
