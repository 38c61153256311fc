import Foundation
import TestSupport
import Testing

@Suite("The API and the data path")
struct HTTPAgreementTests {
    /// One question: it is put to the API, and then carried out.
    private struct Question {
        var host: String
        var method: String
        var path: String
        var isTLS: Bool

        /// As an element of a Python list.
        var text: String {
            "('\(host)', '\(method)', '\(path)', \(isTLS ? "True" : "False"))"
        }
    }

    private static let hosts = ["allowed.example", "www.allowed.example", "denied.example", "other.example"]
    private static let patterns = hosts + ["*.allowed.example", "*.example"]
    private static let methods = ["GET", "POST", "DELETE", "get"]
    private static let paths = [
        "/", "/v1", "/v1/", "/v1/messages", "/v1/%6dessages", "/admin;x=1", "/a%2fb", "/v1/../admin",
    ]
    private static let policies = 24
    private static let questions = 24

    private static func policy(_ random: inout Seeded, _ number: Int) -> String {
        let rules = (0..<Int.random(in: 1...6, using: &random)).map { rule in
            let hosts = (0..<Int.random(in: 1...3, using: &random)).map { _ in pick(patterns, &random) }
            var match = "hosts: [\(hosts.map { "\"\($0)\"" }.joined(separator: ", "))]"
            switch Int.random(in: 0..<4, using: &random) {
            case 0: match += ", ports: [\(pick(["80", "443", "80-443"], &random))]"
            case 1: match += ", protocols: [\(pick(["tls", "http", "tls, http"], &random))]"
            default: match += requestMatch(&random)
            }
            let action = pick(match.contains("http:") ? ["allow", "deny"] : ["allow", "deny", "tunnel"], &random)
            return "  - name: rule-\(rule)\n    match: { \(match) }\n    action: \(action)\n"
        }
        let fallback = pick(["allow", "deny"], &random)
        return "apiVersion: penstock/v1\nkind: EgressPolicy\nname: random-\(number)\ndefault: \(fallback)\nrules:\n"
            + rules.joined()
    }

    private static func requestMatch(_ random: inout Seeded) -> String {
        var parts: [String] = []
        if Bool.random(using: &random) { parts.append("methods: [\(pick(["GET", "POST", "GET, DELETE"], &random))]") }
        if parts.isEmpty || Bool.random(using: &random) {
            parts.append("paths: [\(pick(["/v1/*", "/v1", "/v1/messages", "/", "\"/admin;x=1\""], &random))]")
        }
        return ", protocols: [http], http: { \(parts.joined(separator: ", ")) }"
    }

    private static func pick<Item>(_ items: [Item], _ random: inout Seeded) -> Item {
        items[Int.random(in: 0..<items.count, using: &random)]
    }

    private static let program =
        HTTPPod.kit + """
            import http.client, json
            address = {"allowed.example": "203.0.113.10", "www.allowed.example": "203.0.113.10",
                       "denied.example": "203.0.113.20", "other.example": "203.0.113.21"}
            api = http.client.HTTPConnection("127.0.0.1", 8081, timeout=15)
            for host, method, path, is_tls in QUESTIONS:
                context = {"host": host, "port": 443 if is_tls else 80, "protocol": "tls" if is_tls else "http"}
                if not is_tls: context |= {"method": method, "path": path}
                api.request("POST", "/api/v1/check-policy", json.dumps({"action": "http.request", "context": context}),
                            {"Content-Type": "application/json"})
                answer = api.getresponse()
                said = json.loads(answer.read())
                assert answer.status == 200 and said["allowed"] == (said["decision"] == "allow"), (answer.status, said)
                if is_tls: attempt(address[host], 443, tls(host.encode()))
                else:
                    c = dial(address[host], 80)
                    status, head, body = c.ask(method + " " + path + " HTTP/1.1", "Host: " + host)
                    if head.get("content-type") == "application/problem+json": assert not said["allowed"], (said, body)
                    else: assert said["allowed"], (said, status)
                    c.s.close()
            print("done")
            """

    @Test("B20: random policies answer random questions of the API as they treat the same traffic, rule for rule")
    func agreement() throws {
        var random = Seeded(20_261_121)
        try GuardedPod.with { guarded in
            for number in 0..<Self.policies {
                try guarded.reload(Self.policy(&random, number))
                let questions = (0..<Self.questions).map { _ in
                    Question(
                        host: Self.pick(Self.hosts, &random),
                        method: Self.pick(Self.methods, &random),
                        path: Self.pick(Self.paths, &random),
                        isTLS: Bool.random(using: &random)
                    )
                }
                let before = try guarded.auditRecords().count
                let list = "QUESTIONS = [\(questions.map(\.text).joined(separator: ", "))]\n"
                let result = try guarded.python(list + Self.program, seconds: 60)
                #expect(result.output == "done\n", "\(result)")
                let records = try Self.records(guarded, after: before, of: questions.count)
                try Self.compare(questions, records, "policy \(number)")
            }
        }
    }

    /// The records behind the first `before`, once there are as many as there must be: a refusal is not waited for by anybody.
    private static func records(_ guarded: GuardedPod, after before: Int, of count: Int) throws -> [EgressRecord] {
        var records: [EgressRecord] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            records = Array(((try? guarded.auditRecords()) ?? []).dropFirst(before))
            return records.count { $0["kind"] == "check" } >= count && carried(records).count >= count
        }
        return records
    }

    /// What the data path decided: requests, and connections that are judged as such.
    private static func carried(_ records: [EgressRecord]) -> [EgressRecord] {
        records.filter { $0["kind"] == "request" || ($0["kind"] == "connection" && $0["reason"] != "per_request") }
    }

    private static func compare(_ questions: [Question], _ records: [EgressRecord], _ name: String) throws {
        let checks = records.filter { $0["kind"] == "check" }
        let carried = carried(records)
        try #require(checks.count == questions.count && carried.count == questions.count, "\(name)")
        for (check, real) in zip(checks, carried) {
            for key in ["decision", "reason", "rule", "path", "policy_hash", "destination.name", "destination.port"] {
                #expect(check[key] == real[key], "\(name): \(key): \(check) \(real)")
            }
        }
    }
}
