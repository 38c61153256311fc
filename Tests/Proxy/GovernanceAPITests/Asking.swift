import AuditTrail
import Foundation
import GovernanceAPI
import HTTPExchange
import NetworkTypes
import PolicyEngine

/// A daemon's API as a caller meets it, with a policy of its own.
struct Asking {
    var policy: Policy? = try? Asking.policy([
        ("hosts", .allow, RuleMatch(hosts: [HostPattern("a.example"), HostPattern("*.a.example")])),
        ("evil", .deny, RuleMatch(hosts: [HostPattern("evil.a.example")])),
        ("lab", .allow, RuleMatch(cidrs: [CIDR("203.0.113.0/24")], ports: [8443...8443])),
    ])
    var callerUID: UInt32? = 1000
    var isReady = true

    static let id = RecordIdentifier(value: 7)
    static let hash = "sha256:" + String(repeating: "0f", count: 32)

    static func policy(
        _ rules: [(name: String, action: RuleAction, match: RuleMatch)],
        mode: PolicyEngine.PolicyMode = .enforce,
        default defaultAction: DefaultAction = .deny,
        canIntercept: Bool = false
    ) throws -> Policy {
        Policy(
            name: "egress-basic",
            mode: mode,
            defaultAction: defaultAction,
            hash: hash,
            rules: rules.compactMap { rule in RuleName(rule.name).map { Rule($0, rule.action, rule.match) } },
            canIntercept: canIntercept
        )
    }

    func answer(_ question: GovernanceQuestion) -> GovernanceAnswer {
        let workload = WorkloadIdentity(namespace: "agents", pod: "research-7f", serviceAccount: nil, uid: 1000)
        let time = Clock()
        let api = GovernanceAPI(
            GovernanceSettings(workload: workload),
            isOwnListener: { $0.port == 15880 },
            clock: { time.next() }
        )
        let situation = GovernanceSituation(
            policy: policy,
            generation: 3,
            isReady: isReady,
            callerUID: callerUID,
            id: Self.id,
            time: 1_795_256_104_123_456
        )
        return api.answer(question, in: situation)
    }

    func answer(
        _ body: String,
        contentType: String? = "application/json",
        method: String = "POST",
        path: String = "/api/v1/check-policy"
    ) -> GovernanceAnswer {
        answer(
            GovernanceQuestion(
                method: method,
                path: path,
                contentType: contentType,
                authority: "127.0.0.1:8081",
                body: Array(body.utf8)
            )
        )
    }

    /// What an independent reader makes of the answer to a question that has the right shape.
    func decision(_ body: String) throws -> [String: Any] {
        let answer = answer(body)
        guard answer.message.status == 200 else { throw Refused(text: answer.text) }
        return try object(answer.message.body)
    }

    struct Refused: Error {
        let text: String
    }

    /// Each look takes 210 µs.
    private final class Clock {
        private var nanoseconds: UInt64 = 5_000

        func next() -> UInt64 {
            nanoseconds += 210_999
            return nanoseconds
        }
    }
}

extension GovernanceAnswer {
    var text: String { String(decoding: message.body, as: UTF8.self) }

    func field(_ name: String) -> String? { message.fields.first { $0.name == name }?.value }
}

func object(_ bytes: [UInt8]) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw CocoaError(.propertyListReadCorrupt)
    }
    return object
}

/// The line of the record that an answer leaves.
func line(_ record: CheckRecord) throws -> [String: Any] {
    var bytes: [UInt8] = []
    let previous = [UInt8](repeating: UInt8(ascii: "0"), count: 64)
    bytes.append(lineOf: AuditRecord(record, at: 0), sequence: 1, previous: previous)
    return try object(bytes)
}

/// A question about a destination.
func question(_ context: String, action: String = "http.request") -> String {
    #"{"action":"\#(action)","context":{\#(context)}}"#
}
