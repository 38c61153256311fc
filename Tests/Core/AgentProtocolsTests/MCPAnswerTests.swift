import AgentProtocols
import AuditTrail
import Testing
import WireFormats

@Suite struct MCPAnswerTests {
    private static let refusal = MCPAnswer.Refusal(
        decision: RecordIdentifier(Array("01M7YSME1800000000000000Z8".utf8).span),
        rule: "no-\"delete\"",
        reason: "rule_deny"
    )

    private func text(_ answer: MCPAnswer?) -> String? { answer.map { String(decoding: $0.body, as: UTF8.self) } }

    @Test(
        "a denied call is answered with its own identifier, byte for byte",
        arguments: ["7", "-0", "\"7\"", "\"\\u0061\\\"\"", "9007199254740993"]
    )
    func echoesIdentifiers(id: String) throws {
        let message = try #require(try read(toolCall("delete_repo", id: id)))
        let answer = try #require(MCPAnswer(refusing: message, Self.refusal))
        #expect(answer.status == 200)
        #expect(
            text(answer)
                == #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32010,"message":"denied by egress policy","data":{"decision_id":"01M7YSME1800000000000000Z8","rule":"no-\"delete\"","reason":"rule_deny"}}}"#
        )
    }

    @Test("a denied batch is answered for each of its requests, and what asks for no answer gets none")
    func answersBatches() throws {
        let silent = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
        let message = try #require(try read("[\(toolCall("a")),\(silent),\(toolCall("b", id: "\"x\""))]"))
        let answer = try #require(MCPAnswer(refusing: message, Self.refusal))
        let document = try JSONDocument(answer.body, limits: MCPLimits().json)
        let ids = document.root.elements.map { String(decoding: $0.member("id")?.source ?? [], as: UTF8.self) }
        #expect(ids == ["1", "\"x\""])
        #expect(try read(silent).flatMap { MCPAnswer(refusing: $0, Self.refusal) } == nil)
        let one = try #require(try read("[\(toolCall("a"))]"))
        #expect(text(MCPAnswer(refusing: one, Self.refusal))?.hasPrefix("[{") == true)
    }

    @Test(
        "what could be read in more than one way is answered with 400, its code and its identifier where there is one"
    )
    func answersViolations() {
        let cases: [(String, MCPHead, String)] = [
            ("{", head(), #""id":null,"error":{"code":-32700,"#),
            (toolCall("x "), head(), #""id":1,"error":{"code":-32600,"#),
            (Modern().body, head("2025-11-25"), #""id":7,"error":{"code":-32020,"#),
            (toolCall("x"), head("1999-01-01"), #""id":1,"error":{"code":-32022,"#),
        ]
        for (body, head, part) in cases {
            do throws(MCPViolation) {
                _ = try read(body, head)
                Issue.record("\(body) is read")
            } catch {
                let answer = MCPAnswer(refusing: error, Self.refusal)
                #expect(answer.status == 400)
                #expect(text(answer)?.contains(part) == true, "\(text(answer) ?? "")")
            }
        }
    }
}
