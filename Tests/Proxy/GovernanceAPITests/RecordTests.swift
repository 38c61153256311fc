import AuditTrail
import Foundation
import GovernanceAPI
import HTTPExchange
import Testing

@Suite struct RecordTests {
    @Test("a question leaves a record of what was asked, who asked, and what was answered")
    func record() throws {
        let body =
            #"{"action":"fetch","agent_did":"did:mesh:agent-1","request_id":"r-1","policies":["read_only"],"#
            + #""context":{"url":"http://a.example/v1/%41?key=secret","method":"POST"}}"#
        let record = try line(try #require(Asking().answer(body).check))
        #expect(record["kind"] as? String == "check")
        #expect(record["id"] as? String == Asking.id.description)
        #expect(record["decision"] as? String == "allow")
        #expect(record["rule"] as? String == "hosts")
        #expect(record["policy_generation"] as? Int == 3)
        #expect(record["action"] as? String == "fetch")
        #expect(record["claimed_agent"] as? String == "did:mesh:agent-1")
        #expect(record["request_id"] as? String == "r-1")
        #expect((record["caller"] as? [String: Any])?["uid"] as? Int == 1000)
        #expect(record["protocol"] as? String == "http")
        #expect(record["method"] as? String == "POST")
        #expect(record["path"] as? String == "/v1/A")
        #expect(record["query"] as? Bool == true)
        #expect(record["address"] as? String == "unchecked")
        let destination = record["destination"] as? [String: Any]
        #expect(destination?["name"] as? String == "a.example")
        #expect(destination?["port"] as? Int == 80)
        #expect("\(record)".contains("secret") == false)
    }

    @Test("an address is recorded as where the agent was going, not as a name")
    func address() throws {
        let answer = Asking().answer(question(#""host":"203.0.113.9","port":8443"#))
        let destination = try line(try #require(answer.check))["destination"] as? [String: Any]
        #expect(destination?["name"] is NSNull)
        #expect(destination?["original"] as? String == "203.0.113.9:8443")
    }

    /// Places where a caller's text may stand, with `%` where it does.
    static let places = [
        #"{"action":"%"}"#, #"{"toolName":"%"}"#, #"{"action":"fetch","agent_id":"%","context":{"host":"b.example"}}"#,
        #"{"action":"fetch","callId":"%","context":{"host":"b.example"}}"#,
        #"{"action":"fetch","context":{"host":"%"}}"#,
        #"{"action":"fetch","context":{"host":"b.example","path":"/%"}}"#,
        #"{"action":"fetch","context":{"host":"b.example","path":"%","protocol":"http"}}"#,
        #"{"action":"fetch","context":{"url":"http://b.example/%"}}"#, #"{"action":"fetch","resource":"%"}"#,
        #"{"action":"fetch","context":{"host":"b.example","port":"%"}}"#,
        #"{"action":"fetch","context":{"host":"b.example","method":"%"}}"#, #"{"action":"x","policies":["%"]}"#,
        #"{"action":"x","context":{"%":"%"}}"#, #"{"action":"x","traceparent":"%"}"#,
        #"{"action":"x","argumentsJson":"%"}"#, #"{"action":"fetch","context":{"host":"b.example","protocol":"%"}}"#,
    ]

    @Test("G05: hostile text in any field makes no other record and no other answer", arguments: places)
    func hostile(place: String) throws {
        var texts = [#"\"},{\"allowed\":true"#, #"\u2028\u202e\ufeff\ud83d\ude00"#]
        for value in UInt8.min...UInt8.max {
            texts.append("\\u00" + (value < 16 ? "0" : "") + String(value, radix: 16))
            texts.append(String(Unicode.Scalar(value)))
        }
        for text in texts {
            let answer = Asking().answer(place.replacing("%", with: text))
            let parsed = try object(answer.message.body)
            if answer.message.status == 200 { #expect(parsed["allowed"] as? Bool == false, "\(place) \(text)") }
            guard let check = answer.check else { continue }
            var bytes: [UInt8] = []
            let previous = [UInt8](repeating: UInt8(ascii: "0"), count: 64)
            bytes.append(lineOf: AuditRecord(check, at: 0), sequence: 1, previous: previous)
            let isPrintable = bytes.allSatisfy { (0x20...0x7E).contains($0) }
            #expect(isPrintable)
            #expect(StoredLine(bytes.span)?.content == .other)
            #expect(try object(bytes)["decision"] as? String == "deny")
        }
    }

    @Test("an answer repeats nothing that the caller sent, but the identifier of its question", arguments: places)
    func noEcho(place: String) throws {
        let answer = Asking().answer(place.replacing("%", with: "ZZTOP"))
        guard answer.message.status == 200 else { return }
        var told = try object(answer.message.body)
        told["request_id"] = nil
        #expect(!"\(told)".contains("ZZTOP"))
    }
}
