import Foundation
import Testing

@Suite("The daemon's admin socket")
struct DaemonAdminTests {
    @Test("G02: only the daemon's user and group may use it; root and others may not")
    func peers() throws {
        try DaemonBed.withAdmin { bed in
            let modes = try NetworkNamespace.must([
                "stat", "-c", "%a %u:%g", bed.folder.auditFolder + "/admin", bed.folder.adminSocket,
            ])
            #expect(modes == "700 10880:10880\n600 10880:10880\n")
            let question = #"{"v":1,"kind":"posture"}"#
            #expect(try bed.admin(question).hasPrefix(#"{"v":1,"boundary":"#))
            for user in [RunAs(uid: 10880, gid: 2000), RunAs(uid: 0, gid: 0, capabilities: ["dac_override"])] {
                let answer = try bed.admin(question, as: user)
                #expect(
                    answer.hasPrefix(#"{"v":1,"error":"UID \#(user.uid) and GID \#(user.gid) may not"#),
                    "\(answer)"
                )
            }
            #expect(try bed.admin(question, as: .agent) == "PermissionError\n")
            #expect(try bed.admin(question, as: RunAs(uid: 0, gid: 0)) == "PermissionError\n")
            #expect(bed.says("admin socket: refused UID 10880, GID 2000"), "\(bed.said)")
        }
    }

    @Test("G02: lines that are no requests are refused, and end the conversation; traffic does not notice")
    func garbage() throws {
        try DaemonBed.withAdmin { bed in
            for line in ["", "x", "{}", #"{"v":1,"kind":"shutdown"}"#, String(repeating: "a", count: 100_000)] {
                let answer = try bed.admin(line)
                #expect(answer.hasPrefix(#"{"v":1,"error":""#), "\(line.prefix(30)): \(answer)")
            }
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
        }
    }

    @Test("a directory that others may write to, or of another user, is refused by name, and the daemon does not start")
    func foreignDirectory() throws {
        for change in ["chmod 777", "chmod 770", "chown 2000:10880"] {
            try DaemonBed.withAdmin(start: false) { bed in
                let place = bed.folder.auditFolder + "/admin"
                try NetworkNamespace.must([
                    "sh", "-ec", "mkdir \(place); chown 10880:10880 \(place); chmod 755 \(place); \(change) \(place)",
                ])
                try bed.start(untilReady: false)
                let result = bed.daemon?.wait()
                #expect(result?.status == 69, "\(change): \(bed.said)")
                #expect(bed.says("listen.admin: \(place)/admin.sock: its directory belongs"), "\(bed.said)")
            }
        }
    }
}
