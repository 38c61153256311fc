import Testing
import WireFormats

@Suite struct JSONValueTests {
    private func read(_ text: String) throws -> JSONValue {
        try JSONDocument(Array(text.utf8), limits: .wide).root
    }

    @Test(
        "any value may stand alone, with white space around it",
        arguments: [
            ("{}", JSONValue.Kind.object), ("[]", .array), (" \t\r\n\"\" ", .string), ("0", .number), ("-0", .number),
            ("-0.0e-00", .number), ("1E+400", .number), ("123456789012345678901234567890", .number), ("true", .boolean),
            ("false", .boolean), ("null\n", .null), ("[ ]", .array), ("{ \n }", .object),
            ("\"\u{7F}\u{2028}\"", .string),
        ]
    )
    func alone(text: String, kind: JSONValue.Kind) throws {
        #expect(try read(text).kind == kind)
    }

    @Test(
        "a string says what its escapes stand for",
        arguments: [
            (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0000\u001f\u00e9\u00E9""#, "\0\u{1F}éé"), (#""\ud83d\ude00x\uDBFF\uDFFF""#, "😀x\u{10FFFF}"),
            (#""é名😀""#, "é名😀"), (#""a\\u0041""#, "a\\u0041"), (#""\uD7FF\uE000\uFFFF""#, "\u{D7FF}\u{E000}\u{FFFF}"),
        ]
    )
    func strings(source: String, text: String) throws {
        let found = try #require(try read(source).text)
        #expect(found.unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test(
        "a whole number is one without sign, point and exponent that fits",
        arguments: [
            ("0", 0), ("443", 443), ("18446744073709551615", UInt64.max), ("18446744073709551616", nil), ("-0", nil),
            ("-1", nil), ("1.0", nil), ("1e2", nil), ("\"1\"", nil), ("true", nil), ("null", nil),
        ] as [(String, UInt64?)]
    )
    func wholeNumbers(source: String, number: UInt64?) throws {
        #expect(try read(source).wholeNumber == number)
    }

    @Test("the members of an object come in order, and each is found by what its name says")
    func members() throws {
        let root = try read(#"{"a":[1,{"x":2}],"b\u0063":{"a":false},"":null,"a.b":true}"#)
        #expect(root.members.map { $0.name.text } == ["a", "bc", "", "a.b"])
        #expect(root.member("bc")?.member("a")?.boolean == false)
        #expect(root.member("")?.kind == .null)
        #expect(root.member("a.b")?.boolean == true)
        #expect(root.member("b\\u0063") == nil)
        #expect(root.member("A") == nil)
        let elements = try #require(root.member("a")).elements.map(\.kind)
        #expect(elements == [.number, .object])
        #expect(root.member("a")?.member("x") == nil)
        #expect(Array(root.elements).isEmpty)
    }

    @Test("names that only normalisation makes equal are two names")
    func normalisation() throws {
        let root = try read("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(root.member("\u{E9}")?.wholeNumber == 1)
        #expect(root.member("e\u{301}")?.wholeNumber == 2)
    }

    @Test("a value knows where it stands and what its own bytes are")
    func ranges() throws {
        let root = try read(#" {"a": [1, "x\n"]} "#)
        #expect(root.range == 1..<18)
        let list = try #require(root.member("a"))
        #expect(String(decoding: list.source, as: UTF8.self) == #"[1, "x\n"]"#)
        #expect(list.elements.map(\.range) == [8..<9, 11..<16])
    }

    @Test("a value is nothing that it is not", arguments: ["{}", "[]", "\"x\"", "1", "true", "null"])
    func otherKinds(source: String) throws {
        let value = try read(source)
        #expect((value.text != nil) == (value.kind == .string))
        #expect((value.boolean != nil) == (value.kind == .boolean))
        #expect((value.wholeNumber != nil) == (value.kind == .number))
        #expect(value.member("x") == nil)
    }

    @Test("an object with a hundred thousand different names is read at once")
    func manyNames() throws {
        let text = "{" + (0..<100_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        let limits = JSONLimits(bytes: 4 << 20, depth: 1, values: 1 << 20)
        let root = try JSONDocument(Array(text.utf8), limits: limits).root
        #expect(root.member("99999")?.wholeNumber == 0)
    }
}
