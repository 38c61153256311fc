import AgentProtocols
import Testing

@Suite struct MCPThreatTests {
    @Test(
        "F07: a key that stands twice is refused, however it is escaped",
        arguments: [
            #"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"x"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
            #"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"p":1,"p":2}}}"#,
        ]
    )
    func refusesRepeatedKeys(body: String) {
        #expect(refusal(body) == "mcp_json_duplicate_key")
    }

    @Test(
        "F07: a key in another case is refused, since some servers take it for the one that is judged",
        arguments: [
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/list","METHOD":"tools/call","params":{"name":"b"}}"#,
            #"{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{"name":"b"}}"#,
            #"{"JsonRPC":"2.0","id":1,"method":"tools/call","params":{"name":"b"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"param\u017f":{"name":"b"}}"#,
        ]
    )
    func refusesKeysInOtherCase(body: String) {
        #expect(refusal(body) == "mcp_key_case")
    }

    @Test(
        "F07: a key that readers in C end at its zero is refused where that makes it one that is judged",
        arguments: [
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name\u0000":"b"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name\u0000x":"b","name":"a"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/list","METHOD\u0000":"tools/call","params":{"name":"b"}}"#,
            #"{"jsonrpc\u0000":"2.0","id":1,"method\u0000":"tools/call","params":{"name":"b"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"params\u0001":{"name":"b"}}"#,
        ]
    )
    func refusesKeysThatEndAtControls(body: String) {
        #expect(refusal(body) == "mcp_key_case")
    }

    @Test("a key with a control character that is none of these is an argument's or an extension's")
    func takesOtherControls() throws {
        let params = #"{"name":"a","n\u0000ame":1,"arguments":{"name\u0000":2}}"#
        let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#
        #expect(try read(body)?.calls.first?.tool == "a")
    }

    @Test(
        "F07: a method of MCP in another case is refused, and so is one that cannot be called",
        arguments: [
            ("Tools/Call", "mcp_method_case"), ("TOOLS/CALL", "mcp_method_case"),
            ("tool\\u017f/call", "mcp_method_case"),
            ("tools/call ", "mcp_method_name"), ("tools/call\\u0000", "mcp_method_name"), ("", "mcp_method_name"),
            ("rpc.response", "mcp_method_reserved"),
        ]
    )
    func refusesMethods(method: String, word: String) {
        let body = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{"name":"a"}}"#
        #expect(refusal(body) == word)
    }

    @Test("F07: escapes are decoded before a name is told")
    func decodesEscapes() throws {
        let body =
            #"{"jsonrpc":"2.0","id":1,"m\u0065thod":"tools\/c\u0061ll","params":{"n\u0061me":"delete\u005frepo"}}"#
        let call = try #require(try read(body)?.calls.first)
        #expect(call.method == "tools/call")
        #expect(call.tool == "delete_repo")
    }

    @Test("F07: a tool whose name only looks like another is another")
    func keepsConfusables() throws {
        // The Cyrillic letter ie for the Latin e, and two forms of an accented letter.
        let tools = ["d\u{0435}lete_repo", "re\u{301}sume\u{301}", "r\u{e9}sum\u{e9}"]
        for tool in tools {
            let told = try #require(try read(toolCall(tool))?.calls.first?.tool)
            #expect(Array(told.utf8) == Array(tool.utf8))
        }
    }

    @Test(
        "F07: a tool's name that servers cut or trim is refused",
        arguments: ["delete_repo\\u0000", " delete_repo", "delete_repo ", "a\\nb", "", "\\u00a0x", "x\\u0085"]
    )
    func refusesToolNames(tool: String) {
        #expect(refusal(toolCall(tool)) == "mcp_tool_name")
    }

    @Test(
        "F07: a tool's name that is no text is refused",
        arguments: ["{}", #"{"name":null}"#, #"{"name":["a"]}"#, #"{"name":1}"#]
    )
    func refusesToolNameTypes(params: String) {
        #expect(refusal(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#) == "mcp_tool_name")
        #expect(refusal(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["a"]}"#) == "mcp_params_type")
        #expect(refusal(#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#) == "mcp_tool_name")
    }

    @Test("F07: an identifier is a text or a whole number, and short")
    func refusesIdentifiers() {
        for id in ["null", "true", "[]", "{}", "1.5", "1e3", "1e999", "99999999999999999999"] {
            #expect(refusal(toolCall("x", id: id)) == "mcp_id_type", "\(id)")
        }
        for id in ["0", "-1", "9223372036854775807", "\"\"", "\"a\\u0022b\""] {
            #expect(refusal(toolCall("x", id: id)) == nil, "\(id)")
        }
        #expect(refusal(toolCall("x", id: "\"" + String(repeating: "a", count: 254) + "\"")) == nil)
        #expect(refusal(toolCall("x", id: "\"" + String(repeating: "a", count: 255) + "\"")) == "mcp_id_too_long")
    }

    @Test("F07: two requests of a body cannot share an identifier, and a response cannot be a request, too")
    func refusesHijackedIdentifiers() throws {
        let twice = #"[\#(toolCall("a", id: "\"1\"")),\#(toolCall("b", id: "\"\\u0031\""))]"#
        #expect(refusal(twice) == "mcp_id_repeated")
        let distinct = #"[\#(toolCall("a", id: "\"1\"")),\#(toolCall("b", id: "1"))]"#
        #expect(refusal(distinct) == nil)
        #expect(refusal(#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#) == "mcp_message_kind")
        #expect(refusal(#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#) == "mcp_message_kind")
        #expect(refusal(#"{"jsonrpc":"2.0","result":{}}"#) == "mcp_message_kind")
        #expect(refusal(#"{"jsonrpc":"2.0","id":1}"#) == "mcp_message_kind")
    }

    @Test("F07: a batch with one call among many tells all of them")
    func readsBatches() throws {
        let body =
            "[" + [toolCall("a"), toolCall("delete_repo", id: "2"), toolCall("c", id: "3")].joined(separator: ",") + "]"
        for head in [head(), head("2025-03-26")] {
            let message = try #require(try read(body, head))
            #expect(message.isBatch)
            #expect(message.calls.map(\.tool) == ["a", "delete_repo", "c"])
        }
        for version in ["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"] {
            #expect(refusal(body, head(version)) == "mcp_batch", "\(version)")
        }
        #expect(refusal("[\(toolCall("a")),1]") == "mcp_batch_element")
        #expect(refusal("[\(toolCall("a")),[\(toolCall("b", id: "2"))]]") == "mcp_batch_element")
    }

    @Test("F07: a depth bomb, NaN and numbers beyond all are refused")
    func refusesBombs() {
        let deep = String(repeating: "[", count: 100_000)
        let call = { (arguments: String) in
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":\#(arguments)}}"#
        }
        #expect(refusal(call(deep)) == "mcp_json_too_deep")
        #expect(refusal(call("NaN")) == "mcp_json_unexpected_byte")
        #expect(refusal(call("-Infinity")) == "mcp_json_bad_number")
        #expect(refusal(call("[1e999]")) == "mcp_number_range")
        #expect(refusal(call("1" + String(repeating: "0", count: 400))) == "mcp_number_range")
        #expect(refusal(call("1e308")) == nil)
        #expect(refusal(call("[" + String(repeating: "0,", count: 70_000) + "0]")) == "mcp_json_too_many_values")
    }

    @Test("F07: text that some servers read in another encoding is refused, and so is what follows the message")
    func refusesEncodings() {
        let call = toolCall("x")
        let wide = call.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        #expect(refusal(wide, MCPHead()) == "mcp_encoding")
        #expect(refusal([0xFF, 0xFE] + wide, MCPHead()) == "mcp_encoding")
        #expect(refusal([0xEF, 0xBB, 0xBF] + Array(call.utf8), MCPHead()) == "mcp_json_byte_order_mark")
        #expect(refusal(Array(call.utf8.dropLast(3)) + [0xC0, 0xAE] + Array(#""}}"#.utf8)) == "mcp_json_invalid_utf8")
        #expect(refusal(call + call, MCPHead()) == "mcp_json_trailing_bytes")
        #expect(refusal(call + "\n" + call, MCPHead()) == "mcp_json_trailing_bytes")
    }

    @Test(
        "F07: a content type that names another encoding is refused, however it is spelled",
        arguments: [
            "application/json; charset=utf-7", "text/plain;CHARSET=cp037", "application/json; charset=\"utf-7\"",
            "application/json; charset=utf-8; charset=utf-7", "application/json; charset = utf-8",
            "application/json; charset*=utf-8''utf-7", "application/json; charset=", "application/json; charset",
            "application/json; charset=\"utf-8", "application/json; charset=utf-8\"", "text/plain; charset=utf-16",
            "application/json; charset=shift_jis", "application/json; charset='utf-8'",
        ]
    )
    func refusesCharsets(type: String) {
        let head = MCPHead(contentTypes: [Array("application/json".utf8), Array(type.utf8)])
        #expect(refusal(toolCall("x"), head) == "mcp_encoding")
        #expect(refusal("hello", head) == "mcp_encoding")
        #expect(refusal(" ", MCPHead(contentTypes: [Array(type.utf8)])) == nil)
    }

    @Test(
        "F07: a content type that names what reads JSON as UTF-8 does is not",
        arguments: [
            "application/json", "application/json; charset=utf-8", "application/json;charset=UTF8;x=y",
            "application/json; charset=\"us-ascii\"; a", "text/plain; charset=ISO-8859-1", "application/json; char=set",
            "text/csv; charset=windows-1252", "text/plain; charset=iso-8859-15",
        ]
    )
    func passesCharsets(type: String) {
        #expect(refusal(toolCall("x"), MCPHead(contentTypes: [Array(type.utf8)])) == nil)
    }

    @Test(
        "F07: what lenient readers pass over hides no call",
        arguments: [
            "\u{0B}", "\u{0C}", "\u{1F}", "\u{85}", "\u{A0}", "\u{1680}", "\u{2003}", "\u{200B}", "\u{2028}",
            "\u{205F}", "\u{3000}", "\n\u{FEFF}", "\u{FEFF}\u{FEFF}", "/**/", "/* a */ // b\n", "//\r", "\u{A0}/***/ ",
            "# a\n", ")]}'\n", "// \u{2013}\u{2028}", "#\u{2029}",
        ]
    )
    func refusesHiddenOpenings(before: String) {
        let said = refusal(before + toolCall("x"), MCPHead())
        #expect(said?.hasPrefix("mcp_json_") ?? false, "\(said ?? "passed")")
        #expect(refusal(before + "hello", MCPHead()) == nil || before.hasPrefix("\u{FEFF}"))
    }

    @Test("F07: a message in a list within a list is refused")
    func refusesNestedLists() {
        #expect(refusal("[[\(toolCall("a"))]]", MCPHead()) == "mcp_batch_element")
        #expect(refusal("[1,[[],[\(toolCall("a"))]]]", MCPHead()) == "mcp_batch_element")
        #expect(refusal("[[1],[{\"a\":1}]]", MCPHead()) == nil)
    }

    @Test(
        "F07: coded octets that could be JSON as they are, are refused",
        arguments: [
            "{", "\r{\"P!@", "\n [{", "[\"a\"", "[[", "[1,", "[-", "[\n true", "\u{FEFF}{", "/* x */ [ {", "[/**/null",
        ]
    )
    func refusesCodedOpenings(coded: String) {
        var opening = JSONOpening(.coded)
        for octet in coded.utf8 { opening.read([octet].span) }
        #expect(opening.isOpen)
        do throws(MCPViolation) {
            _ = try MCPReader().read([], of: MCPHead(), coded: opening)
            Issue.record("passed")
        } catch {
            #expect(error.fault.word == "mcp_coding")
        }
    }

    @Test(
        "codings begin otherwise: gzip, zlib, zstd, brotli stored and not",
        arguments: [
            [0x1F, 0x8B, 8, 0], [0x78, 0x9C, 0x7B], [0x28, 0xB5, 0x2F, 0xFD], [0x0B, 0x03, 0x80, 0x7B],
            [0x5B, 0xFF, 0xFF, 3], [0xC2, 0x7B], [0xE2, 0x80, 0x7B, 0x7B], [0x2F, 0x7B], [],
        ] as [[UInt8]]
    )
    func passesCodings(octets: [UInt8]) {
        var opening = JSONOpening(.coded)
        opening.read(octets.span)
        #expect(!opening.isOpen)
    }

    @Test("F07: what says no revision of JSON-RPC, or another, is refused")
    func refusesOtherRevisions() {
        for version in ["\"1.0\"", "2.0", "\"2\"", "null"] {
            let body = #"{"jsonrpc":\#(version),"id":1,"method":"tools/call","params":{"name":"x"}}"#
            #expect(refusal(body) == "mcp_jsonrpc_version")
        }
        #expect(refusal(#"{"id":1,"method":"tools/call","params":{"name":"x"}}"#) == "mcp_jsonrpc_version")
        #expect(refusal(toolCall("x"), head("2027-01-01")) == "mcp_version_unknown")
        #expect(refusal(toolCall("x"), head("undeclared")) == "mcp_version_unknown")
    }

    @Test("F07: answers to what a server asked for are told, and refused where the revision has none")
    func tellsSampling() throws {
        let answer = #"{"jsonrpc":"2.0","id":9,"result":{"role":"assistant","content":{"type":"text","text":"x"}}}"#
        for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
            #expect(try read(answer, head(version))?.calls.map(\.kind) == [.response])
        }
        #expect(refusal(answer, head("2026-07-28")) == "mcp_response")
    }

    @Test("F07: resources, prompts and whatever else is called are told by their methods")
    func tellsOtherMethods() throws {
        for method in ["resources/read", "prompts/get", "completion/complete", "tasks/cancel", "vendor.x/do"] {
            let body =
                #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{"name":"n","uri":"file:///etc/hosts"}}"#
            let call = try #require(try read(body)?.calls.first)
            #expect(call.method == method)
            #expect(call.tool == nil)
        }
    }
}
