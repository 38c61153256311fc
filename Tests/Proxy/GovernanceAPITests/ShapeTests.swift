import GovernanceAPI
import HTTPExchange
import Testing

/// A body and what is wrong with it: the elements of `detail`.
private struct Wrong: Sendable, CustomTestStringConvertible {
    let body: String
    let detail: String

    init(_ body: String, _ detail: String) {
        self.body = body
        self.detail = detail
    }

    var testDescription: String { body }
}

private func noJSON(_ offset: Int, _ reason: String, in field: String = "") -> String {
    #"{"type":"json_invalid","loc":["body",\#(field)\#(offset)],"msg":"JSON decode error","input":{},"#
        + #""ctx":{"error":"\#(reason)"}}"#
}

private func noString(_ place: String, _ input: String) -> String {
    #"{"type":"string_type","loc":["body",\#(place)],"msg":"Input should be a valid string","input":\#(input)}"#
}

private func noFields(_ input: String) -> String {
    #"{"type":"model_attributes_type","loc":["body"],"#
        + #""msg":"Input should be a valid dictionary or object to extract fields from","input":\#(input)}"#
}

private func badValue(_ place: String, _ error: String, _ input: String) -> String {
    #"{"type":"value_error","loc":["body",\#(place)],"msg":"Value error, \#(error)","input":\#(input),"#
        + #""ctx":{"error":"\#(error)"}}"#
}

private func missing(_ place: String, _ input: String) -> String {
    #"{"type":"missing","loc":["body"\#(place)],"msg":"Field required","input":\#(input)}"#
}

private let bodies: [Wrong] = [
    Wrong("", missing("", "null")), Wrong("{}", missing(#","action""#, "{}")),
    Wrong(#"{ "x" : [ 1 , " y " ] }"#, missing(#","action""#, #"{"x":[1," y "]}"#)), Wrong("[]", noFields("[]")),
    Wrong("null", noFields("null")), Wrong(#""x""#, noFields(#""x""#)), Wrong("{", noJSON(1, "unexpected_end")),
    Wrong(#"{"agent_did": "x", "#, noJSON(19, "unexpected_end")),
    Wrong(#"{"text": "abc""#, noJSON(14, "unexpected_end")),
    Wrong(#"{"action":"a","action":"b"}"#, noJSON(14, "duplicate_key")),
    Wrong(#"{"action":"a","\u0061ction":"a"}"#, noJSON(14, "duplicate_key")),
    Wrong(#"{"action":NaN}"#, noJSON(10, "unexpected_byte")), Wrong("{} x", noJSON(3, "trailing_bytes")),
    Wrong(#"{"action":"\ud800"}"#, noJSON(11, "lone_surrogate")),
    Wrong(
        String(repeating: #"{"a":"#, count: 33) + "1" + String(repeating: "}", count: 33),
        noJSON(32 * 5, "too_deep")
    ),
]

private let fields: [Wrong] = [
    Wrong(#"{"action":null}"#, noString(#""action""#, "null")), Wrong(#"{"action":5}"#, noString(#""action""#, "5")),
    Wrong(#"{"action":{"type": "x"}}"#, noString(#""action""#, #"{"type":"x"}"#)),
    Wrong(#"{"toolName":[]}"#, noString(#""toolName""#, "[]")),
    Wrong(#"{"action":"x","agent_did":1}"#, noString(#""agent_did""#, "1")),
    Wrong(
        #"{"action":"x","context":null}"#,
        #"{"type":"dict_type","loc":["body","context"],"msg":"Input should be a valid dictionary","input":null}"#
    ),
    Wrong(
        #"{"action":"x","params":[1]}"#,
        #"{"type":"dict_type","loc":["body","params"],"msg":"Input should be a valid dictionary","input":[1]}"#
    ),
    Wrong(
        #"{"action":"x","policies":"read_only"}"#,
        #"{"type":"list_type","loc":["body","policies"],"msg":"Input should be a valid list","input":"read_only"}"#
    ),
    Wrong(#"{"action":"x","policies":["a",1]}"#, noString(#""policies",1"#, "1")),
    Wrong(#"{"action":"x","argumentsJson":{}}"#, noString(#""argumentsJson""#, "{}")),
    Wrong(#"{"action":"x","argumentsJson":"{\"a\":1,\"a\":2}"}"#, noJSON(7, "duplicate_key", in: #""argumentsJson","#)),
    Wrong(
        #"{"action":"x","argumentsJson":"[]"}"#,
        #"{"type":"dict_type","loc":["body","argumentsJson"],"msg":"Input should be a valid dictionary","input":[]}"#
    ),
    Wrong(#"{"action":"x","traceId":1,"callId":2}"#, noString(#""callId""#, "2") + "," + noString(#""traceId""#, "1")),
    Wrong(#"{"agent_did":1}"#, missing(#","action""#, #"{"agent_did":1}"#) + "," + noString(#""agent_did""#, "1")),
    Wrong(#"{"action":"fetch"}"#, missing(#","context","host""#, #"{"action":"fetch"}"#)),
    Wrong(
        #"{"action":"fetch","context":{"host":null}}"#,
        missing(#","context","host""#, #"{"action":"fetch","context":{"host":null}}"#)
    ),
]

private let destinations: [Wrong] = [
    Wrong(question(#""host":5"#), noString(#""context","host""#, "5")),
    Wrong(
        question(#""host":"a.example","port":0"#),
        #"{"type":"greater_than_equal","loc":["body","context","port"],"#
            + #""msg":"Input should be greater than or equal to 1","input":0,"ctx":{"ge":1}}"#
    ),
    Wrong(
        question(#""host":"a.example","port":65536"#),
        #"{"type":"less_than_equal","loc":["body","context","port"],"#
            + #""msg":"Input should be less than or equal to 65535","input":65536,"ctx":{"le":65535}}"#
    ),
    Wrong(
        question(#""host":"a.example","port":"https""#),
        #"{"type":"int_type","loc":["body","context","port"],"msg":"Input should be a valid integer","input":"https"}"#
    ),
    Wrong(
        question(#""host":"a.example","port":443.5"#),
        #"{"type":"int_type","loc":["body","context","port"],"msg":"Input should be a valid integer","input":443.5}"#
    ),
    Wrong(
        question(#""host":"a.example","protocol":"udp""#),
        #"{"type":"enum","loc":["body","context","protocol"],"#
            + #""msg":"Input should be 'tls', 'https', 'wss', 'http', 'ws', 'h2c', 'opaque' or 'tcp'","input":"udp","#
            + #""ctx":{"expected":"'tls', 'https', 'wss', 'http', 'ws', 'h2c', 'opaque' or 'tcp'"}}"#
    ),
    Wrong(
        question(#""host":"a.example","method":"GET /x""#),
        badValue(#""context","method""#, "it is no HTTP method", #""GET /x""#)
    ),
    Wrong(
        question(#""host":"a.example:x""#),
        badValue(#""context","host""#, "the port of the host is no number from 1 to 65535", #""a.example:x""#)
    ),
    Wrong(
        question(#""url":"https://u:p@a.example/""#),
        badValue(#""context","url""#, "it has user information", #""https://u:p@a.example/""#)
    ),
    Wrong(
        question(#""url":"ftp://a.example/""#),
        badValue(#""context","url""#, "its scheme is none of http, https, ws and wss", #""ftp://a.example/""#)
    ),
    Wrong(question(#""url":"a.example""#), badValue(#""context","url""#, "it is no absolute URL", #""a.example""#)),
]

/// Two fields that contradict each other; the second is at fault.
private let contradictions: [Wrong] = [
    Wrong(#"{"action":"a","toolName":"b"}"#, badValue(#""toolName""#, "it disagrees with action", #""b""#)),
    Wrong(
        #"{"action":"a","agent_did":"x","agentId":"y"}"#,
        badValue(#""agentId""#, "it disagrees with agent_did", #""y""#)
    ),
    Wrong(
        #"{"action":"a","request_id":"x","callId":"y"}"#,
        badValue(#""callId""#, "it disagrees with request_id", #""y""#)
    ),
    Wrong(
        #"{"action":"fetch","resource":"a.example","target":"b.example"}"#,
        badValue(#""target""#, "it disagrees with resource", #""b.example""#)
    ),
    Wrong(
        #"{"action":"fetch","resource":"evil.example","context":{"host":"a.example"}}"#,
        badValue(#""context","host""#, "it disagrees with resource", #""a.example""#)
    ),
    Wrong(
        #"{"action":"fetch","context":{"host":"a.example"},"params":{"host":"evil.example"}}"#,
        badValue(#""params","host""#, "it disagrees with context.host", #""evil.example""#)
    ),
    Wrong(
        #"{"action":"fetch","context":{"host":"a.example","http":{"host":"evil.example"}}}"#,
        badValue(#""context","http","host""#, "it disagrees with context.host", #""evil.example""#)
    ),
    Wrong(
        #"{"action":"fetch","context":{"host":"a.example"},"argumentsJson":"{\"url\":\"https://evil.example\"}"}"#,
        badValue(#""argumentsJson","url""#, "it disagrees with context.host", #""https://evil.example""#)
    ),
    Wrong(
        question(#""host":"a.example:80","port":443"#),
        badValue(#""context","port""#, "it disagrees with context.host", "443")
    ),
    Wrong(
        question(#""port":8080,"url":"http://a.example/""#),
        badValue(#""context","url""#, "it disagrees with context.port", #""http://a.example/""#)
    ),
    Wrong(
        question(#""url":"http://a.example/","protocol":"https""#),
        badValue(#""context","url""#, "it disagrees with context.protocol", #""http://a.example/""#)
    ),
    Wrong(
        question(#""url":"http://a.example/x","path":"/y""#),
        badValue(#""context","url""#, "it disagrees with context.path", #""http://a.example/x""#)
    ),
    Wrong(
        question(#""host":"a.example","protocol":"http""#, action: "tls.connect"),
        badValue(#""context","protocol""#, "it disagrees with action", #""http""#)
    ),
]

@Suite struct ShapeTests {
    @Test(
        "a question of the wrong shape is told all that is wrong, where, and what was found there",
        arguments: bodies + fields + destinations + contradictions
    )
    private func wrong(_ wrong: Wrong) {
        let answer = Asking().answer(wrong.body)
        #expect(answer.message.status == 422)
        #expect(answer.field("Content-Type") == "application/json")
        #expect(answer.text == #"{"detail":[\#(wrong.detail)]}"#)
        #expect(answer.check == nil)
    }

    @Test(
        "JSON is what says that it is",
        arguments: [
            ("application/json", true), ("application/json; charset=utf-8", true), ("APPLICATION/JSON", true),
            ("application/vnd.x+json", true), ("application/json ;charset=utf-8", true), ("text/plain", false),
            (nil, false),
            ("application/x-www-form-urlencoded", false), ("application/jsonp", false), ("text/json", false),
            ("", false),
        ] as [(String?, Bool)]
    )
    func contentTypes(type: String?, isJSON: Bool) {
        let answer = Asking().answer(#"{"action":"x"}"#, contentType: type)
        #expect(answer.message.status == (isJSON ? 200 : 422))
        if !isJSON { #expect(answer.text == #"{"detail":[\#(noFields(#""{\"action\":\"x\"}""#))]}"#) }
    }

    @Test("bytes that are no text are 400")
    func noText() {
        let question = GovernanceQuestion(
            method: "POST",
            path: "/api/v1/check-policy",
            contentType: "application/json",
            authority: "",
            body: Array(#"{"action":""#.utf8) + [0xFF] + Array(#""}"#.utf8)
        )
        let answer = Asking().answer(question)
        #expect(answer.message.status == 400)
        #expect(answer.text == #"{"detail":"There was an error parsing the body"}"#)
    }

    @Test("a body as long as the limit is read, one byte more is 413")
    func size() {
        let start = #"{"action":""#
        let end = #""}"#
        let room = 65536 - start.utf8.count - end.utf8.count
        #expect(Asking().answer(start + String(repeating: "x", count: room) + end).message.status == 200)
        let answer = Asking().answer(start + String(repeating: "x", count: room + 1) + end)
        #expect(answer.message.status == 413)
        #expect(answer.text == #"{"detail":"Request body too large"}"#)
    }

    @Test("a caller's own words for itself and its question have a limit", arguments: ["agent_id", "request_id"])
    func claims(field: String) throws {
        func body(_ count: Int) -> String {
            #"{"action":"x","\#(field)":"\#(String(repeating: "é", count: count))"}"#
        }
        #expect(Asking().answer(body(256)).message.status == 200)
        let answer = Asking().answer(body(257))
        #expect(answer.message.status == 422)
        #expect(answer.text.contains(#""type":"string_too_long","loc":["body","\#(field)"]"#))
        #expect(answer.text.contains(#""ctx":{"max_length":256}"#))
    }
}
