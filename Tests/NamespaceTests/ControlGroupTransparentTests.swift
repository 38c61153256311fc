import Foundation
import Testing

@Suite("One service of a host, by TPROXY alone")
struct ControlGroupTransparentTests {
    @Test("A09: a daemon that is not transparent gets nothing, and nothing leaves", arguments: Far.both)
    func notTransparent(address: String) throws {
        try ControlGroupBed.with(modes: [.tproxy]) { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            try bed.rules.startAgent("serve([listen('127.0.0.1', 15880), listen('::1', 15880)], print)", as: .daemon)
            let result = try bed.run("print(dial(sys.argv[1], 443))", [address], in: bed.agent)
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "the policy rule or the route missing: nothing leaves, verify says so, the keeper puts it back",
        arguments: Far.both,
        [
            "ip rule del priority 7065; ip -6 rule del priority 7065",
            "ip route flush table 7065; ip -6 route flush table 7065",
        ]
    )
    func routingGone(address: String, change: String) throws {
        try ControlGroupBed.with(modes: [.tproxy]) { bed in
            try bed.rules.startDaemon()
            try bed.net.countArrivals("out", "meta l4proto tcp")
            try bed.net.pod.shell(change)
            let dial = "print(dial(sys.argv[1], 443, timeout=0.7))"
            let result = try bed.run(dial, [address], in: bed.agent)
            #expect(result.succeeded && !result.output.contains("connected"), "\(result)")
            #expect(try bed.rules.program(["verify", "--cgroup", bed.agent]).status == 3)
            let watcher = try bed.watch()
            try bed.net.pod.shell(change)
            #expect(watcher.waitForOutput("put back: table inet penstock\nverified: "), "\(watcher.output)")
            let patient = "print(dial(sys.argv[1], 443))"
            #expect(try bed.run(patient, [address], in: bed.agent).output == "connected daemon\n")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test("the keeper outlives whoever changes a route again while it is put back")
    func routingChangedAgain() throws {
        try ControlGroupBed.with(modes: [.tproxy]) { bed in
            let watcher = try bed.watch()
            let change = "ip route flush table 7065; ip -6 route flush table 7065"
            try bed.net.pod.shell("for i in $(seq 400); do \(change); done")
            #expect(watcher.waitForOutput("put back: table inet penstock"), "\(watcher.output)")
            #expect(watcher.isRunning, "\(watcher.output) \(watcher.errors)")
        }
    }

    @Test(
        "A04: a policy rule of others is told and stays; the keeper goes on keeping what is its own, and swaps beside it",
        arguments: Far.both
    )
    func foreignRouting(address: String) throws {
        try ControlGroupBed.with(modes: [.tproxy]) { bed in
            try bed.rules.startDaemon()
            let watcher = try bed.watch()
            try bed.net.pod.shell("ip rule add pref 7064 ipproto udp lookup main; ip -6 rule add pref 7064 lookup main")
            #expect(watcher.waitForOutput("drift: policy rule '7064: "), "\(watcher.output)")
            // Its own is mended as ever, and the cgroup made again is captured.
            try bed.net.pod.shell("ip -4 rule del pref 7065; ip -6 rule del pref 7065")
            #expect(watcher.waitForOutput("put back: table inet penstock"), "\(watcher.output)")
            try bed.replace()
            #expect(watcher.waitForOutput("swapped: "), "\(watcher.output)")
            #expect(!watcher.output.contains("stopped"), "\(watcher.output)")
            try bed.net.pod.shell("ip rule del pref 7064; ip -6 rule del pref 7064")
            #expect(watcher.waitForOutput("is as planned again"), "\(watcher.output)")
            #expect(
                try bed.run("print(dial(sys.argv[1], 443))", [address], in: bed.agent).output == "connected daemon\n"
            )
            // What nobody changed was not put back: one loss, one mending.
            let mendings = watcher.output.split(separator: "\n").count { $0.hasPrefix("put back") }
            #expect(mendings <= 2, "\(watcher.output)")
        }
    }
}
