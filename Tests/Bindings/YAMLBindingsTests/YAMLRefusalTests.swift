import SourceDocuments
import Testing
import YAMLBindings

@Suite struct YAMLRefusalTests {
    @Test(
        "what two readers could take differently is refused with its place and a remedy",
        arguments: [
            ("a: 1\nb: 2\na: 3\n", ["f:3:1: the key `a` stands here a second time, first at 1:1; keep one of them"]),
            ("a: 1\n'a': 3\n", ["f:2:1: the key `a` stands here a second time, first at 1:1; keep one of them"]),
            (
                "x: {p: 1, p: 2}",
                ["f:1:11: the key `p` stands here a second time, first at 1:5; keep one of them"]
            ),
            (
                "a: &x 1\nb: *x\n",
                [
                    "f:1:4: the anchor `&x` is not allowed; write the value out wherever it is needed",
                    "f:2:4: the alias `*x` is not allowed; write the value out",
                ]
            ),
            (
                "a: !!str 1\n",
                ["f:1:4: the tag `tag:yaml.org,2002:str` is not allowed; remove it; quotes make text of any value"]
            ),
            ("a: !x [1]\n", ["f:1:4: the tag `!x` is not allowed; remove it; quotes make text of any value"]),
            ("a: {b: 1}\n<<: {c: 1}\n", ["f:2:1: the merge key `<<` is not allowed; write the keys out"]),
            ("%YAML 1.1\n---\na: 1\n", ["f:1:1: a directive is not allowed; remove it"]),
            ("? [a]\n: 1\n", ["f:1:3: a key is no text, expected text"]),
            ("'': 1\n", ["f:1:1: a key is empty, expected text"]),
            ("a: 1 # x\u{2028}b: 2\n", ["f:1:9: the line break U+2028 is not allowed; end lines with a line feed"]),
            ("a: 1 # x\u{2029}b: 2\n", ["f:1:9: the line break U+2029 is not allowed; end lines with a line feed"]),
            ("a: 1 # é\u{85}b: 2\n", ["f:1:9: the line break U+0085 is not allowed; end lines with a line feed"]),
            ("a: 1 # x\rb: 2\n", ["f:1:9: a carriage return alone is not allowed; end lines with a line feed"]),
        ] as [(String, [String])]
    )
    func refusesTheStrange(text: String, expected: [String]) {
        #expect(complaints(text) == expected)
    }

    @Test(
        "an error of syntax names file, line and column",
        arguments: [
            (
                "a: 1\n\tb: 2\n",
                "f:2:1: found a tab character that violates indentation while scanning a plain scalar; "
                    + "indent with spaces, not with a tab"
            ),
            (
                "a:\n\tb: 2\n",
                "f:2:1: found character that cannot start any token while scanning for the next token; "
                    + "indent with spaces, not with a tab"
            ),
            ("a: [1, 2\n", "f:2:1: did not find expected ',' or ']' while parsing a flow sequence"),
            ("a: 1\n  b: 2\n", "f:2:4: mapping values are not allowed in this context"),
            ("a: 'x\n", "f:2:1: found unexpected end of stream while scanning a quoted scalar"),
            ("a: 1\n- b\n", "f:2:1: did not find expected key while parsing a block mapping"),
            ("a: @x\n", "f:1:4: found character that cannot start any token while scanning for the next token"),
        ]
    )
    func reportsSyntax(text: String, expected: String) {
        #expect(complaints(text) == [expected])
    }

    @Test(
        "octets that are no UTF-8 text are refused with their place",
        arguments: [
            ([0x61, 0x3a, 0x20, 0xff], "f:1:4: invalid leading UTF-8 octet"),
            ([0x61, 0x3a, 0x0a, 0x20, 0xc3, 0x28], "f:2:3: invalid trailing UTF-8 octet"),
            ([0x61, 0x3a, 0x20, 0x78, 0x00, 0x79], "f:1:5: control characters are not allowed"),
            ([0x61, 0x3a, 0x20, 0xed, 0xa0, 0x80], "f:1:4: invalid Unicode character"),
            ([0x61, 0x3a, 0x20, 0xc0, 0x80], "f:1:4: invalid length of a UTF-8 sequence"),
            ([0xff, 0xfe, 0x61, 0x00], "f:1:1: invalid leading UTF-8 octet"),
        ] as [([UInt8], String)]
    )
    func refusesBadOctets(bytes: [UInt8], expected: String) {
        #expect(complaints(bytes) == [expected + "; write the file in UTF-8, without control characters"])
    }

    @Test("everything wrong is reported at once, in the order of the text")
    func collects() {
        #expect(
            complaints("a: 0777\nb: &x 1\na: 2\nc: [1").map { $0.prefix(6) } == [
                "f:1:4:", "f:2:4:", "f:3:1:", "f:5:1:",
            ]
        )
    }

    @Test("each limit holds at its number and refuses one more")
    func holdsLimits() throws {
        let text = Array("a: [[1, 2]]".utf8)
        let exact = YAMLLimits(bytes: 11, depth: 3, nodes: 5)
        #expect(try readYAML(text, file: "f", limits: exact).count == 1)
        var limits = exact
        limits.bytes = 10
        #expect(complaints(text, limits: limits) == ["f:1:1: the file has 11 bytes, more than the limit of 10"])
        limits = exact
        limits.depth = 2
        #expect(complaints(text, limits: limits) == ["f:1:5: lists and mappings are nested more than 2 deep"])
        limits = exact
        limits.nodes = 4
        #expect(complaints(text, limits: limits) == ["f:1:9: the file has more than 4 values"])
    }

    @Test("a file of brackets only is refused at the depth limit", .timeLimit(.minutes(1)))
    func boundsNesting() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
        #expect(complaints(bytes) == ["f:1:33: lists and mappings are nested more than 32 deep"])
    }

    @Test(
        "a file for one document holds one",
        arguments: [
            ("# nothing\n", "f:1:1: the file is empty, expected a document"),
            ("a: 1\n---\nb: 1\n", "f:3:1: a second document begins here, expected one; move it to a file of its own"),
        ]
    )
    func refusesOtherCounts(text: String, expected: String) {
        #expect(throws: SourceProblems.self) { try readYAMLDocument(Array(text.utf8), file: "f") }
        do {
            _ = try readYAMLDocument(Array(text.utf8), file: "f")
        } catch {
            #expect("\(error)" == expected)
        }
    }

    @Test("no cut of a document makes the reader trap")
    func survivesCuts() {
        let text = Array("a: [1, {b: 'é', \"c\\u00e9\": |\n  x\n}]\n--- # x\n? &a b\n: !t *a\n".utf8)
        for length in 0...text.count {
            _ = complaints(Array(text.prefix(length)))
            for byte: UInt8 in [0x00, 0x09, 0x22, 0x26, 0x5b, 0x7b, 0xff] {
                _ = complaints(Array(text.prefix(length)) + [byte] + Array(text.dropFirst(length)))
            }
        }
    }
}
