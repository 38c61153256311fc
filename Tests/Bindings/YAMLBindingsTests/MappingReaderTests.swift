import SourceDocuments
import Testing
import YAMLBindings

private enum Mode: String, CaseIterable {
    case enforce
    case audit
}

private struct Listener: Equatable {
    var port: Int?
    var ports: [Int]?
    var name: String?
    var mode: Mode?
    var verbose: Bool?
    var patience: Duration?
    var path: String?
    var rules: [String]?
}

private func read(_ yaml: String) throws(SourceProblems) -> Listener {
    let document = try readYAMLDocument(Array(yaml.utf8), file: "f")
    return try MappingReader.read(document, as: "the document") { reader -> Listener? in
        var listener = Listener()
        listener.port = reader.integer("port", .required, in: 1...65535)
        listener.ports = reader.integers("ports", in: 0...65535)
        listener.name = reader.string("name")
        listener.mode = reader.choice("mode", of: Mode.self)
        listener.verbose = reader.boolean("verbose")
        listener.patience = reader.duration("patience", in: .milliseconds(10) ... .seconds(60))
        listener.path = reader.mapping("audit") { $0.string("path", .required) }
        listener.rules = reader.mappings("rules") { $0.string("name", .required) }
        reader.notYet("inspect")
        return listener
    }
}

private func complaints(reading yaml: String) -> [String] {
    do throws(SourceProblems) {
        return ["read without complaint: \(try read(yaml))"]
    } catch {
        return error.problems.map(\.description)
    }
}

@Suite struct MappingReaderTests {
    @Test("every getter gives the value that stands there")
    func readsValues() throws {
        let listener = try read(
            """
            port: 443
            ports: [80, 443]
            name: edge
            mode: audit
            verbose: false
            patience: 300ms
            audit: { path: /var/log/audit }
            rules: [{ name: one }, { name: two }]
            """
        )
        #expect(
            listener
                == Listener(
                    port: 443,
                    ports: [80, 443],
                    name: "edge",
                    mode: .audit,
                    verbose: false,
                    patience: .milliseconds(300),
                    path: "/var/log/audit",
                    rules: ["one", "two"]
                )
        )
    }

    @Test("what may be left out is absent")
    func leavesOut() throws {
        #expect(try read("port: 1") == Listener(port: 1))
    }

    @Test(
        "a mistake is named with what stands there and what was expected",
        arguments: [
            ("port: 0", "f:1:7: `port` is 0, expected 1 to 65535"),
            ("port: '443'", "f:1:7: `port` is a string, expected an integer"),
            ("port:", "f:1:6: `port` is empty, expected an integer; give it a value, or remove the key"),
            ("name: x", "f:1:1: the key `port` is missing"),
            ("port: 1\npots: [1]", "f:2:1: unknown key `pots`; did you mean `ports`?"),
            ("port: 1\nportz: [1]", "f:2:1: unknown key `portz`; did you mean `port`?"),
            ("port: 1\nnmae: x", "f:2:1: unknown key `nmae`; did you mean `name`?"),
            (
                "port: 1\nzzz: x",
                "f:2:1: unknown key `zzz`; the keys here are port, ports, name, mode, verbose, patience, audit, rules"
            ),
            ("port: 1\naudit: {path: x, zzz: y}", "f:2:18: unknown key `zzz`; the only key here is path"),
            (
                "port: 1\nports: '80'",
                "f:2:8: `ports` is a string, expected a list of integers; put it in brackets, as a list of one"
            ),
            ("port: 1\nports: [80, x]", "f:2:13: item 2 of `ports` is a string, expected an integer"),
            ("port: 1\nports: [80, 65536]", "f:2:13: item 2 of `ports` is 65536, expected 0 to 65535"),
            ("port: 1\nname: 7", "f:2:7: `name` is an integer, expected a string; write it in quotes if it is text"),
            ("port: 1\nname: ''", "f:2:7: `name` is empty, expected a string"),
            (
                "port: 1\nmode: enfroce",
                "f:2:7: `mode` is `enfroce`, expected one of enforce, audit; did you mean `enforce`?"
            ),
            ("port: 1\nmode: off", "f:2:7: `mode` is `off`, expected one of enforce, audit"),
            ("port: 1\nverbose: yes", "f:2:10: `verbose` is a string, expected true or false"),
            (
                "port: 1\npatience: 5",
                "f:2:11: `patience` is an integer, expected a duration such as 300ms, 5s, 10m or 24h; "
                    + "write the unit: `5s` for seconds"
            ),
            ("port: 1\npatience: 2m", "f:2:11: `patience` is `2m`, expected 10ms to 1m"),
            (
                "port: 1\npatience: 9223372036854775807h",
                "f:2:11: `patience` is `9223372036854775807h`, expected a duration such as 300ms, 5s, 10m or 24h"
            ),
            ("port: 1\naudit: x", "f:2:8: `audit` is a string, expected a mapping"),
            ("port: 1\naudit: {}", "f:2:8: the key `path` is missing"),
            ("port: 1\naudit: {path: x, pth: y}", "f:2:18: unknown key `pth`; did you mean `path`?"),
            ("port: 1\nrules: [x]", "f:2:9: item 1 of `rules` is a string, expected a mapping"),
            ("port: 1\ninspect: {}", "f:2:1: `inspect` is not supported yet; remove it"),
            ("- port", "f:1:1: the document is a list, expected a mapping"),
        ]
    )
    func namesMistakes(yaml: String, expected: String) {
        #expect(complaints(reading: yaml) == [expected])
    }

    @Test("all mistakes are reported at once, nested ones too, in the order of the text")
    func collects() {
        let yaml = """
            rules:
              - { nam: one }
              - 7
            audit: { path: 1 }
            mode: x
            port: 0
            """
        #expect(
            complaints(reading: yaml).map { $0.split(separator: " ")[0] }
                == ["f:2:5:", "f:2:7:", "f:3:5:", "f:4:16:", "f:5:7:", "f:6:7:"]
        )
    }
}
