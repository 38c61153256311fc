import Foundation
import Testing

private let agent = """
    apiVersion: v1
    kind: Pod
    metadata: {name: agent}
    spec:
      containers:
      - name: agent # mine
        image: agent:1
        securityContext: {runAsUser: 2000}

    """

@Suite("penstock inject")
struct InjectTests {
    @Test("the manifest goes to standard output, with the guard, and what was done to standard error")
    func standardOutput() throws {
        let folder = try Folder(["a.yaml": agent])
        let said = try penstock("inject", "-f", "\(folder.path)/a.yaml")
        #expect(said.status == 0)
        #expect(said.output.contains("  - name: penstockd\n") && said.output.contains("- name: agent # mine\n"))
        #expect(said.errors == "\(folder.path)/a.yaml: Pod agent: guarded\n")
        #expect(try folder.text("a.yaml") == agent)
    }

    @Test(
        "--output replaces a file, which keeps its permissions; in again changes nothing, --uninject gives the first bytes"
    )
    func files() throws {
        let folder = try Folder(["a.yaml": agent])
        let path = "\(folder.path)/a.yaml"
        try FileManager.default.setAttributes([.posixPermissions: 0o662], ofItemAtPath: path)
        #expect(try penstock("inject", "--file", path, "--output=\(path)").status == 0)
        let once = try folder.text("a.yaml")
        #expect(once != agent)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o662)
        #expect(try penstock("inject", "-f", path, "-o", path).status == 0)
        #expect(try folder.text("a.yaml") == once)
        #expect(try penstock("inject", "-f", path, "-o", path, "--uninject").status == 0)
        #expect(try folder.text("a.yaml") == agent)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.yaml"])
    }

    @Test("standard input is read for -")
    func standardInput() throws {
        // The tests give the program an empty standard input: there is no pod in it.
        let said = try penstock("inject", "-f", "-")
        #expect(said.status == 1)
        #expect(said.errors.contains("<stdin>:1:1: error: there is no pod in this manifest"))
    }

    /// Samples and what is made of them, which the tests of manifests use as well.
    private static let golden = URL(filePath: #filePath)
        .appending(path: "../../../Runtime/ManifestInjectionTests/Golden").standardized

    @Test(
        "with --intercept the agent trusts what the daemon publishes, as the golden file says; without it, it goes",
        arguments: ["pod.yaml", "cronjob.json"]
    )
    func intercept(name: String) throws {
        let dot = try #require(name.lastIndex(of: "."))
        let after = Self.golden.appending(path: name[..<dot] + ".trusting" + name[dot...])
        let words = ["--image", "penstock:0.1.0", "--inbound-port", "8080"]
        let path = Self.golden.appending(path: name).path
        let made = try run(["inject", "-f", path, "--intercept"] + words)
        #expect(made.output == (try String(contentsOf: after, encoding: .utf8)))
        let folder = try Folder(["made": made.output])
        let again = try run(["inject", "-f", "made", "--intercept", "--check"] + words, in: folder)
        #expect(again.status == 0, "\(again)")
        let without = try run(["inject", "-f", "made"] + words, in: folder)
        #expect(without.output == (try run(["inject", "-f", path] + words).output))
    }

    @Test("every option comes to the pod")
    func options() throws {
        let folder = try Folder(["a.yaml": agent.replacing("runAsUser: 2000", with: "")])
        let said = try penstock(
            "inject",
            "-f",
            "\(folder.path)/a.yaml",
            "--mode",
            "classic",
            "--image",
            "r.example/p@sha256:00",
            "--pull-policy",
            "Always",
            "--config",
            "c1",
            "--policy",
            "p1",
            "--inbound-port",
            "8080",
            "--inbound-port",
            "9",
            "--dns-server",
            "192.0.2.53",
            "--agent-user",
            "2000:2001",
            "--audit-claim",
            "trail",
            "--bypass-cidr",
            "10.0.0.0/8:5432",
            "--api-port",
            "9081",
            "--pull-secret",
            "registry",
            "--secret",
            "login",
            "--watch",
            "--request",
            "cpu=70m",
            "--limit",
            "memory=1Gi"
        )
        #expect(said.status == 0, "\(said)")
        let wanted = [
            "image: r.example/p@sha256:00", "imagePullPolicy: Always", "name: c1", "name: p1",
            "- --inbound-port=8080",
            "- --inbound-port=9", "- --dns-server=192.0.2.53", "claimName: trail", "cpu: 70m", "memory: 1Gi",
            "runAsUser: 2000", "runAsGroup: 2001", "- --bypass-cidr=10.0.0.0/8:5432", "- --api-port=9081",
            "imagePullSecrets:\n  - name: registry", "- name: penstock-watch", "- --watch",
            "secretName: login", "mountPath: /etc/penstock/secrets",
        ]
        for line in wanted { #expect(said.output.contains(line), "\(line)") }
        #expect(!said.output.contains("restartPolicy"))
    }

    @Test(
        "what cannot be guarded is refused with 1: every problem with its line, caret and remedy, and nothing is written"
    )
    func refusal() throws {
        let folder = try Folder(["a.yaml": agent + "  hostNetwork: true\n  hostPID: true\n"])
        let path = "\(folder.path)/a.yaml"
        let said = try penstock("inject", "-f", path, "-o", "\(folder.path)/b.yaml")
        #expect(said.status == 1)
        #expect(said.output.isEmpty)
        #expect(said.errors.contains("\(path):9:3: error: `hostNetwork: true` puts the pod into the node's network"))
        #expect(said.errors.contains("(A22)\n    hostNetwork: true\n    ^\n  help: remove it\n"))
        #expect(said.errors.contains("\(path):10:3: error: `hostPID: true`"))
        #expect(said.errors.hasSuffix("\(path): refused; nothing was written\n"))
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/b.yaml"))
    }

    @Test("--check writes nothing: 1 before, 0 after, and --json says it to programs")
    func check() throws {
        let folder = try Folder(["a.yaml": agent])
        let path = "\(folder.path)/a.yaml"
        let before = try penstock("inject", "-f", path, "--check")
        #expect(before.status == 1 && before.output.hasSuffix("run it with the same options\n"), "\(before)")
        #expect(try penstock("inject", "-f", path, "-o", path).status == 0)
        #expect(try penstock("inject", "-f", path, "--check").status == 0)
        #expect(try penstock("inject", "-f", path, "--check", "--mode", "classic").status == 1)
        let differs = try penstock("inject", "-f", path, "--check", "--json", "--mode", "classic").output
        #expect(differs.contains(#"{"kind":"problem","severity":"error","threats":[],"file":"\#(path)","line":"#))
        #expect(differs.contains(#""message":"this is not as `penstock inject` would write it","remedy":"run it with"#))
        let json = try penstock("inject", "-f", path, "--check", "--json")
        #expect(json.output == "{\"kind\":\"pod\",\"file\":\"\(path)\",\"workload\":\"Pod agent\"}\n")
    }

    @Test("--json names each problem with its threats; --strict refuses warnings")
    func strict() throws {
        let folder = try Folder(["a.yaml": agent + "  automountServiceAccountToken: true\n"])
        let path = "\(folder.path)/a.yaml"
        let loose = try penstock("inject", "-f", path, "--json")
        #expect(loose.status == 0)
        #expect(loose.errors.contains(#""severity":"warning","threats":["A20"],"file":"#))
        let strict = try penstock("inject", "-f", path, "--json", "--strict")
        #expect(strict.status == 1 && strict.output.isEmpty)
        #expect(strict.errors.contains(#""severity":"error","threats":["A20"],"file":"#))
    }

    @Test("a file that is not there ends with 66, a place that cannot be written with 73")
    func endings() throws {
        let folder = try Folder(["a.yaml": agent])
        #expect(try penstock("inject", "-f", "\(folder.path)/none.yaml").status == 66)
        let said = try penstock("inject", "-f", "\(folder.path)/a.yaml", "-o", "\(folder.path)/none/b.yaml")
        #expect(
            said.status == 73 && said.errors.contains("none/b.yaml: openat")
                || said.errors.contains("none/b.yaml: open")
        )
        #expect(try penstock("inject", "-f", "\(folder.path)/a.yaml", "-o", folder.path + "/").status == 73)
        #expect(try run(["inject", "-f", "\(folder.path)/a.yaml"], output: "/dev/full").status == 73)
        let link = "\(folder.path)/link.yaml"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "a.yaml")
        for path in [link, "/dev/stdout", "/dev/null"] {
            let said = try penstock("inject", "-f", "\(folder.path)/a.yaml", "-o", path)
            #expect(said.status == 73 && said.errors.contains("cannot write \(path): it is a link,"), "\(said)")
        }
    }

    @Test(
        "a wrong value is named with what is right",
        arguments: [
            (["--mode", "x"], "--mode is 'x', expected classic, native"),
            (["--inbound-port", "0"], "--inbound-port '0' is no port; write 1 to 65535"),
            (["--dns-server", "a"], "--dns-server 'a' is no IP address"),
            (["--policy", "A"], "--policy 'A' is no name of an object; use lower case letters, digits, - and ."),
            (["--image", "a b"], "--image 'a b' has spaces or other characters that no name has"),
            (["--request", "cpu"], "--request 'cpu' is no amount; write it like cpu=50m or memory=64Mi"),
            (
                ["--agent-user", "10880"],
                "--agent-user '10880' is no user; write UID or UID:GID, numbers above 0, and not 10880"
            ),
            (
                ["--request", "memory=512Mi"],
                "the request memory=512Mi is above the limit memory=256Mi; give both, with --request and --limit"
            ),
            (
                ["--limit", "cpu=0.04"],
                "the request cpu=50m is above the limit cpu=0.04; give both, with --request and --limit"
            ),
            (["--check", "--uninject"], "--check and --uninject do not go together"),
            (["--check", "-o", "x"], "--check writes nothing: leave out --output"),
            (["--file", "x"], "-f and --file are the same"),
            (["--allow-host-path", "x"], "--allow-host-path 'x' does not begin with /"),
            (
                ["--bypass-cidr", "10.0.0.1"],
                "--bypass-cidr '10.0.0.1' is none; write it like 10.0.0.0/8:5432 or [fd12::/32]:5432"
            ),
            (
                ["--bypass-cidr", "0.0.0.0/0:443"],
                "--bypass-cidr 0.0.0.0/0:443: that is every address; name the blocks that are meant"
            ),
            (
                ["--inbound-port", "15880"],
                "--inbound-port 15880: that is the daemon's own port, and must not be reached from outside the pod; leave it out"
            ),
            (
                ["--api-port", "15881"],
                "port 15881 is given to two of the daemon's listeners (--explicit-port, --api-port): give each its own"
            ),
            (
                ["--pull-secret", "a.b"],
                "--pull-secret 'a.b' has a dot in it, which is not supported; name another Secret"
            ),
        ]
    )
    func misuse(words: [String], complaint: String) throws {
        let said = try run(["inject", "-f", "x"] + words)
        #expect(said.status == 64)
        #expect(said.errors == "penstock: \(complaint); see penstock help inject\n")
    }

    @Test("the help names every option and every exit code")
    func help() throws {
        let text = try penstock("help", "inject").output
        let words = [
            "-f, --file", "-o, --output", "--uninject", "--check", "--strict", "--json", "--mode", "--image",
            "--pull-policy",
            "--config", "--policy", "--inbound-port", "--dns-server", "--agent-user", "--audit-claim", "--request",
            "--limit", "--allow-host-path", "--bypass-cidr", "--api-port", "--pull-secret", "--secret", "--watch",
            "--help", "0 ",
            "1 ", "64",
            "66", "70", "73",
        ]
        for word in words { #expect(text.contains(word), "\(word)") }
        #expect(try penstock("inject", "--help").output == text)
        let widest = text.split(separator: "\n").map(\.count).max() ?? 0
        #expect(widest <= 120)
    }
}
