import SourceDocuments
import Testing
import YAMLBindings

@Suite("YAML with its layout")
struct YAMLLayoutTests {
    /// What stands at the node behind these keys and indexes, as it is written.
    private func written(_ text: String, _ steps: [String]) throws -> String {
        let bytes = Array(text.utf8)
        var node = try #require(try readYAMLLayout(bytes, file: "f", limits: YAMLLimits()).first)
        for step in steps {
            switch node.content {
            case .mapping(let entries, _):
                let entry = entries.first { $0.key == step }
                node = try #require(entry).value
            case .sequence(let items, _): node = items[try #require(Int(step))]
            case .scalar: Issue.record("no way down at \(step)")
            }
        }
        return String(decoding: bytes[node.range], as: UTF8.self)
    }

    @Test(
        "a value's range holds what is written, and nothing behind it",
        arguments: [
            ("a: b # c\n", ["a"], "b"), ("a: 'b' # c\n", ["a"], "'b'"), ("é: \"ü\"  \n", ["é"], "\"ü\""),
            ("𝄞: ☃ # ☃\nb: ä\n", ["b"], "ä"), ("a:\r\n  b: c\r\n\r\n# d\r\ne: f\r\n", ["a"], "b: c"),
            ("a:\n- b\n- c # d\n# e\n", ["a"], "- b\n- c"),
            ("a:\n  - b: c\n    d: [e, f] # g\n", ["a", "0"], "b: c\n    d: [e, f]"),
            ("a: {b: [c], d: } # e\n", ["a"], "{b: [c], d: }"), ("a: {b: [c], d: } # e\n", ["a", "b"], "[c]"),
            ("a: |\n  b\n\n\nc: d\n", ["a"], "|\n  b\n\n\n"), ("a: >-\n  b\n  c\n", ["a"], ">-\n  b\n  c\n"),
            ("a: |\n  b", ["a"], "|\n  b"), ("a: b\n  c # d\n", ["a"], "b\n  c"), ("a:\nb: c\n", ["a"], ""),
            ("a: &x b\nc: *x # d\n", ["c"], "*x"),
        ]
    )
    func ranges(text: String, steps: [String], range: String) throws {
        #expect(try written(text, steps) == range)
    }

    @Test("how each value is written is told")
    func styles() throws {
        let text = "a: b\nc: 'd'\ne: |\n  f\ng: [h]\ni:\n- j\nk: {l: m}\nn:\n  o: p\n"
        let document = try #require(try readYAMLLayout(Array(text.utf8), file: "f", limits: YAMLLimits()).first)
        guard case .mapping(let entries, .block) = document.content else {
            Issue.record("\(document)")
            return
        }
        let styles = entries.map { entry in
            switch entry.value.content {
            case .scalar(_, let style): "\(style)"
            case .sequence(_, let style): "sequence \(style)"
            case .mapping(_, let style): "mapping \(style)"
            }
        }
        #expect(
            styles == ["plain", "quoted", "block", "sequence flow", "sequence block", "mapping flow", "mapping block"]
        )
    }

    @Test("anchors, aliases, tags and merge keys are told, and an alias says what it stands for")
    func properties() throws {
        let text = "a: &x !t [b]\nc: *x\n<<: d\n\"<<\": e\n"
        #expect(throws: SourceProblems.self) { try readYAMLLayout(Array(text.utf8), file: "f", limits: YAMLLimits()) }
        let good = "a: &x !t [b]\nc: *x\n<<: d\n"
        let document = try #require(try readYAMLLayout(Array(good.utf8), file: "f", limits: YAMLLimits()).first)
        guard case .mapping(let entries, _) = document.content, entries.count == 3 else {
            Issue.record("\(document)")
            return
        }
        #expect(entries[0].value.anchor == "x" && entries[0].value.tag == "!t" && entries[0].value.alias == nil)
        #expect(entries[1].value.alias == "x" && entries[1].value.content == entries[0].value.content)
        #expect(entries.map(\.isMerge) == [false, false, true])
    }

    @Test("an alias counts as all that it stands for, and one of what is not complete is refused")
    func aliases() throws {
        let limits = YAMLLimits(nodes: 12)
        let fits = Array("a: &x [1, 2]\nb: *x\n".utf8)
        #expect(try readYAMLLayout(fits, file: "f", limits: limits).count == 1)
        for text in ["a: &x [1, 2]\nb: [*x, *x]\n", "a: &x [*x]\n", "a: *y\n"] {
            #expect(throws: SourceProblems.self) { try readYAMLLayout(Array(text.utf8), file: "f", limits: limits) }
        }
    }

    @Test("nesting, size, line breaks and byte order marks have their bounds")
    func bounds() {
        let texts = ["[[[1]]]", "a: \u{2028}\n", "\u{feff}a: b\n", "a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"]
        for text in texts {
            #expect(throws: SourceProblems.self) {
                try readYAMLLayout(Array(text.utf8), file: "f", limits: YAMLLimits(bytes: 32, depth: 2, nodes: 100))
            }
        }
    }
}
