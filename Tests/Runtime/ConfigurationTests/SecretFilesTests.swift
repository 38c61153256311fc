import Configuration
import Credentials
import Foundation
import NetworkTypes
import PolicyEngine
import SourceDocuments
import Testing

@Suite("The files of secrets")
struct SecretFilesTests {
    /// A directory of the test's own, removed when it is let go.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "penstock-secrets-\(UUID().uuidString)").path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String, mode: Int = 0o400) throws {
            let file = "\(path)/\(name)"
            let folder = URL(filePath: file).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: file))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        }

        func link(_ name: String, to target: String) throws {
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
        }
    }

    private func name(_ text: String) throws -> SecretName { try #require(SecretName(text)) }

    @Test("a mounted Secret of Kubernetes is read through its links, and another one is noticed")
    func mounted() throws {
        let folder = try Folder()
        try folder.write("..1/openai", "sk-first-0123\n", mode: 0o440)
        try folder.write("..2/openai", "sk-second-0123\n", mode: 0o440)
        try folder.link("..data", to: "..1")
        try folder.link("openai", to: "..data/openai")
        let path = "\(folder.path)/openai"
        let first = try loadSecrets([try name("openai"): path])
        #expect(first.secrets[try name("openai")]?.octets == Array("sk-first-0123".utf8))
        #expect(first.warnings.isEmpty)
        let place = PolicyPlace([path])
        try FileManager.default.removeItem(atPath: "\(folder.path)/..data")
        try folder.link("..data", to: "..2")
        #expect(PolicyPlace([path]) != place)
        let second = try loadSecrets([try name("openai"): path])
        #expect(second.secrets[try name("openai")]?.octets == Array("sk-second-0123".utf8))
    }

    @Test(
        "G01: a file that is open to others is told of",
        arguments: [(0o444, "read by every user"), (0o460, "written by its group")]
    )
    func open(mode: Int, said: String) throws {
        let folder = try Folder()
        try folder.write("a", "sk-first-0123", mode: mode)
        let loaded = try loadSecrets([try name("a"): "\(folder.path)/a"])
        #expect(loaded.warnings.count == 1)
        #expect(loaded.warnings.first?.contains(said) ?? false)
        #expect(loaded.warnings.first?.contains("sk-first") == false)
    }

    @Test(
        "what is no secret, or no file, or can be written by everybody is an error that tells nothing of it",
        arguments: [
            ("short", 0o400, "less than 8 characters"), ("two-lines\nof-it", 0o400, "more than one line"),
            ("sk-first-0123", 0o402, "every user may write"),
        ]
    )
    func refused(content: String, mode: Int, said: String) throws {
        let folder = try Folder()
        try folder.write("a", content, mode: mode)
        let paths = [try name("a"): "\(folder.path)/a"]
        let error = #expect(throws: ConfigurationError.self) { try loadSecrets(paths) }
        let text = try #require(error).description
        #expect(text.contains(said) && !text.contains(content), "\(text)")
    }

    @Test("no more is read than a secret may have")
    func tooLong() throws {
        let folder = try Folder()
        try folder.write("a", String(repeating: "x", count: 9000))
        let paths = [try name("a"): "\(folder.path)/a"]
        let error = #expect(throws: ConfigurationError.self) { try loadSecrets(paths) }
        #expect(try #require(error).description.contains("more than 8194 bytes"))
    }

    @Test("a secret that is not there is an error that names its file; a folder is none")
    func missing() throws {
        let folder = try Folder()
        for path in ["\(folder.path)/none", folder.path] {
            let paths = [try name("a"): path]
            let error = #expect(throws: ConfigurationError.self) { try loadSecrets(paths) }
            #expect(try #require(error).description.hasPrefix(path))
        }
    }

    @Test("the configuration names each secret and its file")
    func configuration() throws {
        let text = """
            secrets:
              openai: { file: /etc/penstock/secrets/openai, hosts: [API.openai.com] }
              a.b_c-1: { file: /s }
            """
        let read = try DaemonConfiguration.read(Array(text.utf8), file: "c")
        let scope = SecretScope(hosts: [try HostName("api.openai.com")])
        let openai = SecretSettings(path: "/etc/penstock/secrets/openai", scope: scope)
        #expect(read.secrets == [try name("openai"): openai, try name("a.b_c-1"): SecretSettings(path: "/s")])
        for wrong in [
            "{ OpenAI: { file: /s } }", "{ a: { file: s } }", "{ a: {} }", "{ a: { path: /s } }", "{ a: /s }",
            "{ a: { file: /s, hosts: [\"*.a.example\"] } }", "[]",
        ] {
            let bytes = Array("secrets: \(wrong)".utf8)
            #expect(throws: SourceProblems.self) { try DaemonConfiguration.read(bytes, file: "c") }
        }
    }
}
