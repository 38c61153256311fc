import AuditTrail
import Foundation
import Testing

@Suite struct ConnectionRecordTests {
    @Test("a connection's line is the one that the product promises, with additions at its end")
    func productExample() {
        let expected =
            #"{"v":1,"kind":"connection","time":"2026-11-21T10:15:04.123456Z","sequence":41,"#
            + #""id":"\#(Sample.identifier)","decision":"deny","treatment":"refuse","rule":"no-paste-sites","#
            + #""reason":"rule_deny","policy_hash":"\#(Sample.hash)","mode":"enforce","workload":{"namespace":"agents","#
            + #""pod":"research-7f","service_account":"research","uid":1000},"capture":"transparent","protocol":"tls","#
            + #""destination":{"name":"pastebin.com","port":443,"original":"104.20.29.150:443","dialled":null},"#
            + #""sni":"pastebin.com","authority":null,"binding":["sni"],"client":"10.0.0.7:51234","#
            + #""previous":"sha256:\#(String(repeating: "0", count: 64))"}"#
        #expect(String(decoding: Sample.line(Sample.denied), as: UTF8.self) == expected)
    }

    @Test("what would have been decided is told in audit mode only, right after the decision")
    func auditMode() {
        var record = Sample.denied
        record.decision = .allow
        record.would = .deny
        record.mode = .audit
        let line = String(decoding: Sample.line(record), as: UTF8.self)
        #expect(line.contains(#""decision":"allow","would":"deny","treatment""#))
        #expect(!String(decoding: Sample.line(Sample.denied), as: UTF8.self).contains("would"))
    }

    @Test("what is not known is null, and what is not so is left out")
    func absentMembers() throws {
        var record = Sample.denied
        record.rule = nil
        record.policyHash = nil
        record.protocol = nil
        record.workload = WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: nil)
        record.destination = RecordedDestination()
        record.binding = []
        let object = try Sample.parse(Sample.line(record))
        for name in ["rule", "policy_hash", "protocol", "authority"] {
            #expect(object[name] is NSNull, "\(name)")
        }
        #expect((object["destination"] as? [String: Any])?.values.allSatisfy { $0 is NSNull } == true)
        #expect((object["workload"] as? [String: Any])?.values.allSatisfy { $0 is NSNull } == true)
        #expect((object["binding"] as? [Any])?.isEmpty == true)
        for name in ["would", "ech", "detail", "policy_generation"] { #expect(object[name] == nil, "\(name)") }
    }

    @Test("an end tells its figures as numbers, and what nobody knows as null")
    func end() throws {
        let known = try Sample.parse(Sample.line(Sample.end(everywhere: "x")))
        #expect(known["bytes_up"] as? UInt64 == .max)
        #expect(known["outcome"] as? String == "cut")
        let lost = try Sample.parse(Sample.line(ConnectionEndRecord(id: Sample.identifier, outcome: .lost)))
        for name in ["closed_by", "bytes_up", "bytes_down", "duration_ms", "connect_ms", "dialled"] {
            #expect(lost[name] is NSNull, "\(name)")
        }
        #expect(lost["reason"] == nil)
    }
}
