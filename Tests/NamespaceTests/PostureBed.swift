import Foundation
import Testing

extension DaemonBed {
    /// What `penstock doctor --json` said, and its exit status.
    struct Diagnosis {
        var status: Int32
        var boundary: String
        /// The status of each check.
        var checks: [String: String]
        var details: [String: String]
        /// All that was printed.
        var text: String
    }

    /// Runs the daemon with an admin socket, beside a name server that answers.
    static func withAdmin(
        _ handover: Handover = .standard,
        start: Bool = true,
        _ body: (DaemonBed) throws -> Void
    ) throws {
        try with(DaemonSettings(handover: handover, hasAdmin: true), start: false) { bed in
            try bed.net.world.startPython(
                """
                import socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(("203.0.113.53", 53))
                print("ready", flush=True)
                while True:
                    q, peer = s.recvfrom(4096)
                    s.sendto(q[:2] + b"\\x81\\x83" + q[4:6] + bytes(6) + q[12:], peer)
                """,
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            if start { try bed.start() }
            try body(bed)
        }
    }

    /// As its container runs it: root, who comes down to the daemon's user.
    static let watcher = RunAs(uid: 0, gid: 0, capabilities: ["net_admin", "setuid", "setgid"])

    /// Starts a watcher with reports every second, or so many; it has compared the rules once.
    func startWatcher(
        as user: RunAs = DaemonBed.watcher,
        until said: String = "verified",
        seconds: Int = 1
    ) throws -> BackgroundProcess {
        let command =
            [
                Built.path("penstock-init"), "verify", "--watch", "--watch-seconds", "\(seconds)", "--admin-socket",
                folder.adminSocket, "--dns-server", "203.0.113.53",
            ] + handover.flags
        let watcher = try net.pod.start(command, uid: user.uid, gid: user.gid, capabilities: user.capabilities)
        guard watcher.waitForOutput(said) else {
            throw CommandFailed(command: command, result: watcher.wait(seconds: 0))
        }
        return watcher
    }

    /// Runs `penstock doctor --json` in the pod.
    func doctor(as user: RunAs = .agent, _ flags: [String] = []) throws -> Diagnosis {
        let result = try net.pod.run(
            [Built.path("penstock"), "doctor", "--json", "--admin", folder.adminSocket] + flags,
            uid: user.uid,
            gid: user.gid,
            seconds: 60
        )
        let tree = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        let checks = tree?["checks"] as? [[String: Any]] ?? []
        func column(_ key: String) -> [String: String] {
            Dictionary(
                checks.map { ($0["name"] as? String ?? "?", $0[key] as? String ?? "?") },
                uniquingKeysWith: { $1 }
            )
        }
        return Diagnosis(
            status: result.status,
            boundary: tree?["boundary"] as? String ?? "?",
            checks: column("status"),
            details: column("detail"),
            text: result.output + result.errors
        )
    }

    /// Waits until the last `ruleset` record says this.
    func ruleset(until event: String, seconds: Double = 60) throws -> Bool {
        try audit(until: { $0.events("ruleset").last == event }, seconds: seconds).events("ruleset").last == event
    }

    /// Says a line on the admin socket; the line that came back.
    func admin(_ line: String, as user: RunAs = .daemon) throws -> String {
        let result = try net.pod.python(
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX); s.settimeout(8)
            data = b""
            try:
                s.connect(sys.argv[1])
                try: s.sendall(sys.argv[2].encode() + b"\\n")
                except OSError: pass
                while b"\\n" not in data and (piece := s.recv(65536)): data += piece
                print(data.decode(), end="")
            except TimeoutError: print(data.decode(), end="")
            # Whoever is refused before all of the line was read hears the refusal, and then a reset.
            except OSError as error: print(data.decode() or type(error).__name__ + "\\n", end="")
            """,
            [folder.adminSocket, line],
            as: user
        )
        return result.output + result.errors
    }
}
