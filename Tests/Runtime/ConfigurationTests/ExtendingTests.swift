import Configuration
import Foundation
import PolicyEngine
import SourceDocuments
import Testing

@Suite("A policy of several files")
struct ExtendingTests {
    private let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "penstock-extending-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Writes a file with one rule of its name; `extends` is what it says of others.
    private func write(_ name: String, extends: String? = nil) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let rule = name.split(separator: "/").joined(separator: "-").replacingOccurrences(of: ".yaml", with: "")
        let text = """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: \(rule)
            \(extends.map { "extends: \($0)" } ?? "mode: enforce")
            rules:
              - name: \(rule)
                match: { hosts: [\(rule).test] }
                action: allow

            """
        try Data(text.utf8).write(to: file)
    }

    private func load(_ names: String...) throws(ConfigurationError) -> Policy {
        try loadPolicy(paths: names.map { $0.isEmpty ? path : "\(path)/\($0)" }, digest: { digest($0) }).policy
    }

    private func digest(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: bytes.reduce(UInt64(bytes.count)) { $0 &* 31 &+ UInt64($1) })]
    }

    /// What is wrong, without the folder's path.
    private func problems(_ names: String...) -> [String] {
        do throws(ConfigurationError) {
            _ = try loadPolicy(paths: names.map { "\(path)/\($0)" }, digest: { digest($0) })
            return []
        } catch {
            return "\(error)".replacingOccurrences(of: path + "/", with: "").split(separator: "\n").map(String.init)
        }
    }

    @Test("the paths are taken in the order given, and have one hash")
    func order() throws {
        for name in ["b.yaml", "d/x.yaml", "d/a.yaml", "c.yaml"] { try write(name) }
        let policy = try load("c.yaml", "d", "b.yaml")
        #expect(policy.rules.map(\.name.text) == ["c", "d-a", "d-x", "b"])
        #expect(policy.name == "c")
        #expect(try load("b.yaml", "d", "c.yaml").hash != policy.hash)
    }

    @Test("one path that cannot be read keeps all of them from being loaded")
    func whole() throws {
        try write("a.yaml")
        #expect(throws: ConfigurationError.self) { try load("a.yaml", "missing.yaml") }
    }

    @Test("a file that is empty, as one that is being written is for a moment, keeps the rest from being loaded")
    func empty() throws {
        try write("d/a.yaml")
        let denies = URL(filePath: "\(path)/d/denies.yaml")
        let message =
            "d/denies.yaml:1:1: no document was found, expected a policy; write the policy into it, or remove the file"
        for text in ["", "\n", "# nothing but a remark\n"] {
            try Data(text.utf8).write(to: denies)
            #expect(problems("d") == [message])
        }
        try write("team.yaml", extends: "d/denies.yaml")
        #expect(problems("team.yaml") == [message])
    }

    @Test("what a file extends comes before it, from its own directory, and each file once")
    func extends() throws {
        try write("team.yaml", extends: "[base.yaml, parts/one.yaml]")
        try write("base.yaml")
        try write("parts/one.yaml", extends: "[two.yaml, ../base.yaml]")
        try write("parts/two.yaml")
        let policy = try load("team.yaml")
        #expect(policy.rules.map(\.name.text) == ["base", "parts-two", "parts-one", "team"])
        #expect(policy.name == "team")
        let before = policy.hash
        try Data("\n# a remark\n".utf8).append(to: "\(path)/parts/two.yaml")
        #expect(try load("team.yaml").hash != before)
    }

    @Test("a file of a directory that another extends is there once")
    func inDirectory() throws {
        try write("a.yaml", extends: "z.yaml")
        try write("m.yaml", extends: "z.yaml")
        try write("z.yaml")
        #expect(try load("").rules.map(\.name.text) == ["z", "a", "m"])
    }

    @Test("files that extend each other in a circle are refused where the circle closes")
    func circles() throws {
        try write("a.yaml", extends: "b.yaml")
        try write("b.yaml", extends: "[c.yaml]")
        try write("c.yaml", extends: "a.yaml")
        try write("self.yaml", extends: "./self.yaml")
        let circle = problems("a.yaml")
        #expect(circle.count == 1 && circle[0].hasPrefix("c.yaml:4:10: the files extend each other in a circle: "))
        #expect(circle[0].contains("a.yaml extends b.yaml extends c.yaml extends a.yaml"), "\(circle)")
        #expect(problems("self.yaml").first?.hasPrefix("self.yaml:4:10: ") ?? false)
    }

    @Test(
        "what lies outside of the policy's directory is not read",
        arguments: [
            ("../base.yaml", "a file outside the policy's directory"),
            ("parts/../../base.yaml", "a file outside the policy's directory"),
            ("/etc/passwd", "an absolute path"), ("parts/..", "a directory"), (".", "a directory"),
            ("\"a\\\\b\"", "a character that no policy file needs"),
        ]
    )
    func escapes(reference: String, fault: String) throws {
        try write("a.yaml", extends: reference)
        let found = problems("a.yaml")
        #expect(found.count == 1 && found[0].hasPrefix("a.yaml:4:10: `extends` names "), "\(found)")
        #expect(found.first?.contains(fault) ?? false, "\(found)")
    }

    @Test("what is wrong in an extended file, or with reading it, is said with its place")
    func places() throws {
        try write("a.yaml", extends: "[missing.yaml, broken.yaml]")
        try Data("rules: [\n".utf8).write(to: URL(filePath: "\(path)/broken.yaml"))
        let found = problems("a.yaml")
        #expect(
            found.contains { $0.hasPrefix("a.yaml:4:11: the extended file missing.yaml cannot be read: ") },
            "\(found)"
        )
        #expect(found.contains { $0.hasPrefix("broken.yaml:") }, "\(found)")
    }

    @Test("a swap is seen in the place, and writing into a file is not")
    func place() throws {
        try write("a.yaml")
        let file = "\(path)/a.yaml"
        let before = PolicyPlace([file])
        try Data("# more\n".utf8).append(to: file)
        #expect(PolicyPlace([file]) == before)
        try write("b.yaml")
        _ = unsafe rename("\(path)/b.yaml", file)
        #expect(PolicyPlace([file]) != before)
        #expect(PolicyPlace(["\(path)/none"]) == PolicyPlace(["\(path)/neither"]))
    }
}

extension Data {
    /// Writes it at the end of a file.
    fileprivate func append(to file: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: file))
        try handle.seekToEnd()
        try handle.write(contentsOf: self)
        try handle.close()
    }
}
