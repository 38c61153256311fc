import Foundation
import Testing

@Suite("The audit's disk is slow, or may only be read")
struct RobustnessDiskTests {
    @Test(
        "G06: while the disk hangs nothing leaves, readiness and metrics say so, and it goes on by itself",
        arguments: ["written", "synced"]
    )
    func slow(durability: String) throws {
        var settings = DaemonSettings()
        settings.audit = ", durability: \(durability)"
        try DaemonBed.with(settings, start: false) { bed in
            try bed.folder.mountAuditDisk()
            try bed.start()
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            try bed.forgetArrivals()
            try NetworkNamespace.must(["fsfreeze", "-f", bed.folder.auditFolder])
            let waiting: BackgroundProcess
            do {
                defer { _ = try? NetworkNamespace.must(["fsfreeze", "-u", bed.folder.auditFolder]) }
                let refused = try bed.agent("print(echo('203.0.113.8', timeout=40))")
                #expect(refused == "ECONNRESET\n", "who has waited for ten seconds is refused")
                let unready = try bed.health("/readyz", status: 503)
                #expect(unready.contains("the disk is slow"), "\(unready)")
                let metrics = try bed.metrics()
                #expect(metrics["audit_writable"] == 0)
                #expect(metrics["audit_state{state=\"slow\"}"] == 1 && metrics["audit_state{state=\"writable\"}"] == 0)
                #expect(metrics["audit_backlog_records"] > 0)
                #expect(try bed.health("/healthz", status: 200).hasPrefix("200"), "it is not to be restarted for this")
                waiting = try bed.startAgent("print('ready', flush=True)\nprint('late', echo('2001:db8:99::8'))")
                usleep(500_000)
                #expect(try bed.arrivals().isEmpty, "something left without a record")
            }
            #expect(waiting.waitForOutput("late ok"), "what waited is served: \(waiting.output)\(waiting.errors)")
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(bed.end() == 0)
            // Nothing was dropped: how the one that waited in vain ended is told as well.
            let reading = try bed.audit()
            let inVain = reading.connections(to: "203.0.113.8")
            let outcomes = inVain.map { reading.end(of: $0)?.outcome ?? $0.reason }
            #expect(outcomes == ["audit_unavailable"])
            try expectSound(bed)
        }
    }

    @Test(
        "G06: while the disk hangs what was let through before goes on, whoever of the daemon waits for the disk",
        arguments: ["written", "synced"]
    )
    func goingOn(durability: String) throws {
        var settings = DaemonSettings()
        settings.audit = ", durability: \(durability)"
        try DaemonBed.with(settings, start: false) { bed in
            try bed.folder.mountAuditDisk()
            try bed.start()
            let hung = bed.folder.path + "/hung"
            let client = try bed.startAgent(Self.goingOn, [hung])
            try NetworkNamespace.must(["fsfreeze", "-f", bed.folder.auditFolder])
            do {
                defer { _ = try? NetworkNamespace.must(["fsfreeze", "-u", bed.folder.auditFolder]) }
                try bed.folder.write("", to: hung)
                #expect(client.waitForOutput("went on 48 of 48"), "\(client.output)\(client.errors)")
                #expect(try bed.health("/readyz", status: 503).contains("the disk is slow"))
            }
            #expect(client.waitForOutput("late 8 of 8"), "\(client.output)\(client.errors)")
            #expect(bed.end() == 0)
            try expectSound(bed)
        }
    }

    /// Sixteen conversations, on both loops; eight more that begin while the disk hangs.
    private static let goingOn = """
        import os
        async def say(stream):
            stream[1].write(b"\\0hello"); await stream[1].drain()
            return await asyncio.wait_for(stream[0].readexactly(6), 20)
        async def begin():
            stream = await asyncio.open_connection("203.0.113.7", 7001)
            await say(stream)
            return stream
        async def main():
            old = [await begin() for n in range(16)]
            print("ready", flush=True)
            while not os.path.exists(sys.argv[1]): await asyncio.sleep(0.02)
            late = [asyncio.create_task(begin()) for n in range(8)]
            went = 0
            for turn in range(3):
                await asyncio.sleep(0.5)
                went += sum([len(await say(stream)) == 6 for stream in old])
            print("went on", went, "of 48", flush=True)
            ends = await asyncio.gather(*late, return_exceptions=True)
            print("late", sum(not isinstance(end, Exception) for end in ends), "of 8", flush=True)
        asyncio.run(main())
        """

    @Test("synced: a thousand connections that wait for the disk share its syncs")
    func groupCommit() throws {
        var settings = DaemonSettings()
        settings.audit = ", durability: synced"
        try DaemonBed.with(settings, start: false) { bed in
            try bed.folder.mountAuditDisk()
            try bed.start()
            let before = try bed.metrics()["audit_syncs_total"]
            try NetworkNamespace.must(["fsfreeze", "-f", bed.folder.auditFolder])
            let clients: BackgroundProcess
            do {
                defer { _ = try? NetworkNamespace.must(["fsfreeze", "-u", bed.folder.auditFolder]) }
                clients = try bed.startAgent(Self.thousand)
                _ = BackgroundProcess.poll(seconds: 9) {
                    (try? bed.metrics()["audit_backlog_records"] >= 1000) ?? false
                }
            }
            #expect(clients.waitForOutput("all 1000"), "\(clients.output)\(clients.errors)")
            let syncs = try bed.metrics()["audit_syncs_total"] - before
            #expect((1...50).contains(syncs), "\(syncs)")
            clients.stop()
            #expect(bed.end() == 0)
        }
    }

    /// A thousand conversations at once, all of them open until it is stopped.
    private static let thousand = """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        async def talk(n):
            reader, writer = await asyncio.open_connection("203.0.113.7", 7001)
            writer.write(b"\\0hello"); await writer.drain()
            await reader.readexactly(6)
            return writer
        async def main():
            print("ready", flush=True)
            open_ones = await asyncio.gather(*[talk(n) for n in range(1000)], return_exceptions=True)
            print("all", sum(not isinstance(one, Exception) for one in open_ones), flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
        """

    @Test(
        "G06: after an error the kernel lets the disk only be read: nothing leaves, it is said, and the next start goes on"
    )
    func readOnly() throws {
        try DaemonBed.with(DaemonSettings(drainSeconds: 1), start: false) { bed in
            try bed.folder.mountAuditDisk()
            try bed.start()
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            try bed.forgetArrivals()
            try bed.folder.failAuditDisk()
            let refused = try bed.agent("print({echo(a, timeout=0.7) for a in ('203.0.113.8', '2001:db8:99::9')})")
            #expect(refused == "{'timeout'}\n")
            let unready = try bed.health("/readyz", status: 503)
            #expect(unready.contains("Read-only file system"), "\(unready)")
            #expect(try bed.metrics()["audit_state{state=\"stalled\"}"] == 1)
            #expect(try bed.arrivals().isEmpty, "something left without a record")
            #expect(bed.end() == 73)
            try bed.folder.repairAuditDisk()
            try bed.start()
            #expect(try bed.agent("print(echo('203.0.113.9'))") == "ok\n")
            #expect(bed.end() == 0)
            try expectSound(bed)
        }
    }
}

extension DaemonFolder {
    /// Lays an ext4 of its own, on a loop device, over the audit's folder.
    func mountAuditDisk() throws {
        let image = path + "/disk.img"
        try NetworkNamespace.must([
            "sh", "-ec",
            """
            truncate -s 32M \(image); mkfs.ext4 -q -F \(image)
            mount -o loop,errors=remount-ro \(image) \(auditFolder); chown 10880:10880 \(auditFolder); chmod 700 \(auditFolder)
            """,
        ])
        isMounted = true
    }

    /// Has the kernel find an error on the disk: from then on it may only be read.
    func failAuditDisk() throws {
        let device = "$(basename $(findmnt -no SOURCE \(auditFolder)))"
        try NetworkNamespace.must(["sh", "-c", "echo test > /sys/fs/ext4/\(device)/trigger_fs_error"])
    }

    /// Repairs the disk, as an operator would.
    func repairAuditDisk() throws {
        let image = path + "/disk.img"
        try NetworkNamespace.must([
            "sh", "-ec",
            """
            umount \(auditFolder)
            # Mount namespaces that were made meanwhile hold a copy of the mount, and with it the disk as it was.
            for try in $(seq 300); do [ "$(losetup -j \(image))" ] || break; sleep 0.1; done
            e2fsck -fy \(image) >/dev/null || [ $? -le 1 ]
            mount -o loop,errors=remount-ro \(image) \(auditFolder)
            """,
        ])
    }
}
