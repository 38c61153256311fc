import Foundation
import Testing

@Suite("One service of a host: which cgroups are meant")
struct ControlGroupLookupTests {
    /// What nft(8) itself looks under.
    private static let usualPlace = "/sys/fs/cgroup"

    @Test("what print writes is what install loads, by nft's own word", arguments: [[], ["--inbound-port", "7000"]])
    func printed(flags: [String]) throws {
        try ControlGroupBed.with(install: false) { bed in
            let arguments = ["--cgroup", bed.agent, "--cgroup", bed.stranger] + flags
            let text = try bed.rules.program(["print"] + arguments, uid: 2000).output
            #expect(text.contains("socket cgroupv2 level 2 \"\(bed.agent)\" jump governed\n"), "\(text)")
            try Self.nft(bed, ["-f", "-"], input: text)
            // The policy routing stands there as comments.
            for line in text.split(separator: "\n") where line.hasPrefix("#   ip ") {
                try bed.net.pod.must(line.dropFirst(4).split(separator: " ").map(String.init))
            }
            let verified = try bed.rules.program(["verify"] + arguments)
            #expect(verified.succeeded, "\(verified)")
            let byNft = try Self.listing(bed)
            try bed.rules.install(arguments)
            #expect(try Self.listing(bed) == byNft)
            #expect(byNft.count > 2000)
        }
    }

    /// nft(8) sees the hierarchy only at its usual place: there it is for this one command.
    @discardableResult
    private static func nft(_ bed: ControlGroupBed, _ arguments: [String], input: String = "") throws -> String {
        let script = "[ \"$0\" = \(usualPlace) ] || mount --bind \"$0\" \(usualPlace); exec nft \"$@\""
        return try bed.net.pod.must(["unshare", "-m", "sh", "-ec", script, bed.root] + arguments, input: input)
    }

    private static func listing(_ bed: ControlGroupBed) throws -> String {
        try nft(bed, ["-j", "list", "table", "inet", "penstock"])
            .replacing(/"(handle|packets|bytes)": \d+/, with: "")
    }

    @Test("a path that names no cgroup to capture is refused, and nothing is changed")
    func badPaths() throws {
        try ControlGroupBed.with(install: false) { bed in
            let cases = [
                ("\(bed.parent)/nowhere/agent", 64, "the cgroup \(bed.parent)/nowhere above it is not there"),
                ("penstock-no.slice/a.service", 64, "make it first (systemctl start penstock-no.slice)"),
                ("system.slice/some.service", 64, "everything else in system.slice would be refused"),
                (bed.parent, 64, "everything else in the root cgroup would be refused"),
                ("\(bed.agent)/cgroup.procs/x", 64, "the cgroup \(bed.agent)/cgroup.procs above it is not there"),
                ("/", 64, "--cgroup '/': expected the path of a cgroup"),
                ("\(bed.parent)/../agent", 64, "expected the path of a cgroup"),
                ("\(bed.parent)//agent", 64, "expected the path of a cgroup"),
            ]
            for (path, status, words) in cases {
                let result = try bed.rules.program(["install", "--cgroup", path])
                #expect(result.status == Int32(status) && result.errors.contains(words), "\(path): \(result)")
                #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
            }
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }

    @Test("what is wrong with cgroups of the file is said with their places there, and in its words")
    func badPathsOfFile() throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.start("print('ready'); time.sleep(60)", in: bed.stranger)
            let path = FileManager.default.temporaryDirectory.path + "/penstock-init-\(UUID().uuidString).yaml"
            defer { try? FileManager.default.removeItem(atPath: path) }
            for (text, words) in [
                (
                    "[gone.slice/gone, \(bed.agent)]",
                    ":1:11: `cgroups` gone.slice/gone: the cgroup gone.slice above it is not there"
                ),
                ("\n  - \(bed.agent)", ":2:5: `cgroups` \(bed.agent): "),
                ("[\(bed.agent)]", "or say `shared_parent: true`"),
            ] {
                try Data("cgroups: \(text)\n".utf8).write(to: URL(filePath: path))
                let refused = try bed.rules.program(["install", "--config", path])
                #expect(refused.status == 65 && refused.errors.contains("\(path):"), "\(refused)")
                #expect(refused.errors.contains(words), "\(refused)")
            }
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }

    @Test("a fence that would cut others off is refused with their names; --shared-parent leaves it out, and says so")
    func neighbors() throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.start("print('ready'); time.sleep(60)", in: bed.stranger)
            let refused = try bed.rules.program(["install", "--cgroup", bed.agent])
            #expect(refused.status == 64, "\(refused)")
            #expect(
                refused.errors.contains("in \(bed.parent) would be refused, and there is \(bed.stranger): "),
                "\(refused)"
            )
            #expect(refused.errors.contains("--shared-parent"))
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")

            let shared = try bed.rules.program(["install", "--cgroup", bed.agent, "--shared-parent"])
            #expect(shared.succeeded, "\(shared)")
            let weakness =
                "posture: weak (shared parent \(bed.parent): a cgroup made again is free until its rule is swapped)"
            #expect(shared.output.contains(weakness), "\(shared)")
            try bed.rules.startDaemon()
            try bed.rules.startWorld("serve([listen('0.0.0.0', 443)], lambda c: c.sendall(b'world'))")
            let dial = "print(dial('203.0.113.7', 443))"
            #expect(try bed.run(dial, in: bed.agent).output == "connected daemon\n")
            #expect(try bed.run(dial, in: bed.stranger).output == "connected world\n")
        }
    }

    @Test("where more cgroups are below a fence than are looked into, it is refused")
    func tooMany() throws {
        try ControlGroupBed.with(install: false) { bed in
            let others = "\(bed.root)/\(bed.parent)/others"
            let make = "mkdir \(others); seq -f \(others)/%g 4100 | xargs mkdir"
            let remove = "find \(others) -depth -type d -exec rmdir {} +"
            try NetworkNamespace.must(["sh", "-ec", make])
            defer { _ = try? NetworkNamespace.must(["sh", "-ec", remove]) }
            let refused = try bed.rules.program(["install", "--cgroup", bed.agent])
            #expect(refused.status == 64, "\(refused)")
            #expect(refused.errors.contains("and there is what is in more than 4096 cgroups, or"), "\(refused)")
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }

    @Test("a fence that stands may be loaded again, whoever has come meanwhile")
    func again() throws {
        try ControlGroupBed.with { bed in
            try bed.start("print('ready'); time.sleep(60)", in: bed.stranger)
            #expect(try bed.rules.program(["install", "--cgroup", bed.agent]).succeeded)
        }
    }

    @Test("a daemon in the captured cgroup is told apart from one beside it")
    func daemonInside() throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.start("print('ready'); time.sleep(60)", in: bed.stranger, as: .daemon)
            try bed.rules.install(["--cgroup", bed.agent])
            let inside = try bed.start("print('ready'); time.sleep(60)", in: bed.inner, as: .daemon)
            let refused = try bed.rules.program(["install", "--cgroup", bed.agent])
            #expect(refused.status == 64, "\(refused)")
            #expect(refused.errors.contains("process \(inside.pid) in it runs as 10880:10880"), "\(refused)")
        }
    }

    @Test("where cgroup v2 is not mounted, or only in part, it ends with 69 and says what to mount")
    func notMounted() throws {
        try ControlGroupBed.with(install: false) { bed in
            let program = [
                Built.path("penstock-init"), "install", "--cgroup", bed.agent, "--dns-server", "203.0.113.53",
            ]
            let scripts = [
                ("umount -l \"$0\"; exec \"$@\"", "cgroup v2 is not mounted here"),
                (
                    "d=$(mktemp -d); mount --bind \"$0/\(bed.parent)\" $d; umount -l \"$0\"; \"$@\"; e=$?; umount $d; rmdir $d; exit $e",
                    "only a part of the cgroup v2 hierarchy is mounted"
                ),
            ]
            for (script, words) in scripts {
                let result = try bed.net.pod.run(["unshare", "-m", "sh", "-c", script, bed.root] + program)
                #expect(result.status == 69 && result.errors.contains(words), "\(result)")
            }
            let namespaced = try bed.net.pod.run(["unshare", "-C"] + program)
            #expect(namespaced.status == 69 && namespaced.errors.contains("--cgroupns=host"), "\(namespaced)")
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }

    @Test("where the hierarchy is mounted elsewhere too, with a space in the path, it is found")
    func elsewhere() throws {
        try ControlGroupBed.with(install: false) { bed in
            let program = [
                Built.path("penstock-init"), "install", "--cgroup", bed.agent, "--dns-server", "203.0.113.53",
            ]
            let script = """
                d="$(mktemp -d)/a place"; mkdir "$d"; mount -t cgroup2 none "$d"; umount -l "$0"
                "$@"; e=$?; umount "$d"; rm -r "${d%/*}"; exit $e
                """
            let result = try bed.net.pod.run(["unshare", "-m", "sh", "-c", script, bed.root] + program)
            #expect(result.succeeded && result.output.contains("probe: ipv6 in \(bed.agent) captured"), "\(result)")
        }
    }

    @Test("a hierarchy that cannot be written to is no obstacle: only the proof is left out, and that is said")
    func readOnly() throws {
        try ControlGroupBed.with(install: false) { bed in
            let program = [
                Built.path("penstock-init"), "install", "--cgroup", bed.agent, "--dns-server", "203.0.113.53",
            ]
            let script = "mount -o remount,bind,ro \"$0\"; exec \"$@\""
            let result = try bed.net.pod.run(["unshare", "-m", "sh", "-ec", script, bed.root] + program)
            #expect(result.succeeded, "\(result)")
            #expect(
                result.output.contains("probe: ipv4 in \(bed.agent) not tested: the cgroup cannot be entered"),
                "\(result)"
            )
            try bed.rules.startDaemon()
            #expect(try bed.run("print(dial('203.0.113.7', 443))", in: bed.agent).output == "connected daemon\n")
        }
    }

    @Test("remove takes cgroups' rules away like any others, and needs none of them to be there")
    func removal() throws {
        try ControlGroupBed.with { bed in
            try bed.remove(bed.inner)
            try bed.remove(bed.agent)
            let result = try bed.rules.program(["remove", "--cgroup", "gone.slice/gone"])
            #expect(result.succeeded, "\(result)")
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
        }
    }
}
