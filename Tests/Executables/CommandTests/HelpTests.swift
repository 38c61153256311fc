import Testing

@Suite("penstock help, version, and command lines that ask for nothing")
struct HelpTests {
    @Test(
        "help is printed by `help` and by `--help`, everywhere, and is the same",
        arguments: [
            (["help"], ["--help"], "policy explain POLICY"),
            (["help", "policy"], ["policy", "--help"], "policy check"),
            (["help", "policy", "check"], ["policy", "check", "x.yaml", "--help"], "--strict"),
            (["help", "policy", "explain"], ["policy", "explain", "-h"], "--addr"),
            (["help", "policy", "test"], ["policy", "test", "--help"], "CASES"),
            (["help", "policy", "diff"], ["policy", "diff", "a", "-h"], "--audit"),
            (["help", "policy", "learn"], ["policy", "learn", "--help"], "--wildcard"),
            (["help", "audit"], ["audit", "--help"], "audit verify"),
            (["help", "audit", "verify"], ["audit", "verify", "--help"], "--head HASH"),
            (["help", "audit", "tail"], ["audit", "tail", "-f", "-h"], "--since TIME"),
            (["help", "audit", "show"], ["audit", "show", "--help"], "--json"),
            (["help", "audit", "stats"], ["audit", "stats", "--help"], "--top"),
            (["help", "audit", "keys"], ["audit", "keys", "--help"], "--json"),
            (["help", "inject"], ["inject", "-f", "x", "-h"], "--uninject"),
            (["help", "ca"], ["ca", "--help"], "ca rotate DIR"),
            (["help", "ca", "create"], ["ca", "create", "--help"], "--permit DOMAIN"),
            (["help", "ca", "show"], ["ca", "show", "x", "-h"], "--json"),
            (["help", "ca", "bundle"], ["ca", "bundle", "--help"], "--roots FILE"),
            (["help", "ca", "rotate"], ["ca", "rotate", "-h"], "--overlap N"),
            (["help", "ca", "env"], ["ca", "env", "--help"], "JAVA_TOOL_OPTIONS"),
            (["help", "version"], ["version", "--help"], "prints the version"),
            (["help", "help"], ["help", "help", "--help"], "[COMMAND]"),
        ]
    )
    func helpIsEverywhere(one: [String], other: [String], said: String) throws {
        let first = try run(one)
        #expect(first.status == 0)
        #expect(first.output.contains(said), "\(first)")
        #expect(try run(other).output == first.output)
        #expect(first.lines.allSatisfy { $0.count <= 120 })
    }

    @Test("the help of a command names every option and every exit code that it has")
    func helpIsComplete() throws {
        let check = try penstock("help", "policy", "check").output
        for word in ["--strict", "--json", "--help", "0 ", "1 ", "64", "66"] { #expect(check.contains(word)) }
        let explain = try penstock("help", "policy", "explain").output
        let options = [
            "--host", "--port", "--sni", "--addr", "--uid", "--protocol", "--method", "--path", "--header", "--help",
        ]
        for word in options + ["0 ", "1 ", "64", "66"] { #expect(explain.contains(word)) }
        let test = try penstock("help", "policy", "test").output
        for word in ["--strict", "--json", "--help", "0 ", "1 ", "64", "65", "66"] { #expect(test.contains(word)) }
        let diff = try penstock("help", "policy", "diff").output
        let differences = ["--audit", "--top", "--json", "--progress", "--help", "0 ", "1 ", "64", "65", "66"]
        for word in differences { #expect(diff.contains(word)) }
        let learn = try penstock("help", "policy", "learn").output
        let learning = ["--name", "--wildcard", "--paths", "--denied", "--progress", "--help", "0 ", "1 ", "64", "66"]
        for word in learning { #expect(learn.contains(word)) }
        let verify = try penstock("help", "audit", "verify").output
        let checks = [
            "--head", "--tail", "--checkpoint", "--key", "--json", "--progress", "--help", "0 ", "1 ", "64", "66",
        ]
        for word in checks { #expect(verify.contains(word)) }
        let tail = try penstock("help", "audit", "tail").output
        for word in ["-f", "--deny", "--host", "--since", "-n", "--table", "--json", "0 ", "64", "66"] {
            #expect(tail.contains(word))
        }
    }

    @Test("both ways of asking print the version")
    func version() throws {
        let said = try penstock("version")
        #expect(said.status == 0)
        #expect(said.output.wholeMatch(of: /penstock \d+\.\d+\.\d+\n/) != nil, "\(said)")
        #expect(try penstock("--version").output == said.output)
    }

    private static let commands = "write one of audit, ca, doctor, help, inject, policy, version"

    @Test(
        "a command line that asks for nothing ends with 64, says why, and where to read on",
        arguments: [
            ([], "a command is needed; see penstock help"),
            (["polcy"], "unknown command 'polcy'; did you mean 'policy'?; see penstock help"),
            (["frobnicate"], "unknown command 'frobnicate'; \(Self.commands); see penstock help"),
            (["policy"], "'penstock policy' needs a command; see penstock help policy"),
            (
                ["policy", "chekc"],
                "unknown command 'policy chekc'; did you mean 'policy check'?; see penstock help policy"
            ),
            (["help", "polcy"], "unknown command 'polcy'; did you mean 'policy'?; see penstock help"),
            (["version", "now"], "one word too many: 'now'; see penstock help version"),
            (["policy", "check"], "a policy file or directory is needed; see penstock help policy check"),
            (
                ["policy", "check", "--jsno", "p"],
                "unknown option '--jsno'; did you mean '--json'?; see penstock help policy check"
            ),
            (["policy", "check", "--json=1", "p"], "--json takes no value; see penstock help policy check"),
            (
                ["policy", "explain", "--host", "--port", "1"],
                "--host needs a value; see penstock help policy explain"
            ),
            (["policy", "explain", "p", "--port", "1"], "--host HOST is required; see penstock help policy explain"),
            (["policy", "explain", "p", "--host", "h"], "--port PORT is required; see penstock help policy explain"),
            (
                ["policy", "explain", "p", "--host", "h", "--port", "65536"],
                "--port '65536' is no port; write 1 to 65535; see penstock help policy explain"
            ),
            (
                ["policy", "explain", "p", "--host", "h", "--host", "h"],
                "--host is given twice; see penstock help policy explain"
            ),
            (["\u{1b}[31m"], "unknown command '\u{fffd}[31m'; \(Self.commands); see penstock help"),
        ]
    )
    func misuse(words: [String], complaint: String) throws {
        let said = try run(words)
        #expect(said.status == 64)
        #expect(said.output.isEmpty)
        #expect(said.errors == "penstock: \(complaint)\n")
    }
}
