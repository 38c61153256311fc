import Configuration
import Foundation
import PolicyEngine
import SourceDocuments
import Testing

/// A directory of the test's own, removed when it is let go.
private final class Folder {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appending(path: "penstock-configuration-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }
}

private func policy(_ rule: String) -> String {
    """
    apiVersion: penstock/v1
    kind: EgressPolicy
    name: \(rule)
    rules:
      - name: \(rule)
        match: { hosts: [\(rule).test] }
        action: allow

    """
}

/// SHA-256 by the machine's own program, so that what the documentation says of the hash is what is tested.
private func sha256(_ bytes: [UInt8]) -> [UInt8] {
    let text = shell("sha256sum", input: Data(bytes))
    let digits = Array(text.prefix(64))
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
}

private func shell(_ command: String, input: Data = Data()) -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    guard (try? process.run()) != nil else { return "" }
    stdin.fileHandleForWriting.write(input)
    stdin.fileHandleForWriting.closeFile()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
}

@Suite("A policy's files", .serialized)
struct PolicyLoadingTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func load(_ name: String = "", limits: PolicyFileLimits = PolicyFileLimits()) throws(ConfigurationError)
        -> LoadedPolicy
    {
        try loadPolicy(path: name.isEmpty ? folder.path : "\(folder.path)/\(name)", limits: limits, digest: sha256)
    }

    private func cause(_ name: String = "", limits: PolicyFileLimits = PolicyFileLimits()) -> FileProblem.Cause? {
        do throws(ConfigurationError) {
            _ = try load(name, limits: limits)
            return nil
        } catch {
            switch error {
            case .file(let problem): return problem.cause
            case .source: return nil
            }
        }
    }

    @Test("one file is a policy; its hash is that of its exact bytes")
    func oneFile() throws {
        try folder.write("p.yaml", policy("a"))
        let loaded = try load("p.yaml")
        #expect(loaded.policy.rules.map(\.name.text) == ["a"])
        #expect(loaded.policy.hash == "sha256:" + shell("sha256sum < \(folder.path)/p.yaml").prefix(64))
    }

    @Test("a directory is read as a whole, in the byte order of the names; its hash is that of its sums")
    func directory() throws {
        for name in ["b.yml", "a.yaml", "C.yaml", "a-1.yaml"] {
            try folder.write(name, policy("r\(name.prefix(1).lowercased())\(name.count)"))
        }
        try folder.write(".hidden.yaml", "not: a policy")
        try folder.write("notes.txt", "not a policy")
        let loaded = try load()
        #expect(loaded.policy.rules.map(\.name.text) == ["rc6", "ra8", "ra6", "rb5"])
        let command = "cd \(folder.path) && sha256sum $(ls | grep '[.]ya*ml$' | LC_ALL=C sort) | sha256sum"
        #expect(loaded.policy.hash == "sha256:" + shell(command).prefix(64))
    }

    @Test("what is wrong with one file, and refused as YAML, hides nothing of what else is wrong, and makes nothing up")
    func allProblems() throws {
        try folder.write(
            "a.yaml",
            policy("a") + "modee: audit\nname: again\nextends: [missing.yaml, 1.5]\n"
        )
        try folder.write("b.yaml", policy("b") + "default: 1.5\n")
        try folder.write("c.yaml", policy("c") + "rules: [\n")
        try folder.write("d.yaml", policy("d") + "mode: enforced\n")
        try folder.write("e.yaml", "<<: { name: e }\n")
        do throws(ConfigurationError) {
            _ = try load()
            Issue.record("it loads")
        } catch {
            guard case .source(let found) = error else { throw error }
            let messages = found.problems.map { "\($0.location.file.suffix(6)) \($0.message)" }
            let beginnings = [
                "a.yaml unknown key `modee`", "a.yaml the key `name`", "a.yaml the extended file", "a.yaml `1.5` is",
                "b.yaml `1.5` is", "c.yaml ", "d.yaml `mode` is `enforced`", "e.yaml the merge key",
            ]
            #expect(messages.count == beginnings.count, "\(messages)")
            let areTheSame = zip(messages, beginnings).allSatisfy { $0.hasPrefix($1) }
            #expect(areTheSame, "\(messages)")
        }
    }

    @Test("the hash changes with a name, a byte, and the file that the bytes are in")
    func hashes() throws {
        var hashes: Set<String> = []
        for (name, text) in [("a.yaml", policy("a")), ("b.yaml", policy("a")), ("a.yaml", policy("a") + "\n")] {
            let other = try Folder()
            try other.write(name, text)
            hashes.insert(try loadPolicy(path: other.path, digest: sha256).policy.hash)
        }
        #expect(hashes.count == 3)
    }

    @Test("G08: a mounted ConfigMap is read through its links, before and after it is swapped")
    func configMap() throws {
        try folder.write("..one/p.yaml", policy("one"))
        try folder.write("..two/p.yaml", policy("two"))
        try folder.link("..data", to: "..one")
        try folder.link("p.yaml", to: "..data/p.yaml")
        #expect(try load().policy.name == "one")
        try folder.link("..new", to: "..two")
        #expect(unsafe rename("\(folder.path)/..new", "\(folder.path)/..data") == 0)
        #expect(try load().policy.name == "two")
    }

    @Test("G08: while a directory is swapped again and again, no policy is half of one and half of the other")
    func swapping() throws {
        for half in ["x", "y"] {
            try folder.write("..one/\(half).yaml", policy("one-\(half)"))
            try folder.write("..two/\(half).yaml", policy("two-\(half)"))
            try folder.link("\(half).yaml", to: "..data/\(half).yaml")
        }
        try folder.link("..data", to: "..one")
        let path = folder.path
        let swapper = Thread {
            for round in 0..<2000 where !Thread.current.isCancelled {
                usleep(500)
                try? FileManager.default.createSymbolicLink(
                    atPath: "\(path)/..new",
                    withDestinationPath: round.isMultiple(of: 2) ? "..two" : "..one"
                )
                _ = unsafe rename("\(path)/..new", "\(path)/..data")
            }
        }
        swapper.start()
        defer { swapper.cancel() }
        var loads = 0
        for _ in 0..<1000 {
            // Only the order of reading matters here: a digest of the machine's would take all the time.
            guard let loaded = try? loadPolicy(path: path, digest: { [UInt8($0.count & 255)] }) else { continue }
            loads += 1
            let beginnings = Set(loaded.policy.rules.map { $0.name.text.prefix(3) })
            #expect(beginnings.count == 1)
        }
        #expect(loads > 0)
    }

    @Test("what is wrong in any file is said of all files, each with its own place")
    func problemsOfAll() throws {
        try folder.write("a.yaml", "a: [\n")
        try folder.write("b.yaml", "b: yes: no\n")
        do throws(ConfigurationError) {
            _ = try load()
            Issue.record("it loaded")
        } catch {
            #expect(error.description.contains("\(folder.path)/a.yaml:"))
            #expect(error.description.contains("\(folder.path)/b.yaml:"))
        }
    }

    @Test("what cannot be read names the path, the cause and the remedy")
    func unreadable() throws {
        #expect(cause() == .noPolicyFile)
        do throws(ConfigurationError) {
            _ = try load("absent.yaml")
            Issue.record("it loaded")
        } catch {
            #expect(
                error.description == "\(folder.path)/absent.yaml: open: No such file or directory (2);"
                    + " check the path, and that the daemon's user may read it"
            )
        }
        try folder.write("with\\backslash.yaml", policy("a"))
        #expect(cause() == .strangeName)
    }

    @Test("a pipe or a directory in place of a file is refused, and nobody waits for it")
    func notRegular() throws {
        #expect(unsafe mkfifo("\(folder.path)/pipe.yaml", 0o600) == 0)
        #expect(cause("pipe.yaml") == .notRegular)
        #expect(cause() == .notRegular)
        let other = try Folder()
        try other.write("sub.yaml/p.yaml", policy("a"))
        #expect(throws: ConfigurationError.self) { try loadPolicy(path: other.path, digest: sha256) }
    }

    @Test("every limit holds what it allows and refuses one more", arguments: [0, 1])
    func limits(over: Int) throws {
        let text = policy("a")
        try folder.write("a.yaml", text)
        try folder.write("b.yaml", policy("b"))
        let size = text.utf8.count
        var limits = PolicyFileLimits()
        limits.fileBytes = size - over
        #expect(cause(limits: limits) == (over == 0 ? nil : .tooLarge(limit: size - 1)))
        #expect(cause("a.yaml", limits: limits) == (over == 0 ? nil : .tooLarge(limit: size - 1)))
        limits = PolicyFileLimits()
        limits.files = 2 - over
        #expect(cause(limits: limits) == (over == 0 ? nil : .tooManyFiles(limit: 1)))
        limits = PolicyFileLimits()
        limits.names = 2 - over
        #expect(cause(limits: limits) == (over == 0 ? nil : .tooManyFiles(limit: 1)))
        limits = PolicyFileLimits()
        limits.bytes = 2 * size - over
        #expect((cause(limits: limits) == nil) == (over == 0))
    }

    @Test("the configuration file is read from its path; one that cannot be read, or is a pipe, says so")
    func configurationFile() throws {
        try folder.write("penstock.yaml", "workers: 3\n")
        #expect(try DaemonConfiguration.load(path: "\(folder.path)/penstock.yaml").workers == 3)
        #expect(throws: ConfigurationError.self) { try DaemonConfiguration.load(path: "\(folder.path)/absent.yaml") }
        #expect(throws: ConfigurationError.self) { try DaemonConfiguration.load(path: folder.path) }
    }
}
