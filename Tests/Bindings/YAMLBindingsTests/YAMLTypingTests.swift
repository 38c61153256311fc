import SourceDocuments
import Testing
import YAMLBindings

/// The document's value, for a text that is right.
func content(_ yaml: String) throws -> SourceNode.Content {
    try readYAMLDocument(Array(yaml.utf8), file: "f").content
}

/// The complaints about a text that is wrong.
func complaints(_ yaml: String, limits: YAMLLimits = YAMLLimits()) -> [String] {
    complaints(Array(yaml.utf8), limits: limits)
}

func complaints(_ bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) -> [String] {
    do throws(SourceProblems) {
        let documents = try readYAML(bytes, file: "f", limits: limits)
        return ["read without complaint: \(documents)"]
    } catch {
        return error.problems.map(\.description)
    }
}

@Suite struct YAMLTypingTests {
    @Test(
        "a plain scalar has the type of the YAML 1.2 core schema",
        arguments: [
            ("true", .boolean(true)), ("True", .boolean(true)), ("FALSE", .boolean(false)),
            ("null", .null), ("~", .null), ("Null", .null), ("", .null),
            ("0", .integer(0)), ("-7", .integer(-7)), ("+7", .integer(7)), ("443", .integer(443)),
            ("9223372036854775807", .integer(.max)),
            ("yes", .string("yes")), ("no", .string("no")), ("on", .string("on")), ("Off", .string("Off")),
            ("tRUE", .string("tRUE")), ("nULL", .string("nULL")),
            ("8000-8100", .string("8000-8100")), ("10.0.0.0/8", .string("10.0.0.0/8")),
            ("10.0.0.1", .string("10.0.0.1")),
            ("2001:db8::/32", .string("2001:db8::/32")), ("22:30", .string("22:30")), ("1e", .string("1e")),
            ("-", .string("-")), (".", .string(".")), ("...x", .string("...x")), ("1st", .string("1st")),
            ("0.example.com", .string("0.example.com")), ("300ms", .string("300ms")), ("0x", .string("0x")),
            ("0xg", .string("0xg")), ("api.example.com", .string("api.example.com")),
        ] as [(String, SourceNode.Content)]
    )
    func typesPlainScalars(text: String, expected: SourceNode.Content) throws {
        guard text != "-" else {
            #expect(
                try content("- \"-\"")
                    == .sequence([SourceNode(.string("-"), at: .init(file: "f", line: 1, column: 3))])
            )
            return
        }
        guard case .mapping(let entries) = try content("key: \(text)") else {
            Issue.record("no mapping")
            return
        }
        #expect(entries.map(\.value.content) == [expected])
    }

    @Test("a quoted or block scalar is always text", arguments: ["'443'", "\"443\"", "|-\n  443", ">-\n  443"])
    func quotedIsText(text: String) throws {
        guard case .mapping(let entries) = try content("key: \(text)") else {
            Issue.record("no mapping")
            return
        }
        #expect(entries.map(\.value.content) == [.string("443")])
    }

    @Test(
        "what YAML versions read differently is refused",
        arguments: [
            ("0777", "is octal to some readers and decimal to others"),
            ("-010", "is octal to some readers and decimal to others"),
            ("00", "is octal to some readers and decimal to others"),
            ("0x1F", "is a number to some readers and text to others"),
            ("0o17", "is a number to some readers and text to others"),
            ("0b101", "is a number to some readers and text to others"),
            ("1_000", "is a number to some readers and text to others"),
            ("1.5", "is a floating-point number, which no key takes"),
            ("1.", "is a floating-point number, which no key takes"),
            (".5", "is a floating-point number, which no key takes"),
            ("1e3", "is a floating-point number, which no key takes"),
            ("-1.5E-3", "is a floating-point number, which no key takes"),
            (".inf", "is a floating-point number, which no key takes"),
            ("-.INF", "is a floating-point number, which no key takes"),
            (".nan", "is a floating-point number, which no key takes"),
        ]
    )
    func refusesAmbiguousNumbers(text: String, why: String) {
        #expect(
            complaints("key: \(text)")
                == ["f:1:6: `\(text)` \(why); write it in plain decimal, or in quotes if it is text"]
        )
    }

    @Test("an integer beyond 64 bits is refused, not rounded")
    func refusesHugeIntegers() {
        #expect(
            complaints("a: 9223372036854775808")
                == ["f:1:4: `9223372036854775808` is beyond 64 bits; write it in quotes if it is text"]
        )
    }

    @Test("lines and columns count from 1, and columns count characters")
    func countsPlaces() throws {
        let document = try readYAMLDocument(Array("\u{feff}# é\n'é': [a,\n  'éé', b]\n".utf8), file: "f")
        guard case .mapping(let entries) = document.content, case .sequence(let items) = entries[0].value.content else {
            Issue.record("no list")
            return
        }
        #expect(entries[0].keyLocation.description == "f:2:1")
        #expect(items.map(\.location.description) == ["f:2:7", "f:3:3", "f:3:9"])
    }

    @Test(
        "a byte order mark and CR LF change nothing",
        arguments: ["a: 1\nb: 2\n", "\u{feff}a: 1\nb: 2", "a: 1\r\nb: 2\r\n"]
    )
    func toleratesMarkAndCRLF(text: String) throws {
        guard case .mapping(let entries) = try content(text) else {
            Issue.record("no mapping")
            return
        }
        #expect(entries.map(\.key) == ["a", "b"])
        #expect(entries.map(\.keyLocation.description) == ["f:1:1", "f:2:1"])
        #expect(entries.map(\.value.content) == [.integer(1), .integer(2)])
    }

    @Test(
        "every document of a stream is read",
        arguments: [("", 0), ("# nothing\n", 0), ("a: 1", 1), ("---\na: 1\n---\nb: 2\n...\n", 2), ("---\n---\n", 2)]
    )
    func readsStreams(text: String, count: Int) throws {
        #expect(try readYAML(Array(text.utf8), file: "f").count == count)
    }
}
