import AuditTrail
import Foundation
import Testing

@Suite struct RequestRecordTests {
    private var request: RequestRecord {
        RequestRecord(
            id: Sample.identifier,
            connection: RecordIdentifier(value: 7),
            decision: .allow,
            treatment: .http,
            rule: "messages",
            reason: "rule_allow",
            policy: RecordedPolicy(hash: Sample.hash, mode: .enforce, generation: 2),
            workload: WorkloadIdentity(namespace: "agents", pod: "research-7f", serviceAccount: "research", uid: 1000),
            method: "POST",
            authority: "api.example.com",
            path: "/v1/messages",
            hasQuery: true,
            destination: RecordedDestination(name: "api.example.com", port: 80, original: "192.0.2.7:80"),
            binding: ["host", "dns"]
        )
    }

    @Test("a request's line is as documented, its identifier and its decision first")
    func line() {
        let expected =
            #"{"v":1,"kind":"request","time":"2026-11-21T10:15:04.123456Z","sequence":41,"id":"\#(Sample.identifier)","#
            + #""decision":"allow","connection":"00000000000000000000000007","treatment":"http","rule":"messages","#
            + #""reason":"rule_allow","policy_hash":"\#(Sample.hash)","mode":"enforce","policy_generation":2,"#
            + #""workload":{"namespace":"agents","pod":"research-7f","service_account":"research","uid":1000},"#
            + #""scheme":"http","method":"POST","authority":"api.example.com","path":"/v1/messages","query":true,"#
            + #""destination":{"name":"api.example.com","port":80,"original":"192.0.2.7:80","dialled":null},"#
            + #""binding":["host","dns"],"previous":"sha256:\#(String(repeating: "0", count: 64))"}"#
        #expect(String(decoding: Sample.line(request), as: UTF8.self) == expected)
    }

    @Test("a request tells which tool its body called, and of a batch the first 16")
    func message() {
        var record = request
        record.message = RecordedMessage(
            era: "2025-06-18",
            calls: [.init(method: "tools/call", tool: "read_file", id: "\"7\"")]
        )
        let one = String(decoding: Sample.line(record), as: UTF8.self)
        #expect(
            one.contains(
                #""path":"/v1/messages","mcp":{"era":"2025-06-18","method":"tools/call","tool":"read_file","id":"\"7\""},"query""#
            )
        )
        let silent = RecordedMessage.Call(method: "notifications/initialized")
        record.message = RecordedMessage(era: "undeclared", calls: Array(repeating: silent, count: 17), isBatch: true)
        let many = String(decoding: Sample.line(record), as: UTF8.self)
        let told = Array(repeating: #"{"method":"notifications/initialized"}"#, count: 16).joined(separator: ",")
        #expect(many.contains(#""mcp":{"era":"undeclared","calls":17,"batch":[\#(told)]}"#))
    }

    @Test("a request that was read inside TLS says so")
    func insideTLS() throws {
        var record = request
        record.scheme = .https
        let object = try Sample.parse(Sample.line(record))
        #expect(object["scheme"] as? String == "https")
    }

    @Test("a request's end tells its figures as numbers, and what nobody knows as null")
    func end() throws {
        let known = try Sample.parse(Sample.line(Sample.requestEnd(everywhere: "x")))
        #expect(known["status"] as? Int == 200)
        #expect(known["bytes_up"] as? UInt64 == .max)
        #expect(known["connection"] as? String == "00000000000000000000000007")
        let lost = try Sample.parse(Sample.line(RequestEndRecord(id: Sample.identifier, outcome: .lost)))
        for name in ["status", "closed_by", "bytes_up", "bytes_down", "duration_ms", "dialled"] {
            #expect(lost[name] is NSNull, "\(name)")
        }
        #expect(lost["connection"] == nil)
    }

    @Test("a check tells who asked, apart from who they say they are")
    func check() throws {
        var record = Sample.check(everywhere: "x")
        record.claimedAgent = "did:mesh:agent-1"
        record.callerUID = 1000
        record.workload.uid = nil
        let object = try Sample.parse(Sample.line(record))
        #expect((object["caller"] as? [String: Any])?["uid"] as? Int == 1000)
        #expect(object["claimed_agent"] as? String == "did:mesh:agent-1")
        #expect((object["workload"] as? [String: Any])?["uid"] is NSNull)
        #expect(object["address"] as? String == "checked")
    }

    @Test("numbers are written as any reader knows them", arguments: [0, 9, 10, 99, 100, 12345, UInt64.max])
    func numbers(value: UInt64) {
        var end = Sample.requestEnd(everywhere: "x")
        end.bytesDown = value
        #expect(String(decoding: Sample.line(end), as: UTF8.self).contains(#""bytes_down":\#(value),"#))
    }
}
