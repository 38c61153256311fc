import Foundation
import Testing

@Suite("When the daemon's threads get a processor")
struct DaemonSchedulingTests {
    /// The scheduling policies of a process's threads by their names, in the kernel's numbers: 0 is SCHED_OTHER, 3 SCHED_BATCH.
    private static func policies(of pid: Int32) throws -> [String: Int] {
        let tasks = "/proc/\(pid)/task"
        var policies: [String: Int] = [:]
        for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
            let name = try String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)
            let line = try String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8)
            // proc(5): the policy is the 41st field; the second is the name in brackets.
            let fields = try #require(line.split(separator: ")").last).split(separator: " ")
            policies[name.trimmingCharacters(in: .newlines)] = Int(fields[38])
        }
        return policies
    }

    @Test(
        "workers interrupt nobody unless told to; who controls them and who writes the trail does",
        arguments: ["batch", "normal"]
    )
    func workers(scheduling: String) throws {
        try DaemonBed.with(DaemonSettings(scheduling: scheduling)) { bed in
            let policies = try Self.policies(of: bed.pid)
            let expected = scheduling == "batch" ? 3 : 0
            #expect(policies["loop-0"] == expected)
            #expect(policies["loop-1"] == expected)
            #expect(policies["loop-2"] == 0)
            #expect(policies["audit"] == 0)
            #expect(try bed.agent("print(echo('203.0.113.7'), echo('2001:db8:99::7'))") == "ok ok\n")
        }
    }

    @Test("a daemon that was started in another class stays in it")
    func anotherClass() throws {
        try DaemonBed.with(start: false) { bed in
            let daemon = try bed.net.pod.start(
                ["chrt", "--idle", "0", Built.path("penstockd"), "--config", bed.folder.configuration],
                uid: 10880
            )
            // SCHED_IDLE: whoever else has something to do goes first.
            #expect(try bed.health("/readyz", status: 200, seconds: 120).hasPrefix("200"), "\(daemon.errors)")
            #expect(Set(try Self.policies(of: daemon.pid).values) == [5])
            daemon.stop()
        }
    }
}
