import Foundation
import Testing

@Suite("The daemon's command line and configuration")
struct DaemonCommandLineTests {
    private static func run(_ arguments: [String], in folder: DaemonFolder? = nil) throws -> CommandResult {
        let words = arguments.map { $0.replacingOccurrences(of: "FOLDER", with: folder?.path ?? "") }
        return try BackgroundProcess([Built.path("penstockd")] + words).wait()
    }

    @Test(
        "a command line that asks for nothing ends with 64 and says what is missing",
        arguments: [
            ([], "--config FILE is required"), (["--config"], "--config needs a file"),
            (["--cofig", "x"], "unknown argument '--cofig'"), (["--config="], "--config FILE is required"),
            (["--config", "/nowhere", "stray"], "unknown argument 'stray'"), (["-x"], "unknown argument '-x'"),
            (["--check-config"], "--config FILE is required"), (["--version", "x"], "--version stands alone"),
            (["--config", "/a", "--config=/b"], "--config is given twice"),
            (["--run-as=1:1", "--run-as", "1:1"], "--run-as is given twice"),
            (["--workload-pod", "a", "--workload-pod=b"], "--workload-pod is given twice"),
            (["--check-config=no", "--config", "/a"], "unknown argument '--check-config=no'"),
        ]
    )
    func misuse(arguments: [String], says: String) throws {
        let result = try Self.run(arguments)
        #expect(result.status == 64 && result.output.isEmpty, "\(result)")
        #expect(result.errors == "penstockd: \(says); see penstockd --help\n", "\(result)")
    }

    @Test("--help and --version say what they should and end with 0")
    func help() throws {
        let help = try Self.run(["--help"])
        #expect(help.status == 0 && help.errors.isEmpty)
        for word in ["--config", "--check-config", "SIGHUP", "exit codes", "64", "69", "70", "73", "74", "77", "78"] {
            #expect(help.output.contains(word), "\(word)")
        }
        #expect(try Self.run(["--version"]).output.wholeMatch(of: /penstockd \d+\.\d+\.\d+\n/) != nil)
    }

    @Test(
        "--help, --version and --check-config end with 74 where standard output takes nothing",
        arguments: ["--help", "--version", "--check-config --config 'FOLDER/penstock.yaml'"],
        [">/dev/full", ">&-"]
    )
    func nowhere(arguments: String, redirection: String) throws {
        let folder = try DaemonFolder()
        let words = arguments.replacingOccurrences(of: "FOLDER", with: folder.path)
        let line = "'\(Built.path("penstockd"))' \(words) \(redirection)"
        let result = try BackgroundProcess(["sh", "-c", line]).wait()
        #expect(result.status == 74 && result.output.isEmpty, "\(result)")
        let says = "penstockd: cannot write to standard output: write: "
        #expect(result.errors.split(separator: "\n").last?.hasPrefix(says) == true, "\(result)")
    }

    @Test(
        "audit records for a standard output that is closed, or open for reading alone, end with 73, and not in a crash",
        arguments: [">&-", "1</dev/null", "1<>/dev/null"]
    )
    func auditNowhere(redirection: String) throws {
        var settings = DaemonSettings()
        settings.auditPath = "-"
        try DaemonBed.with(settings, start: false) { bed in
            let wrapper = ["sh", "-c", "exec \"$@\" \(redirection)", "sh"]
            // What may be written to takes records, wherever they go.
            let isWritable = redirection.contains("<>")
            try bed.start(wrapper: wrapper, untilReady: isWritable)
            if isWritable {
                #expect(bed.end() == 0, "\(bed.said)")
            } else {
                #expect(bed.daemon?.wait().status == 73, "\(bed.said)")
                let says = "penstockd: audit.path: -: standard output is closed, or not open for writing: "
                #expect(bed.said.split(separator: "\n").last?.hasPrefix(says) == true, "\(bed.said)")
            }
        }
    }

    @Test("G06: on standard output, too, a key that is put there takes over within seconds")
    func keyOnStandardOutput() throws {
        var settings = DaemonSettings()
        settings.auditPath = "-"
        try DaemonBed.with(settings) { bed in
            let state = bed.folder.auditFolder
            try bed.net.pod.shell(
                "cd \(state); openssl genpkey -algorithm ed25519 -out key; chmod 600 key; chown 10880:10880 key; mv key audit.key.new"
            )
            let takesOver = BackgroundProcess.poll(seconds: 30) {
                let keys = (bed.daemon?.output ?? "").split(separator: "\n").count { $0.contains(#""kind":"key""#) }
                return keys == 2 && !FileManager.default.fileExists(atPath: state + "/audit.key.new")
            }
            #expect(takesOver, "\(bed.said)")
            #expect(bed.end() == 0, "\(bed.said)")
        }
    }

    /// A configuration that is wrong, and what is said of it.
    struct Wrong: CustomTestStringConvertible {
        var text: String
        var says: [String]
        var testDescription: String { text }
    }

    @Test(
        "a configuration that is wrong ends with 78; file, line, column and a suggestion are named",
        arguments: [
            Wrong(text: "wrokers: 2\n", says: ["penstock.yaml:1:1: unknown key `wrokers`; did you mean `workers`?"]),
            Wrong(text: "audit:\n  paht: /x\n", says: ["penstock.yaml:2:3: unknown key `paht`; did you mean `path`?"]),
            Wrong(text: "workers: many\n", says: ["penstock.yaml:1:10: "]),
            Wrong(text: "workers: 0\nlimits: { undecided: -1 }\n", says: ["yaml:1:10: ", "yaml:2:22: "]),
            Wrong(text: "workers: 1\nworkers: 2\n", says: ["penstock.yaml:2:1: "]),
            Wrong(text: "audit: { path: relative }\n", says: ["penstock.yaml:1:16: "]),
            Wrong(
                text: "listen: { transparent: { tproxy: often }, explicit: { tproxy: true } }\n",
                says: ["yaml:1:34: `tproxy` is a string, expected true or false", "yaml:1:55: unknown key `tproxy`"]
            ),
            Wrong(
                text: "listen: { transparent: { port: 15890 } }\n",
                says: ["`listen.health` has port 15890, which `listen.transparent` has"]
            ),
            Wrong(text: "dial: { resolvers: [dns.example] }\n", says: ["penstock.yaml:1:21: "]),
            Wrong(text: "a: [1\n", says: ["penstock.yaml:"]), Wrong(text: "\u{0}\u{1}", says: ["penstock.yaml:"]),
            Wrong(text: "- 1\n", says: ["penstock.yaml:1:1: "]),
        ],
        [false, true]
    )
    func wrong(configuration: Wrong, isCheck: Bool) throws {
        let folder = try DaemonFolder()
        try folder.write(configuration.text, to: folder.configuration)
        let result = try Self.run(
            ["--config", "FOLDER/penstock.yaml"] + (isCheck ? ["--check-config"] : []),
            in: folder
        )
        #expect(result.status == 78 && result.output.isEmpty, "\(result)")
        for part in configuration.says { #expect(result.errors.contains(part), "\(result)") }
        #expect(result.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("penstockd: ") }, "\(result)")
    }

    @Test(
        "a configuration that cannot be read ends with 78 and says which and why",
        arguments: [
            ("FOLDER/nothing.yaml", "No such file"), ("FOLDER", "this is a directory; name a file"),
            ("/dev/null/x", "Not a directory"), ("/dev/zero", "neither a file"),
        ]
    )
    func unreadable(path: String, says: String) throws {
        let result = try Self.run(["--config=\(path)"], in: DaemonFolder())
        #expect(result.status == 78 && result.errors.split(separator: "\n").count == 1, "\(result)")
        #expect(result.errors.contains(says), "\(result)")
    }

    @Test("--check-config says ok and the policy's hash, opens no port and no file")
    func check() throws {
        let folder = try DaemonFolder()
        let result = try Self.run(["--check-config", "--config", "FOLDER/penstock.yaml"], in: folder)
        let sum = try NetworkNamespace.must(["sha256sum", folder.policy]).prefix(64)
        #expect(result.status == 0, "\(result)")
        #expect(result.output == "\(folder.configuration): ok; policy 'robust' sha256:\(sum)\n", "\(result)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.auditFolder).isEmpty)
    }

    @Test(
        "what is no plain address of one server in /etc/resolv.conf is warned of, and not asked",
        arguments: [
            ("192.0.2.1\nnameserver 0.0.0.0\nnameserver fe80::1%eth0", 0, "lines 2, 3 are"),
            ("192.0.2.1\nnameserver ::ffff:10.0.0.1", 0, "line 2 is"),
            ("0.0.0.0", 78, "line 1 is"),
        ]
    )
    func systemResolvers(servers: String, status: Int32, lines: String) throws {
        let folder = try DaemonFolder()
        let text = try String(contentsOfFile: folder.configuration, encoding: .utf8)
        try folder.write(text.replacing("resolvers: [203.0.113.53], ", with: ""), to: folder.configuration)
        try folder.write("nameserver \(servers)\n", to: folder.path + "/resolv.conf")
        let program = "'\(Built.path("penstockd"))' --check-config --config '\(folder.configuration)'"
        let line = "mount --bind '\(folder.path)/resolv.conf' /etc/resolv.conf && exec \(program)"
        let result = try BackgroundProcess(["unshare", "--mount", "sh", "-c", line]).wait()
        #expect(result.status == status, "\(result)")
        let warning =
            "penstockd: warning: /etc/resolv.conf: the name server of \(lines) not used, being no plain address of one server; "
        #expect(result.errors.hasPrefix(warning), "\(result)")
        let isRefused = result.errors.contains("/etc/resolv.conf names no server that can be used")
        #expect(isRefused == (status == 78), "\(result)")
    }

    @Test("--check-config ends with 78 where the policy is wrong or missing, and says where")
    func checkPolicy() throws {
        let folder = try DaemonFolder(DaemonSettings(policy: DaemonPolicy.text("  - name: a\n    actoin: deny")))
        let wrong = try Self.run(["--check-config", "--config", "FOLDER/penstock.yaml"], in: folder)
        #expect(wrong.status == 78 && wrong.errors.contains("policy.yaml:7:5: unknown key `actoin`"), "\(wrong)")
        try FileManager.default.removeItem(atPath: folder.policy)
        let missing = try Self.run(["--check-config", "--config", "FOLDER/penstock.yaml"], in: folder)
        #expect(missing.status == 78 && missing.errors.contains("policy.yaml: "), "\(missing)")
    }

    @Test(
        "--check-config ends with 78 where agents cannot be given what they are to trust, as the start does",
        arguments: [("nowhere/trust", "the folder above it is not there"), ("held", "held holds ca.key")]
    )
    func checkPublished(place: String, says: String) throws {
        let folder = try DaemonFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/held", withIntermediateDirectories: true)
        try folder.write("", to: folder.path + "/held/ca.key")
        let text = try String(contentsOfFile: folder.configuration, encoding: .utf8)
        let publish = { (place: String) in
            let interception = "interception: { authority: ephemeral, publish: \(folder.path)/\(place) }"
            try folder.write("\(text)\n\(interception)\n", to: folder.configuration)
        }
        try publish("trust")
        let words = [Built.path("penstockd"), "--config", folder.configuration]
        let namespace = try NetworkNamespace("check")
        #expect(try namespace.run(words + ["--check-config"], uid: 10880).status == 0)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/trust"))
        try publish(place)
        for command in [words + ["--check-config"], words] {
            let result = try namespace.run(command, uid: 10880)
            #expect(result.status == 78 && result.output.isEmpty, "\(result)")
            #expect(result.errors.contains("interception.publish: ") && result.errors.contains(says), "\(result)")
        }
    }

    @Test("what is wrong with a client certificate is said of the file that it is wrong with")
    func checkClientCertificate() throws {
        let folder = try DaemonFolder()
        let files = try InterceptionFiles(isEphemeral: true)
        let text = try String(contentsOfFile: folder.configuration, encoding: .utf8)
        let (certificate, key) = (files.path("sound.pem"), files.path("sound.key"))
        let cases = [
            ("/none.pem", key, "/none.pem: open: No such file"),
            (certificate, "/none.key", "/none.key: open: No such file"),
            (key, key, "sound.key: no certificate in PEM"),
            (certificate, certificate, "sound.pem: no private key in PEM"),
        ]
        for (certificate, key, says) in cases {
            let shown = "{ hosts: [a.test], certificate: \(certificate), key: \(key) }"
            let more = "authority: ephemeral, publish: \(files.published), client_certificates: [\(shown)]"
            try folder.write("\(text)\ninterception: { \(more) }\n", to: folder.configuration)
            let result = try Self.run(["--check-config", "--config", "FOLDER/penstock.yaml"], in: folder)
            #expect(result.status == 78 && result.errors.contains(says), "\(result)")
            #expect(result.errors.contains("interception.client_certificates: "), "\(result)")
        }
    }

    @Test("a start that fails when the audit trail is open ends with its status, however often it is tried")
    func failsLate() throws {
        let folder = try DaemonFolder()
        let text = try String(contentsOfFile: folder.configuration, encoding: .utf8)
        try folder.write(text + "\ninterception: { authority: /nonexistent }\n", to: folder.configuration)
        for _ in 0..<60 {
            let result = try Self.run(["--config", "FOLDER/penstock.yaml"], in: folder)
            #expect(result.status == 78 && result.errors.contains("/nonexistent"), "\(result)")
        }
    }

    @Test(
        "a hosts file that is wrong or missing ends with 78, and says where and why",
        arguments: [
            ("nonsense", "/hosts:2: `nonsense` is no address"), ("203.0.113.7", "/hosts:2: no name behind the address"),
            ("203.0.113.7 a_b", "/hosts:2: `a_b` is no host name"),
        ]
    )
    func hosts(line: String, says: String) throws {
        let folder = try DaemonFolder()
        try folder.write("203.0.113.7 good.test\n\(line)\n", to: folder.path + "/hosts")
        let wrong = try Self.run(["--config", "FOLDER/penstock.yaml"], in: folder)
        #expect(wrong.status == 78 && wrong.errors.contains(says), "\(wrong)")
        try FileManager.default.removeItem(atPath: folder.path + "/hosts")
        let missing = try Self.run(["--config", "FOLDER/penstock.yaml"], in: folder)
        #expect(missing.status == 78 && missing.errors.contains("dial.hosts_file"), "\(missing)")
    }

    @Test("an address that cannot be listened on ends with 69 and says which")
    func noSuchAddress() throws {
        let folder = try DaemonFolder(DaemonSettings(healthAddress: "203.0.113.99"))
        let namespace = try NetworkNamespace("listen")
        let result = try namespace.run([Built.path("penstockd"), "--config", folder.configuration], uid: 10880)
        #expect(result.status == 69, "\(result)")
        #expect(result.errors.contains("listen.health: cannot listen on 203.0.113.99:15890"), "\(result)")
        #expect(result.errors.contains("must have that address"), "\(result)")
        let low = try DaemonFolder(DaemonSettings(listen: ", api: { port: 80 }"))
        let forbidden = try namespace.run([Built.path("penstockd"), "--config", low.configuration], uid: 10880)
        #expect(forbidden.status == 69 && forbidden.errors.contains("such as one from 1024 on"), "\(forbidden)")
    }

    @Test("as root the daemon warns")
    func asRoot() throws {
        let folder = try DaemonFolder()
        try NetworkNamespace.must(["chown", "0:0", folder.auditFolder])
        let namespace = try NetworkNamespace("root")
        let daemon = try namespace.start([Built.path("penstockd"), "--config", folder.configuration])
        let warned = BackgroundProcess.poll(seconds: 60) { daemon.errors.contains("warning: running as root") }
        #expect(warned, "\(daemon.errors)")
    }
}
