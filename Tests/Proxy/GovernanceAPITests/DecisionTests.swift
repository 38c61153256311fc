import AuditTrail
import Foundation
import GovernanceAPI
import HTTPExchange
import NetworkTypes
import PolicyEngine
import Testing

@Suite struct DecisionTests {
    @Test("an answer says the same in the words of every caller, in a fixed order")
    func allowed() {
        let answer = Asking().answer(question(#""host":"a.example""#))
        let expected =
            #"{"allowed":true,"decision":"allow","action":"allow","reason":"rule_allow","matched_rule":"hosts","#
            + #""policy_name":"egress-basic","policyId":"egress-basic","ruleId":"hosts","evaluationMs":0.210,"#
            + #""audit_entry_id":"\#(Asking.id)","request_id":null,"success":true,"data":null,"error":null,"#
            + #""signal":null,"address":"unchecked","policy_hash":"\#(Asking.hash)"}"#
        #expect(answer.text == expected)
        #expect(answer.message.status == 200)
    }

    @Test("a denial is a success of the call, and says no in every word")
    func denied() {
        let answer = Asking().answer(#"{"action":"fetch","callId":"c-1","context":{"host":"evil.a.example"}}"#)
        let expected =
            #"{"allowed":false,"decision":"deny","action":"deny","reason":"rule_deny","matched_rule":"evil","#
            + #""policy_name":"egress-basic","policyId":"egress-basic","ruleId":"evil","evaluationMs":0.210,"#
            + #""audit_entry_id":"\#(Asking.id)","request_id":"c-1","success":false,"data":null,"#
            + #""error":"Denied: rule_deny","signal":"SIGKILL","address":"unchecked","#
            + #""policy_hash":"\#(Asking.hash)"}"#
        #expect(answer.text == expected)
        #expect(answer.message.status == 200)
    }

    @Test(
        "a destination may be told in many ways",
        arguments: [
            (#"{"action":"http.request","context":{"host":"A.Example."}}"#, "rule_allow"),
            (#"{"toolName":"fetch","params":{"url":"https://x.a.example:443/y?z#w"}}"#, "rule_allow"),
            (#"{"action":"egress","resource":"a.example:443"}"#, "rule_allow"),
            (#"{"action":"egress","target":"wss://a.example"}"#, "rule_allow"),
            (#"{"action":"egress","resource":"/data","context":{"host":"a.example"}}"#, "rule_allow"),
            (#"{"action":"egress","target":"/?u=https://b.example","context":{"host":"a.example"}}"#, "rule_allow"),
            (#"{"action":"http.request","context":{"http":{"host":"evil.a.example"}}}"#, "rule_deny"),
            (#"{"action":"fetch","argumentsJson":"{\"url\":\"http://evil.a.example/\"}"}"#, "rule_deny"),
            (#"{"action":"fetch","context":{},"params":{"host":"b.example"}}"#, "default_deny"),
            (#"{"action":"fetch","context":{"host":"a.example","port":8443}}"#, "default_deny"),
            (#"{"action":"fetch","context":{"host":"a.example","port":"443"}}"#, "rule_allow"),
            (#"{"action":"fetch","context":{"host":"203.0.113.9","port":8443}}"#, "rule_allow"),
            (#"{"action":"fetch","context":{"host":"203.0.113.9:8443"}}"#, "rule_allow"),
            (#"{"action":"fetch","context":{"host":"198.51.100.9"}}"#, "default_deny"),
            (#"{"action":"tcp.connect","context":{"host":"2001:db8::9"}}"#, "default_deny"),
            (#"{"action":"tcp.connect","context":{"host":"[2001:db8::9]:80"}}"#, "default_deny"),
            (#"{"action":"fetch","context":{"host":"10.0.0.1"}}"#, "default_deny"),
            (#"{"action":"fetch","context":{"host":"127.0.0.1","port":15880}}"#, "own_listener"),
            (#"{"action":"fetch","context":{"url":"http://127.0.0.1:15880/a%2fb"}}"#, "own_listener"),
            (#"{"action":"fetch","context":{"host":"a.example","method":"CONNECT"}}"#, "proxy_in_capture"),
            (
                #"{"action":"fetch","context":{"host":"203.0.113.9:8443","method":"CONNECT","protocol":"opaque"}}"#,
                "rule_allow"
            ),
        ]
    )
    func destinations(body: String, reason: String) throws {
        #expect(try Asking().decision(body)["reason"] as? String == reason)
    }

    @Test(
        "A10: a host in a form that only some resolvers read is denied, not guessed at",
        arguments: [
            ("127.1", "address_literal"), ("0x7f000001", "address_literal"), ("2130706433", "address_literal"),
            ("0177.0.0.1", "address_literal"), ("", "empty"), ("a..example", "bad_label"), ("a b.example", "not_ldh"),
            ("ä.example", "not_ldh"), ("a.example\\u0000", "control_octet"), ("a.example\\r\\nx", "control_octet"),
            ("a@b.example", "not_ldh"), ("a/b", "not_ldh"), ("[::1", "address_literal"),
            ("fe80::1%eth0", "address_literal"), ("2001:db8::zz", "address_literal"),
            ("a.example:80:90", "address_literal"),
        ]
    )
    func malformedNames(host: String, detail: String) throws {
        let answer = try Asking(policy: try Asking.policy([], default: .allow)).decision(
            question(#""host":"\#(host)""#)
        )
        #expect(answer["allowed"] as? Bool == false)
        #expect(answer["reason"] as? String == "malformed_name")
        #expect(answer["detail"] as? String == detail)
    }

    @Test(
        "an action that is no question about traffic is denied, whatever the policy",
        arguments: ["file.read", "shell:ls", "HTTP.request", "", " fetch", "unknown\\u0000"]
    )
    func unknownActions(action: String) throws {
        let asking = Asking(policy: try Asking.policy([], default: .allow))
        let answer = try asking.decision(question(#""host":"a.example""#, action: action))
        #expect(answer["allowed"] as? Bool == false)
        #expect(answer["reason"] as? String == "unknown_action")
        let record = asking.answer(question(#""host":"a.example""#, action: action)).check
        #expect(record?.action == nil)
        #expect(record?.detail == action.replacing("\\u0000", with: "\0"))
    }

    @Test("the context cannot speak for the action or the resource")
    func noSpoofing() throws {
        let body = #"{"action":"shell.execute","context":{"action":"fetch","host":"a.example"}}"#
        #expect(try Asking().decision(body)["reason"] as? String == "unknown_action")
    }

    @Test("without a policy everything is denied")
    func noPolicy() throws {
        let answer = try Asking(policy: nil).decision(question(#""host":"a.example""#))
        #expect(answer["reason"] as? String == "no_policy")
        #expect(answer["allowed"] as? Bool == false)
        #expect(answer["policy_name"] is NSNull)
        #expect(answer["policy_hash"] is NSNull)
    }

    @Test("an address is judged as the data path judges it; the addresses of a name are not looked up")
    func addresses() throws {
        let rule = RuleMatch(hosts: [try HostPattern("a.example")], cidrs: [try CIDR("203.0.113.0/24")])
        let metadata = RuleMatch(cidrs: [try CIDR("169.254.169.254")])
        let asking = Asking(
            policy: try Asking.policy([("name", .allow, rule), ("metadata", .deny, metadata)], default: .allow)
        )
        let name = try asking.decision(question(#""host":"a.example""#))
        #expect(name["reason"] as? String == "rule_allow")
        #expect(name["address"] as? String == "unchecked")
        let denied = try asking.decision(question(#""host":"169.254.169.254""#))
        #expect(denied["reason"] as? String == "rule_deny")
        #expect(denied["address"] as? String == "checked")
        let special = try asking.decision(question(#""host":"10.1.2.3""#))
        #expect(special["reason"] as? String == "special_address")
    }

    @Test("a rule on requests is answered where enough of the request is told, and denied where not")
    func requests() throws {
        let http = RequestMatch(
            methods: [try #require(RequestMethod("GET"))],
            paths: [.below(try CanonicalPath("/v1/"))]
        )
        let rule = RuleMatch(hosts: [try HostPattern("a.example")], protocols: [.http], http: http)
        let asking = Asking(policy: try Asking.policy([("reads", .allow, rule)]))
        func reason(_ rest: String) throws -> String? {
            try asking.decision(question(#""host":"a.example"\#(rest)"#))["reason"] as? String
        }
        #expect(try reason(#","protocol":"http","method":"GET","path":"/v1/x""#) == "rule_allow")
        #expect(try reason(#","protocol":"http","method":"GET","path":"/v1/x?/../y""#) == "rule_allow")
        #expect(try reason(#","protocol":"http","method":"get","path":"/v1/x""#) == "ambiguous_method")
        #expect(try reason(#","protocol":"http","method":"GET","path":"/v2""#) == "default_deny")
        #expect(try reason(#","protocol":"http","path":"/v1/x""#) == "undetermined")
        #expect(try reason("") == "undetermined")
        #expect(try reason(#","port":8080"#) == "default_deny")
        #expect(try reason(#","protocol":"https","method":"GET","path":"/v1/x""#) == "default_deny")
        #expect(try reason(#","protocol":"http","method":"GET","path":"/v1/../x""#) == "ambiguous_path")
        #expect(try reason(#","protocol":"http","method":"GET","path":"/v1/%2e%2e/x""#) == "ambiguous_path")
        #expect(try reason(#","protocol":"http","method":"GET","path":"/v1//x""#) == "ambiguous_path")
    }

    @Test(
        "what the data path answers for the form of a request is answered so here",
        arguments: [
            ("OPTIONS", "*", "rule_allow", nil), ("GET", "*", "malformed_request", "request_target"),
            ("CONNECT", "/", "proxy_in_capture", "connect"), ("cOnnect", "/", "proxy_in_capture", "connect"),
            ("GET", "/a%2fb", "ambiguous_path", "encoded_slash"),
            ("GET", "/?v=1 ", "malformed_request", "control_octet"),
            ("GET", "/?v=1#f", "malformed_request", "fragment"),
            ("GET", "/?v=é", "malformed_request", "not_ascii"), ("GET", "/?v=%20", "rule_allow", nil),
            ("OPTIONS", "/", "rule_allow", nil),
        ] as [(String, String, String, String?)]
    )
    func forms(method: String, path: String, reason: String, detail: String?) throws {
        let all = RuleMatch(hosts: [try HostPattern("a.example")])
        let asking = Asking(policy: try Asking.policy([("all", .allow, all)]))
        let rest = #""protocol":"http","method":"\#(method)","path":"\#(path)""#
        let decision = try asking.decision(question(#""host":"a.example",\#(rest)"#))
        #expect(decision["reason"] as? String == reason)
        #expect(decision["detail"] as? String == detail)
        #expect(decision["allowed"] as? Bool == (reason == "rule_allow"))
    }

    @Test(
        "inside TLS a request counts where the daemon would read it, and nowhere else",
        arguments: [
            ("inspected", "/x/../y", false, "ambiguous_path"), ("inspected", "/x", true, "rule_allow"),
            ("inspected", "/x?v=1 ", false, "malformed_request"),
            ("tunnelled", "/x/../y", true, "rule_allow"), ("tunnelled", "/x?v=1 ", true, "rule_allow"),
            ("blind", "/x//y", true, "rule_allow"), ("elsewhere", "/x/../y", false, "default_deny"),
            ("denied", "/x/../y", false, "rule_deny"), ("asking", "/x", true, "rule_allow"),
            ("asking", "/y", false, "default_deny"), ("asking", "/x/../y", false, "ambiguous_path"),
        ]
    )
    func insideTLS(host: String, path: String, isAllowed: Bool, reason: String) throws {
        func hosts(_ name: String, _ http: RequestMatch? = nil) throws -> RuleMatch {
            RuleMatch(hosts: [try HostPattern("\(name).example")], http: http)
        }
        let paths = RequestMatch(paths: [.exact(try CanonicalPath("/x"))])
        var asking = Asking()
        asking.policy = try Asking.policy(
            [
                ("inspected", .inspect, hosts("inspected")), ("tunnelled", .tunnel, hosts("tunnelled")),
                ("blind", .allow, hosts("blind")), ("denied", .deny, hosts("denied")),
                ("asking", .allow, hosts("asking", paths)),
            ],
            canIntercept: true
        )
        let answer = try asking.decision(question(#""url":"https://\#(host).example\#(path)""#))
        #expect(answer["reason"] as? String == reason)
        #expect(answer["allowed"] as? Bool == isAllowed)
    }

    @Test("without interception nothing inside TLS counts", arguments: ["https", "opaque"])
    func unread(spoken: String) throws {
        let asking = Asking(policy: try Asking.policy([], default: .allow))
        let rest = #""port":443,"protocol":"\#(spoken)","method":"GET","path":"/x/../y""#
        #expect(try asking.decision(question(#""host":"a.example",\#(rest)"#))["reason"] as? String == "default_allow")
    }

    @Test("in audit mode what would be denied is allowed, and said")
    func auditMode() throws {
        let asking = Asking(policy: try Asking.policy([], mode: .audit))
        let answer = try asking.decision(question(#""host":"a.example""#))
        #expect(answer["allowed"] as? Bool == true)
        #expect(answer["would"] as? String == "deny")
        let record = asking.answer(question(#""host":"a.example""#)).check
        #expect(record?.would == .deny)
        #expect(record?.policy.mode == .audit)
    }

    @Test("a rule on users is about the user who owns the asking socket")
    func users() throws {
        let rule = RuleMatch(hosts: [try HostPattern("a.example")], uids: [1000])
        let policy = try Asking.policy([("mine", .allow, rule)])
        let body = question(#""host":"a.example","uid":1000"#)
        #expect(try Asking(policy: policy, callerUID: 1000).decision(body)["allowed"] as? Bool == true)
        #expect(try Asking(policy: policy, callerUID: 1001).decision(body)["allowed"] as? Bool == false)
        #expect(try Asking(policy: policy, callerUID: nil).decision(body)["allowed"] as? Bool == false)
    }
}
