import Foundation
import Testing

@Suite("The daemon's record cannot be written")
struct RobustnessAuditTests {
    /// Talks to the echo server until the audit is full, and says how often that went well.
    private static let fill = """
        count = 0
        while count < 2000 and (result := echo("203.0.113.7", timeout=3)) == "ok": count += 1
        print(count, result)
        """

    @Test("G06: while the audit's disk is full nothing leaves, and it goes on by itself when there is space")
    func fullDisk() throws {
        try DaemonBed.with(start: false) { bed in
            try bed.folder.mountAudit(kibibytes: 64)
            try bed.start()
            try NetworkNamespace.must([
                "sh", "-c", "dd if=/dev/zero of=\(bed.folder.auditFolder)/filler bs=4k 2>/dev/null || true",
            ])
            let filled = try bed.agent(Self.fill)
            #expect(filled.hasSuffix(" timeout\n"), "\(filled)")
            let unready = try bed.health("/readyz", status: 503)
            #expect(
                unready.hasPrefix("503\nnot ready: audit: ") && unready.contains("No space left on device"),
                "\(unready)"
            )
            #expect(try bed.metrics()["audit_writable"] == 0)

            try bed.forgetArrivals()
            let waiting = try bed.startAgent("print('ready', flush=True)\nprint('late', echo('2001:db8:99::8'))")
            let refused = try bed.agent("print({echo(a, timeout=0.7) for a in ('203.0.113.8', '2001:db8:99::9')})")
            #expect(refused == "{'timeout'}\n")
            #expect(try bed.arrivals().isEmpty, "something left without a record")
            #expect(try bed.health("/healthz", status: 200).hasPrefix("200"), "it is not to be restarted for this")

            try NetworkNamespace.must(["rm", bed.folder.auditFolder + "/filler"])
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(waiting.waitForOutput("late ok"), "what waited is served: \(waiting.output)\(waiting.errors)")
            #expect(try bed.agent("print(echo('203.0.113.9'))") == "ok\n")
            #expect(bed.end() == 0)
            #expect(try bed.arrivals().isSubset(of: Set(bed.audit().connections.map(\.original))))
            try expectSound(bed)
        }
    }

    @Test(
        "G06: whose record is not written in time is refused; ended or killed while the disk is full, the chain stays whole",
        arguments: [SIGTERM, SIGKILL]
    ) func endsWhileFull(signal: Int32) throws {
        try DaemonBed.with(DaemonSettings(drainSeconds: 1), start: false) { bed in
            try bed.folder.mountAudit(kibibytes: 64)
            try bed.start()
            try NetworkNamespace.must([
                "sh", "-c", "dd if=/dev/zero of=\(bed.folder.auditFolder)/filler bs=4k 2>/dev/null || true",
            ])
            // The last conversation is the one whose record does not fit; the others are over.
            let filled = try bed.agent(
                """
                count, result = 0, "ok"
                while count < 2000 and result == "ok":
                    result = echo(f"2001:db8:99::{count:x}", timeout=\(signal == SIGTERM ? 40 : 3)); count += 1
                print(count, result)
                """
            )
            let words = filled.split(separator: " ")
            let number = words.first.flatMap { Int($0) }
            let last = String(try #require(number) - 1, radix: 16)
            #expect(words.last == (signal == SIGTERM ? "ECONNRESET\n" : "timeout\n"), "\(filled)")
            #expect(try !bed.arrivals().contains("2001:db8:99::\(last)"))
            bed.signal(signal)
            let result = try #require(bed.daemon?.wait())
            #expect(result.status == (signal == SIGTERM ? 73 : 137), "\(result)")
            if signal == SIGTERM { #expect(result.errors.contains("could not be written to the end"), "\(result)") }

            try NetworkNamespace.must(["rm", bed.folder.auditFolder + "/filler"])
            try bed.start()
            #expect(try bed.agent("print(echo('203.0.113.9'))") == "ok\n")
            #expect(bed.end() == 0)
            #expect(try bed.arrivals().isSubset(of: Set(bed.audit().connections.filter(\.isAllowed).map(\.original))))
            let chain = try AuditReading.chainFaults(bed.folder.audit)
            #expect(chain.isEmpty, "\(chain)")
        }
    }

    @Test(
        "G06: an audit file that somebody cuts, writes to or removes stops everything, and says so",
        arguments: [
            "truncate -s 10 FILE", "echo x >> FILE", "rm FILE",
        ]
    )
    func tampered(command: String) throws {
        try DaemonBed.with { bed in
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            try bed.forgetArrivals()
            let file = bed.folder.audit
            try NetworkNamespace.must(["sh", "-c", command.replacingOccurrences(of: "FILE", with: file)])
            let refused = try bed.agent("print([echo(a, timeout=0.7) for a in ('203.0.113.7', '2001:db8:99::7')])")
            #expect(!refused.contains("ok"), "\(refused)")
            #expect(try bed.arrivals().isEmpty)
            let unready = try bed.health("/readyz", status: 503)
            #expect(unready.contains("audit: the audit file was cut short, written to or removed"), "\(unready)")
            #expect(try bed.health("/healthz", status: 200).hasPrefix("200"))
            // Whoever comes later is refused as well, and is not left waiting in the kernel's queue.
            for address in ["203.0.113.8", "2001:db8:99::8"] {
                #expect(try bed.agent("print(echo('\(address)', timeout=40))") == "ECONNRESET\n")
            }
            #expect(try bed.arrivals().isEmpty)
            #expect(bed.end() == 73)
            let told = bed.said.split(separator: "\n").filter { $0.contains("was cut short, written to") }
            #expect(told.count == 2, "\(told)")
            #expect(told.first?.hasPrefix("penstockd: audit: the audit file was cut short") == true, "\(told)")
            #expect(told.last?.contains("could not be written to the end: the audit file was") == true, "\(told)")
        }
    }

    /// A folder that is not as it should be, and what the daemon says of it.
    struct Unusable: CustomTestStringConvertible {
        var command: String
        var says: String
        var testDescription: String { command }
    }

    @Test(
        "an audit file that cannot be used ends the start with 73 and one line that says why",
        arguments: [
            Unusable(command: "chown 0:0 AUDIT", says: "Permission denied"),
            Unusable(command: "rmdir AUDIT", says: "No such file or directory"),
            Unusable(
                command: "mount -t tmpfs -o ro,mode=700,uid=10880 penstock-test AUDIT",
                says: "Read-only file system"
            ),
            Unusable(command: "mkdir -m 777 FILE", says: "Is a directory"),
            Unusable(command: "ln -s /tmp/elsewhere FILE", says: "the audit file is a symbolic link"),
            Unusable(command: "mkfifo -m 666 FILE", says: "not a regular file"),
            Unusable(command: "touch FILE; chmod 666 FILE", says: "belongs to user 0"),
            Unusable(command: "touch FILE; chown 10880 FILE; ln FILE AUDIT/second", says: "2 names"),
        ]
    )
    func unusable(fault: Unusable) throws {
        let folder = try DaemonFolder()
        let namespace = try NetworkNamespace("audit")
        let command = fault.command.replacingOccurrences(of: "AUDIT", with: folder.auditFolder)
            .replacingOccurrences(of: "FILE", with: folder.audit)
        try NetworkNamespace.must(["sh", "-ec", command])
        defer {
            if command.hasPrefix("mount") { _ = try? NetworkNamespace.must(["umount", folder.auditFolder]) }
        }
        let result = try namespace.run([Built.path("penstockd"), "--config", folder.configuration], uid: 10880)
        #expect(result.status == 73, "\(result)")
        let lines = result.errors.split(separator: "\n")
        // The state is in the same directory, and looked for first.
        let place =
            fault.command == "rmdir AUDIT" ? "state.path: \(folder.auditFolder)" : "audit.path: \(folder.audit)"
        #expect(lines.count == 1 && lines[0].hasPrefix("penstockd: \(place): "), "\(result)")
        #expect(result.errors.contains(fault.says), "\(result)")
    }

    @Test("a place for the daemon's own state that is not there is named as what it is")
    func noState() throws {
        let folder = try DaemonFolder(DaemonSettings(statePath: "/nowhere"))
        let namespace = try NetworkNamespace("state")
        let result = try namespace.run([Built.path("penstockd"), "--config", folder.configuration], uid: 10880)
        #expect(result.status == 73, "\(result)")
        #expect(result.errors.hasPrefix("penstockd: state.path: /nowhere: the daemon's state cannot be"), "\(result)")
    }

    @Test("a second daemon does not get the audit file of the first")
    func secondDaemon() throws {
        try DaemonBed.with { bed in
            let other = try NetworkNamespace("second")
            let result = try other.run([Built.path("penstockd"), "--config", bed.folder.configuration], uid: 10880)
            #expect(result.status == 73 && result.errors.contains("in use by another daemon"), "\(result)")
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
        }
    }

    @Test("lines that are not ours keep the daemon from starting on them")
    func foreignLines() throws {
        let folder = try DaemonFolder()
        let namespace = try NetworkNamespace("foreign")
        try folder.write("hello\n{\"kind\":\"connection\"}\n", to: folder.audit)
        try NetworkNamespace.must(["sh", "-c", "chown 10880 \(folder.audit); chmod 600 \(folder.audit)"])
        let result = try namespace.run([Built.path("penstockd"), "--config", folder.configuration], uid: 10880)
        #expect(result.status == 73 && result.errors.contains("not written by Penstock"), "\(result)")
    }
}
