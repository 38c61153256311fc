import Foundation
import Testing

@Suite("What once went wrong in the daemon")
struct RobustnessCornersTests {
    @Test("urgent data in the middle of a large upload neither ends nor stalls it", arguments: Far.both)
    func urgentData(address: String) throws {
        try DaemonBed.with { bed in
            let result = try bed.agent(
                """
                s = dial(sys.argv[1], 7002); s.sendall(b"\\0" + pattern(4 << 20))
                time.sleep(0.3); s.send(b"!", socket.MSG_OOB); time.sleep(0.3)
                s.sendall(pattern(4 << 20)); s.close(); print("sent")
                """,
                [address]
            )
            #expect(result == "sent\n")
            // The urgent octet is no part of the stream (RFC 6093): a reader that does not ask for it does not see it.
            #expect(bed.worldSays("sink 8388609 "), "\(bed.world.output)")
            let reading = try bed.audit { $0.ends.count == 1 }
            #expect(reading.ends.first?.outcome == "closed", "\(reading.ends)")
        }
    }

    @Test("G07: hundreds of conversations that say nothing do not keep a probe from its answer")
    func healthFlood() throws {
        try DaemonBed.with { bed in
            let before = try bed.openDescriptors()
            let flood = try bed.net.pod.startPython(
                DaemonWorld.kit + """
                    idle = []
                    for _ in range(300): idle.append(socket.create_connection(("127.0.0.1", 15890), 5))
                    print("ready", flush=True); time.sleep(60)
                    """,
                as: RunAs(uid: 0, gid: 0)
            )
            let quickest = try bed.quickestProbe()
            #expect(quickest < .seconds(1), "idle conversations keep probes waiting")
            // The oldest go: the port holds a stated number at a time.
            #expect(try bed.openDescriptors() <= before + 66)
            flood.stop()
        }
    }

    @Test("G07: connections that are over let go of all they had, though an older one is still undecided")
    func behindSlowOne() throws {
        let settings = DaemonSettings(
            policy: DaemonPolicy.namesOnly,
            workers: 1,
            limits: "undecided: 50, sniff_seconds: 60"
        )
        try DaemonBed.with(settings) { bed in
            let slow = try bed.startAgent(
                """
                s = dial("203.0.113.7", 443); print("ready", flush=True); time.sleep(120)
                """
            )
            let before = try bed.openDescriptors()
            let result = try bed.agent(
                """
                print({echo("203.0.113.77", 443, hello(b"allowed.test")) for _ in range(600)})
                """
            )
            #expect(result == "{'ok'}\n")
            _ = try bed.audit { $0.ends.count == 600 }
            let isFreed = BackgroundProcess.poll(seconds: 30) { (try? bed.openDescriptors()) ?? .max <= before + 2 }
            #expect(isFreed, "\((try? bed.openDescriptors()) ?? -1) open, \(before) before")
            slow.stop()
        }
    }
}
