import Foundation
import Testing

@Suite("What penstock-init writes")
struct RulesetReportTests {
    /// Runs it in a shell with its standard output led elsewhere; it needs no network namespace of its own.
    private func run(_ arguments: String, _ redirection: String) throws -> CommandResult {
        let line = "'\(Built.path("penstock-init"))' \(arguments) \(redirection)"
        return try BackgroundProcess(["sh", "-c", line]).wait()
    }

    @Test(
        "print, help and version end with 74 where standard output takes nothing",
        arguments: ["print --dns-server 1.1.1.1", "print", "--help", "--version"],
        [">/dev/full", ">&-"]
    )
    func nowhere(arguments: String, redirection: String) throws {
        let result = try run(arguments, redirection)
        #expect(result.status == 74 && result.output.isEmpty, "\(result)")
        #expect(result.errors.hasPrefix("penstock-init: standard output: write: "), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    }

    @Test(
        "install without a standard output warns once, and what it did is its status",
        arguments: [">/dev/full", ">&-"]
    )
    func unheard(redirection: String) throws {
        try RulesetBed.with(install: false) { bed in
            let program = "'\(Built.path("penstock-init"))' install --dns-server 203.0.113.53"
            let flags = bed.mode.flags.joined(separator: " ")
            let result = try bed.net.pod.run(["sh", "-c", "\(program) \(flags) \(redirection)"])
            #expect(result.succeeded, "\(result)")
            #expect(result.errors.hasPrefix("penstock-init: warning: standard output: write: "), "\(result)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
            #expect(try bed.program(["verify"]).succeeded)
        }
    }

    @Test("each thing that is wrong with the file is a line of its own, and what steers a terminal is shown as none")
    func lines() throws {
        let path = FileManager.default.temporaryDirectory.path + "/penstock-init-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let yaml = "proxy_prot: 1\ninbound_port: 3\n\"proxy\\n\\epord\": 2\n"
        try yaml.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try run("print --config \(path)", "")
        #expect(result.status == 65, "\(result)")
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix("penstock-init: \(path):") }, "\(result)")
        #expect(lines.first == "penstock-init: \(path):1:1: unknown key `proxy_prot`; did you mean `proxy_port`?")
        #expect(lines.last?.contains(":3:1: unknown key `proxy\u{fffd}\u{fffd}pord`") == true, "\(result)")
        let word = try run("\"$(printf 'a\\nb')\"", "")
        #expect(word.errors == "penstock-init: unknown command 'a\u{fffd}b'; see penstock-init --help\n")
    }

    @Test("a value of the file that makes no plan ends with 65 at its place, the same on the command line with 64")
    func placed() throws {
        let path = FileManager.default.temporaryDirectory.path + "/penstock-init-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (yaml, place) in [("table: a\nmark: 5", "2:7"), ("cgroups: [a/b]\ngateway: [br0]", "2:11")] {
            try yaml.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try run("print --config \(path)", "")
            #expect(result.status == 65 && result.errors.hasPrefix("penstock-init: \(path):\(place): `"), "\(result)")
        }
        let flag = try run("print --mark 5", "")
        #expect(flag.status == 64 && flag.errors.hasPrefix("penstock-init: --mark: "), "\(flag)")
    }

    @Test("the help names what ends with 74 and with 77")
    func statuses() throws {
        let words = try run("--help", "").output.replacing(/\s+/, with: " ")
        #expect(words.contains("74 print, --help, --version: standard output took not all of it"))
        #expect(words.contains("as root also CAP_SETUID or CAP_SETGID"))
    }

    @Test("the help says how often a flag may be given")
    func limits() throws {
        let words = try run("--help", "").output.replacing(/\s+/, with: " ")
        for text in ["repeatable, 64 at most, none by default", "repeatable, 16 at most; default: the name servers"] {
            #expect(words.contains(text))
        }
        #expect(words.matches(of: /repeatable, (16|64) at most/).count == 6)
    }
}
