import NetworkTypes
import SourceDocuments
import Testing
import TrafficCapture

@Suite("Flags and configuration file")
struct CaptureArgumentsTests {
    private func settings(_ arguments: [String]) throws -> CaptureSettings {
        var settings = CaptureSettings()
        try CaptureArguments(["install"] + arguments).apply(to: &settings)
        return settings
    }

    @Test("every flag reaches its setting, in both spellings")
    func everyFlag() throws {
        let settings = try settings([
            "--proxy-port", "1", "--explicit-port=2", "--dns-port", "3", "--api-port", "4", "--health-port", "5",
            "--proxy-uid", "6", "--proxy-gid=7", "--inbound-port", "8", "--inbound-port=9", "--dns-server", "10.0.0.10",
            "--dns-server", "fd00::53", "--bypass-cidr", "10.0.0.0/8:11", "--exempt", "12:13", "--allow-metadata",
            "--table", "gate", "--mark", "0x100", "--cgroup", "/a.slice/b.service", "--cgroup=c/d", "--shared-parent",
            "--mode", "tproxy", "--tproxy-mark", "0x100/0xff00", "--tproxy-priority", "14", "--tproxy-table=15",
        ])
        #expect(settings.cgroups == ["a.slice/b.service", "c/d"] && settings.allowsSharedParents)
        #expect(settings.ports.all == [1, 2, 3, 4, 5])
        #expect(settings.daemon == Owner(user: 6, group: 7))
        #expect(settings.inboundPorts == [8, 9])
        #expect(settings.resolvers?.map(\.description) == ["10.0.0.10", "fd00::53"])
        #expect(settings.bypasses.map(\.description) == ["10.0.0.0/8:11"])
        #expect(settings.exemptions == [Owner(user: 12, group: 13)])
        #expect(settings.allowsMetadata && settings.table == "gate" && settings.markBase == 256)
        #expect(settings.mechanism == .tproxy && settings.routing.mark.description == "0x100/0xff00")
        #expect(settings.routing.priority == 14 && settings.routing.table == 15)
    }

    @Test(
        "a wrong command line names what is wrong",
        arguments: [
            ([], "no command: say install, hold, watch, verify, print or remove"),
            (["instal"], "unknown command 'instal'; did you mean 'install'?"),
            (["install", "verify"], "unknown command 'verify'; see penstock-init --help"),
            (["install", "--proxy-prot", "1"], "unknown flag '--proxy-prot'; did you mean '--proxy-port'?"),
            (["install", "-x"], "unknown flag '-x'; see penstock-init --help"),
            (["install", "--proxy-port"], "--proxy-port needs a value: a port from 1 to 65535"),
            (["install", "--watch"], "--watch goes with verify"),
            (["verify", "--admin-socket", "/a"], "--admin-socket goes with watch and verify --watch"),
            (["verify", "--watch-seconds=5"], "--watch-seconds goes with watch and verify --watch"),
            (["install", "--allow-metadata=no"], "--allow-metadata takes no value"),
            (["install", "--table", "a", "--table", "b"], "--table is given twice"),
        ]
    ) func wrong(arguments: [String], message: String) {
        let problem = #expect(throws: CaptureArguments.Problem.self) { try CaptureArguments(arguments) }
        #expect(problem?.description == message)
    }

    @Test(
        "a value that is not what it should be is refused with its flag",
        arguments: [
            ("--proxy-port", "65536"), ("--proxy-port", "+1"), ("--inbound-port", "http"), ("--proxy-uid", "-1"),
            ("--proxy-gid", "4294967296"), ("--dns-server", "dns.example"), ("--dns-server", "fe80::1%eth0"),
            ("--dns-server", "010.0.0.1"), ("--bypass-cidr", "10.0.0.1/8:1"), ("--exempt", "1"), ("--exempt", "1:2:3"),
            ("--cgroup", ""), ("--cgroup", "/"), ("--cgroup", "a//b"), ("--cgroup", "a/../b"), ("--cgroup", "a/"),
            ("--cgroup", "a b"), ("--cgroup", "a\"b"), ("--exempt", ":"), ("--mark", "0x"), ("--mark", "0x+1"),
            ("--mark", "0x100000000"),
            ("--mode", "nat"), ("--tproxy-mark", "0x100"), ("--tproxy-mark", "0/0xff"), ("--tproxy-mark", "0x1ff/0xff"),
            ("--tproxy-mark", "1/1/1"), ("--tproxy-priority", "-1"), ("--tproxy-table", "main"),
        ]
    ) func badValue(flag: String, value: String) throws {
        let problem = #expect(throws: CaptureArguments.Problem.self) { try settings([flag, value]) }
        #expect(problem?.description.hasPrefix("\(flag) '\(value)': expected ") == true)
    }

    @Test(
        "a flag of TPROXY without its mode is refused by name, but where something is removed",
        arguments: [("--tproxy-mark", "0x100/0xff00"), ("--tproxy-priority", "14"), ("--tproxy-table", "15")]
    ) func needsMode(flag: String, value: String) throws {
        for mode in [[], ["--mode", "redirect"]] {
            let problem = #expect(throws: CaptureArguments.Problem.self) { try settings(mode + [flag, value]) }
            #expect(problem?.description == "\(flag) means nothing without --mode tproxy: give both, or neither")
        }
        var routed = CaptureSettings()
        routed.mechanism = .tproxy
        try CaptureArguments(["verify", flag, value]).apply(to: &routed)
        var plain = CaptureSettings()
        try CaptureArguments(["remove", flag, value]).apply(to: &plain)
        #expect(plain.routing == routed.routing && plain.routing != CaptureSettings().routing)
    }

    @Test("keys of TPROXY without its mode are errors of the file with their places, unless the command line says it")
    func needsModeInFile() throws {
        let yaml = "table: a\ntproxy_mark: 0x100/0xff00\ntproxy_priority: 14\ntproxy_table: 15"
        let found = #expect(throws: SourceProblems.self) { try read(yaml) }
        let places = found?.problems.map(\.location.description) ?? []
        #expect(places == ["init.yaml:2:1", "init.yaml:3:1", "init.yaml:4:1"])
        let first = found?.problems.first?.description ?? ""
        #expect(first == "init.yaml:2:1: `tproxy_mark` means nothing without `mode: tproxy`; write both, or neither")
        #expect(try read(yaml + "\nmode: tproxy").routing.table == 15)
        let settings = try CaptureSettings(yaml: Array(yaml.utf8), file: "init.yaml", mode: .tproxy)
        #expect(settings.routing.priority == 14)
    }

    @Test("keys of TPROXY in a file that is right by itself are errors with their places beside --mode redirect")
    func overruledMode() throws {
        let yaml = "mode: tproxy\ntproxy_mark: 0x100/0xff00\ntproxy_priority: 14\ntproxy_table: 15"
        let found = #expect(throws: SourceProblems.self) {
            try CaptureSettings(yaml: Array(yaml.utf8), file: "init.yaml", mode: .redirect)
        }
        let said = found?.problems.map(\.description) ?? []
        #expect(said.map { $0.prefix(14) } == ["init.yaml:2:1:", "init.yaml:3:1:", "init.yaml:4:1:"])
        let first =
            "init.yaml:2:1: `tproxy_mark` means nothing with `--mode redirect` on the command line; leave out the one or the other"
        #expect(said.first == first)
        let plain = try CaptureSettings(yaml: Array("mode: tproxy".utf8), file: "init.yaml", mode: .redirect)
        #expect(plain.mechanism == .tproxy)
    }

    @Test("a file without a document sets nothing", arguments: ["", "# comment\n", "\n\n"])
    func empty(yaml: String) throws {
        #expect(try read(yaml) == CaptureSettings())
    }

    @Test("the version is said wherever it is asked for")
    func version() throws {
        for arguments in [["--version"], ["verify", "--version"]] {
            #expect(try CaptureArguments(arguments).command == .version)
        }
    }

    @Test("help is given wherever it is asked for")
    func help() throws {
        for arguments in [["--help"], ["install", "--help"], ["-h"], ["help"]] {
            #expect(try CaptureArguments(arguments).command == .help)
        }
    }

    private func read(_ yaml: String) throws -> CaptureSettings {
        try CaptureSettings(yaml: Array(yaml.utf8), file: "init.yaml")
    }

    @Test("the file says what the flags say, and a flag stands above the file")
    func file() throws {
        var settings = try read(
            """
            proxy_port: 25880
            proxy_uid: 77
            inbound_ports: [8080, 9090]
            dns_servers: [10.96.0.10, "fd00::53"]
            bypass_cidrs: ["10.0.0.0/8:5432"]
            exempt: ["1337:1338"]
            allow_metadata: true
            table: gate
            mark: "0x7000"
            cgroups: [penstock.slice/penstock-agents.slice]
            shared_parent: true
            """
        )
        #expect(settings.cgroups == ["penstock.slice/penstock-agents.slice"] && settings.allowsSharedParents)
        #expect(settings.ports.proxy == 25880 && settings.daemon.user == 77 && settings.markBase == 0x7000)
        #expect(settings.resolvers?.count == 2 && settings.bypasses.count == 1 && settings.exemptions.count == 1)
        #expect(settings.allowsMetadata && settings.table == "gate" && settings.inboundPorts == [8080, 9090])
        try CaptureArguments(["install", "--inbound-port", "1", "--proxy-port", "2"]).apply(to: &settings)
        #expect(settings.inboundPorts == [1] && settings.ports.proxy == 2 && settings.daemon.user == 77)
    }

    @Test("an empty list of resolvers means none, not the system's")
    func noResolvers() throws {
        #expect(try read("dns_servers: []").resolvers == [])
        #expect(try read("table: a").resolvers == nil)
    }

    @Test(
        "what is wrong in the file is said with its place",
        arguments: [
            ("proxy_prot: 1", "init.yaml:1:1"), ("table: a\nproxy_port: http", "init.yaml:2:13"),
            ("inbound_ports: [80, 65536]", "init.yaml:1:21"), ("dns_servers: 10.0.0.1", "init.yaml:1:14"),
            ("table: a\ntable: b", "init.yaml:2:1"), ("allow_metadata: \"true\"", "init.yaml:1:17"),
            ("config: other.yaml", "init.yaml:1:1"), ("bypass_cidrs:\n  - 10.0.0.1/8:1", "init.yaml:2:5"),
        ]
    ) func wrongFile(yaml: String, place: String) {
        let problems = #expect(throws: SourceProblems.self) { try read(yaml) }
        #expect(problems?.problems.first?.location.description == place, "\(problems?.description ?? "")")
    }

    @Test("an unknown key that is near none is told which keys there are")
    func unknownKey() throws {
        let problems = #expect(throws: SourceProblems.self) { try read("zzz: 1\nproxy_prot: 1") }
        let lines = problems?.problems.map(\.description) ?? []
        let first = "init.yaml:1:1: unknown key `zzz`; the keys are mode, cgroups, "
        #expect(lines.first?.hasPrefix(first) == true, "\(lines)")
        #expect(lines.last == "init.yaml:2:1: unknown key `proxy_prot`; did you mean `proxy_port`?")
    }

    @Test("watching has its own socket and its own seconds, and defaults for both")
    func watching() throws {
        #expect(try CaptureArguments(["verify"]).watch == nil)
        let plain = try #require(try CaptureArguments(["verify", "--watch"]).watch)
        #expect(plain.socket == "/run/penstock/admin.sock" && plain.seconds == 10)
        let given = ["verify", "--watch", "--watch-seconds", "3", "--admin-socket=/a/b"]
        let other = try #require(try CaptureArguments(given).watch)
        #expect(other.socket == "/a/b" && other.seconds == 3)
        let keeper = try #require(try CaptureArguments(["watch", "--watch-seconds", "3"]).watch)
        #expect(keeper.socket == "/run/penstock/admin.sock" && keeper.seconds == 3)
        var settings = CaptureSettings()
        for wrong in [["--watch-seconds", "0"], ["--watch-seconds", "3601"], ["--admin-socket", "a"]] {
            let arguments = try CaptureArguments(["verify", "--watch"] + wrong)
            let isTaken = (try? arguments.apply(to: &settings)) != nil
            #expect(!isTaken, "\(wrong)")
        }
    }
}
