import AuditIndex
import AuditTrail
import NetworkTypes

/// Records and questions that chance makes, the same for the same seed.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0xD134_2543_DE82_EF95 }

    mutating func roll(_ sides: Int) -> Int {
        // Of SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ value >> 31) % UInt64(sides))
    }

    /// True once in so many times.
    mutating func chance(_ times: Int) -> Bool { roll(times) == 0 }

    mutating func one<Item>(_ items: [Item]) -> Item { items[roll(items.count)] }

    private static let hosts = [
        "api.example.com", "a.api.example.com", "example.com", "paste.example", "xn--bcher-kva.example",
    ]
    private static let rules = ["apis", "no-paste-sites", "it's \"quoted\"", "a_b%c", "Ärger"]
    private static let reasons = ["rule_allow", "rule_deny", "default_deny", "malformed_name"]
    private static let details = ["bad record: 17", "label too long", "Grüße", "x*y", ""]
    private static let paths = ["/v1/files/7", "/v1/models", "/"]
    private static let addresses = ["203.0.113.9:443", "203.0.113.10:80", "[2001:db8::1]:443"]

    mutating func records(_ count: Int) -> [AuditRecord] {
        var time = day + Int64(roll(1000)) * 1_000_000
        return (0..<count).map { _ in
            // Some have the same time, and at times the clock goes back.
            time += Int64(roll(5)) * 1_000_000 - (chance(20) ? 20_000_000 : 0)
            return record(at: time)
        }
    }

    private mutating func record(at time: Int64) -> AuditRecord {
        let identifier = RecordIdentifier(value: UInt128(roll(1 << 40)))
        switch roll(6) {
        case 0:
            let dialled = chance(2) ? nil : one(Self.addresses)
            let detail = chance(3) ? one(Self.details) : nil
            return AuditRecord(
                ConnectionEndRecord(id: identifier, outcome: .reset, bytesUp: 1, dialled: dialled, detail: detail),
                at: time
            )
        case 1: return AuditRecord(LifecycleRecord(event: .draining, version: "1", pid: 1), at: time)
        case 2: return AuditRecord(request(identifier), at: time)
        default:
            var made = connection(
                roll(1 << 40),
                chance(2) ? .allow : .deny,
                would: chance(5) ? .deny : nil,
                host: chance(4) ? nil : one(Self.hosts),
                rule: chance(3) ? nil : one(Self.rules),
                reason: one(Self.reasons),
                uid: one([nil, 0, 1000, 1001]),
                original: chance(3) ? nil : one(Self.addresses),
                detail: chance(3) ? one(Self.details) : nil
            )
            if chance(4) { made.sni = one(Self.hosts) }
            return AuditRecord(made, at: time)
        }
    }

    private mutating func request(_ identifier: RecordIdentifier) -> RequestRecord {
        RequestRecord(
            id: identifier,
            connection: RecordIdentifier(value: 1),
            decision: chance(2) ? .allow : .deny,
            treatment: .http,
            rule: one(Self.rules),
            reason: one(Self.reasons),
            policy: RecordedPolicy(hash: nil, mode: .enforce),
            workload: WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: 1000),
            method: "GET",
            authority: one(Self.hosts) + ":8080",
            path: one(Self.paths)
        )
    }

    mutating func query(_ segments: Set<Int64>) -> AuditQuery {
        var query = AuditQuery(segments: segments)
        if chance(3) {
            query.host = try? HostPattern(one(Self.hosts + ["*.example.com", "*.example", "none.example"]))
        }
        if chance(6) { query.address = one(["203.0.113.9", "2001:db8:0::1", "192.0.2.1"].map { IPAddress($0) }) }
        if chance(3) { query.since = day + Int64(roll(1500)) * 1_000_000 }
        if chance(3) { query.until = day + Int64(roll(2500)) * 1_000_000 }
        if chance(3) { query.verdict = one([.denied, .allowed]) }
        if chance(4) { query.rule = one(Self.rules + ["none"]) }
        if chance(4) { query.uid = one([0, 1000, 1001, 7]) }
        if chance(4) { query.kind = one(RecordKind.allCases).rawValue }
        if chance(3) { query.words = (0...roll(2)).map { _ in one(Self.words) } }
        if chance(3) { query.limit = one([0, 1, 5, 100]) }
        return query
    }

    private static let words = [
        "example", "deny", "rule_deny", "PASTE", "v1", "/v1/files", "fil*", "label too", "record*", "quoted", "nothing",
        "api.example.com", "17",
    ]
}
