import AuditTrail
import Testing

@Suite struct SchemaTests {
    /// Lines with every kind, every value of every closed list, and everything that may be absent once there, once not.
    static let lines: [[UInt8]] = {
        var full = Sample.connection(everywhere: "x")
        full.policyHash = Sample.hash
        full.reason = "rule_deny"
        var connections = [Sample.denied, full]
        func vary(_ change: (inout ConnectionRecord) -> Void) {
            var record = Sample.denied
            change(&record)
            connections.append(record)
        }
        for value in Decision.allCases {
            vary {
                $0.decision = value; $0.would = value
            }
        }
        for value in Treatment.allCases { vary { $0.treatment = value } }
        for value in PolicyMode.allCases { vary { $0.mode = value } }
        for value in CaptureMode.allCases { vary { $0.capture = value } }
        for value in RecordedProtocol.allCases { vary { $0.protocol = value } }
        vary {
            $0.protocol = nil; $0.policyHash = nil; $0.rule = nil; $0.client = nil;
            $0.destination = RecordedDestination()
        }
        vary { $0.workload = WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: nil) }
        var ends = ConnectionOutcome.allCases.map { ConnectionEndRecord(id: Sample.identifier, outcome: $0) }
        var end = Sample.end(everywhere: "x")
        for side in ClosingSide.allCases {
            end.closedBy = side
            ends.append(end)
        }
        var fullRequest = Sample.request(everywhere: "x")
        fullRequest.policy = RecordedPolicy(hash: Sample.hash, mode: fullRequest.policy.mode, generation: .max)
        fullRequest.reason = "rule_deny"
        var bareRequest = fullRequest
        bareRequest.would = nil
        bareRequest.rule = nil
        bareRequest.policy = RecordedPolicy(hash: nil, mode: .audit)
        bareRequest.workload = WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: nil)
        bareRequest.method = nil
        bareRequest.authority = nil
        bareRequest.path = nil
        bareRequest.hasQuery = false
        bareRequest.masked = []
        bareRequest.destination = RecordedDestination()
        bareRequest.binding = []
        bareRequest.detail = nil
        var httpRequest = fullRequest
        httpRequest.decision = .allow
        httpRequest.treatment = .http
        var requestEnds = ConnectionOutcome.allCases.map { RequestEndRecord(id: Sample.identifier, outcome: $0) }
        var requestEnd = Sample.requestEnd(everywhere: "x")
        for side in ClosingSide.allCases {
            requestEnd.closedBy = side
            requestEnds.append(requestEnd)
        }
        var fullCheck = Sample.check(everywhere: "x")
        fullCheck.policy = RecordedPolicy(hash: Sample.hash, mode: fullCheck.policy.mode, generation: .max)
        fullCheck.reason = "rule_deny"
        let bareCheck = CheckRecord(
            id: Sample.identifier,
            decision: .deny,
            reason: "no_policy",
            policy: RecordedPolicy(hash: nil, mode: .enforce),
            workload: WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: nil),
            callerUID: nil
        )
        let policies = PolicyEvent.allCases.flatMap { event in
            [
                PolicyRecord(event: event, hashBefore: nil, hashAfter: nil),
                PolicyRecord(
                    event: event,
                    hashBefore: Sample.hash,
                    hashAfter: Sample.hash,
                    generation: 2,
                    problems: ["x"],
                    changes: Sample.changes(everywhere: "x")
                ),
            ]
        }
        let lives = LifecycleEvent.allCases.flatMap { event in
            [
                LifecycleRecord(event: event, version: "1", pid: 7),
                LifecycleRecord(
                    event: event,
                    version: "1",
                    pid: 7,
                    after: Sample.hash,
                    detail: "x",
                    segment: "x",
                    open: [Sample.identifier]
                ),
            ]
        }
        var posture = LifecycleRecord(event: .posture, version: "1", pid: 7)
        posture.posture = RecordedPosture(
            boundary: "weak",
            checks: ["ok", "note", "skipped", "weak", "failed"].map { .init(name: "x", status: $0, detail: "y") }
        )
        let rulesets = RulesetState.allCases.flatMap { state in
            [
                RulesetRecord(state: state, before: nil, detail: "x"),
                RulesetRecord(state: state, before: state, table: "penstock", differences: ["x"], detail: "x"),
            ]
        }
        return rulesets.map { Sample.line($0) } + [Sample.line(posture)] + connections.map { Sample.line($0) }
            + ends.map { Sample.line($0) }
            + [fullRequest, bareRequest, httpRequest].map { Sample.line($0) } + requestEnds.map { Sample.line($0) }
            + [fullCheck, bareCheck].map { Sample.line($0) } + policies.map { Sample.line($0) }
            + lives.map { Sample.line($0) } + [Sample.checkpoint].map { Sample.line($0) }
            + Sample.keys.map { Sample.line($0) }
    }()

    @Test("every line is as docs/audit.schema.json says")
    func linesFit() throws {
        let schema = try SchemaValidator()
        for line in Self.lines {
            #expect(try schema.faults(of: line) == [], "\(String(decoding: line, as: UTF8.self))")
        }
    }

    @Test("every kind is in the schema, and the schema has no other")
    func kinds() throws {
        let choices = try SchemaValidator().root["oneOf"] as? [[String: String]]
        let named = choices?.compactMap { $0["$ref"]?.split(separator: "/").last.map(String.init) }
        #expect(named.map(Set.init) == Set(RecordKind.allCases.map(\.rawValue)))
    }

    @Test(
        "a line that differs does not fit",
        arguments: [
            ("\"v\":1", "\"v\":2"), ("\"kind\":\"connection\"", "\"kind\":\"connections\""),
            ("\"decision\":\"deny\"", "\"decision\":\"maybe\""), ("\"sequence\":41", "\"sequence\":0"),
            ("\"sequence\":41", "\"sequence\":\"41\""), ("\"sni\":", "\"snj\":"), ("\"uid\":1000", "\"uid\":-1"),
            ("\"reason\":\"rule_deny\"", "\"reason\":\"Rule deny\""), ("sha256:0", "sha256:g"), ("Z\",", "\","),
            ("\"uid\":1000", "\"uid\":1000,\"gid\":1"), ("[\"sni\"]", "[1]"), ("\"tls\"", "7"),
        ]
    )
    func differing(part: String, replacement: String) throws {
        let line = String(decoding: Sample.line(Sample.denied), as: UTF8.self)
        let changed = line.replacing(part, with: replacement, maxReplacements: 1)
        #expect(changed != line)
        #expect(try !SchemaValidator().faults(of: Array(changed.utf8)).isEmpty)
    }
}
