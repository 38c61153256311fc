import Foundation
import Testing

@Suite("penstock-init hold")
struct RulesetHoldTests {
    @Test("hold installs, gives every capability up, outlives SIGHUP, and ends at once when told to")
    func life() throws {
        try RulesetBed.with(install: false) { bed in
            let holder = try bed.start(["hold"])
            #expect(holder.waitForOutput("posture: strong\nholding: until SIGTERM\n"), "\(holder.errors)")
            let status = try String(contentsOfFile: "/proc/\(holder.pid)/status", encoding: .utf8)
            for set in ["CapInh", "CapPrm", "CapEff"] { #expect(status.contains("\(set):\t0000000000000000\n")) }
            #expect(status.contains("NoNewPrivs:\t1\n"))
            #expect(try bed.program(["verify"]).succeeded)
            holder.signal(SIGHUP)
            usleep(100_000)
            #expect(holder.isRunning)
            holder.signal(SIGTERM)
            #expect(holder.wait().status == 0)
            #expect(try bed.program(["verify"]).succeeded, "the rules stay as long as the namespace")
        }
    }

    @Test("A08: hold ends with an error where the rules cannot be loaded, so that nobody can join its namespace")
    func refused() throws {
        try RulesetBed.with(install: false) { bed in
            let holder = try bed.start(["hold"], uid: 2000)
            #expect(holder.wait().status == 77)
            #expect(!holder.output.contains("holding"))
        }
    }
}
