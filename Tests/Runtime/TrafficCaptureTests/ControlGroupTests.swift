import Testing
import TrafficCapture

@Suite("Cgroups: where they are mounted, and what is above them")
struct ControlGroupTests {
    private func mounts(_ text: String) -> ControlGroupMounts { ControlGroupMounts(mountinfo: Array(text.utf8)) }

    @Test("the unified hierarchy is found wherever it is mounted, and nothing else is taken for it")
    func found() {
        let found = mounts(
            """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
            41 31 0:300 / /sys/fs/cgroup/unified rw,relatime shared:4 master:1 - cgroup2 cgroup2 rw
            42 31 0:300 / /mnt/a\\040place\\134x rw - cgroup2 none rw
            43 31 0:9 / /cgroup2 rw - tmpfs cgroup2 rw
            """
        )
        // 0:300 as makedev(3) packs it.
        let device: UInt64 = 0x10_002c
        #expect(found.whole.map(\.path) == ["/mnt/a place\\x", "/sys/fs/cgroup/unified"])
        #expect(found.whole.map(\.device) == [device, device])
        #expect(!found.hasParts)
    }

    @Test("a part of the hierarchy is told from the whole")
    func parts() {
        let found = mounts("41 31 0:38 /machine.slice/box.scope /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
        #expect(found.whole.isEmpty && found.hasParts)
    }

    @Test(
        "lines that are none are passed over",
        arguments: [
            "", "x", "1 2 3", "1 2 a:b / /p rw - cgroup2 x rw", "1 2 0:1 / /p rw cgroup2 x", "1 2 0:1 / /p rw -",
        ]
    )
    func broken(line: String) {
        #expect(mounts(line).whole.isEmpty && !mounts(line).hasParts)
    }

    @Test(
        "the fence is the cgroup above; in penstock.slice it is the slice itself",
        arguments: [
            ("agents/one", "agents"), ("a/b/c", "a/b"), ("one", ""), ("penstock.slice/a.service", "penstock.slice"),
            ("penstock.slice/penstock-agents.slice/a.service", "penstock.slice"), ("penstock.slice", ""),
            ("penstock.slicer/a/b", "penstock.slicer/a"), ("system.slice/a.service", "system.slice"),
        ]
    )
    func fence(path: String, fence: String) {
        #expect(ControlGroupLookup.fencePath(of: path) == fence)
    }

    @Test("what systemd and container engines fill with other people's services is never fenced")
    func shared() {
        for path in [
            "", "system.slice", "user.slice", "machine.slice", "user.slice/user-1000.slice",
            "user.slice/user-1000.slice/user@1000.service", "user.slice/user-1000.slice/user@1000.service/app.slice",
            "kubepods.slice", "kubepods.slice/kubepods-burstable.slice", "kubepods", "docker", "init.scope",
        ] {
            #expect(ControlGroupLookup.isShared(path), "\(path)")
        }
        for path in ["penstock.slice", "agents", "machine.slice/libpod-1.scope", "penstock-agents.slice"] {
            #expect(!ControlGroupLookup.isShared(path), "\(path)")
        }
    }

    @Test("each cgroup is asked about before the daemon's owner, and each fence after it")
    func order() throws {
        var settings = CaptureSettings()
        settings.cgroups = ["p/a", "p/b"]
        let groups = ControlGroups(
            captured: [ControlGroup(path: "p/a", level: 2, number: 7), ControlGroup(path: "p/b", level: 2, number: 8)],
            fences: [ControlGroup(path: "p", level: 1, number: 6)]
        )
        let ruleset = try CapturePlan(settings, systemResolvers: [], controlGroups: groups).ruleset
        let fence = try #require(ruleset.chains.first { $0.name == "fence" }).rules.map(\.text)
        let stray = "counter reject with tcp reset comment \"refused: stale flow\""
        #expect(
            fence == [
                "socket cgroupv2 level 2 \"p/a\" jump governed", "socket cgroupv2 level 2 \"p/b\" jump governed",
                "ct direction reply ct mark 0x70656e04 jump answers",
                "ct direction reply ct mark 0x70656e02 jump answers",
                "meta skuid 10880 meta skgid 10880 ct status dnat ip daddr 127.0.0.1 tcp dport 15880 \(stray)",
                "meta skuid 10880 meta skgid 10880 ct status dnat ip6 daddr ::1 tcp dport 15880 \(stray)",
                "ct status dnat ip daddr 127.0.0.1 tcp dport 15880 tcp flags & (syn | ack) == syn \(stray)",
                "ct status dnat ip6 daddr ::1 tcp dport 15880 tcp flags & (syn | ack) == syn \(stray)",
                "meta skuid 10880 meta skgid 10880 ct direction original ct mark set 0x70656e01 accept",
                "meta skuid 10880 meta skgid 10880 accept", "socket cgroupv2 level 1 \"p\" jump fenced",
            ]
        )
        let capture = try #require(ruleset.chains.first { $0.name == "cap" }).rules.map(\.text)
        #expect(
            capture == [
                "socket cgroupv2 level 2 \"p/a\" jump captured", "socket cgroupv2 level 2 \"p/b\" jump captured",
            ]
        )
        // What is asked about ends in a refusal.
        for name in ["governed", "fenced", "inbound", "uninvited"] {
            let chain = ruleset.chains.first { $0.name == name }
            let last = try #require(chain?.rules.last)
            #expect(last.matches == [] && last.statements == [.count, .drop], "\(name)")
        }
    }
}
