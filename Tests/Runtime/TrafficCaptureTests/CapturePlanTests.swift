import NetworkTypes
import Posture
import Testing
import TrafficCapture

@Suite("The plan")
struct CapturePlanTests {
    private func problem(_ change: (inout CaptureSettings) -> Void) -> PlanProblem? {
        var settings = CaptureSettings()
        change(&settings)
        do throws(PlanProblem) {
            _ = try CapturePlan(settings, systemResolvers: [])
            return nil
        } catch { return error }
    }

    @Test(
        "C01: a bypass never holds or touches a metadata service unless that is said",
        arguments: [
            "169.254.169.254/32:80", "169.254.0.0/16:80", "169.254.170.2/32:80", "169.254.170.23/32:80",
            "100.100.100.200/32:80", "100.64.0.0/10:80", "168.63.129.16/32:80", "128.0.0.0/1:80", "192.0.0.192/32:80",
            "[fd00:ec2::254/128]:80", "[fd00:ec2::23/128]:80", "[fd20:ce::254/128]:80", "[fc00::/7]:80",
            "fd00:ec2::/32:80",
            "[64:ff9b::a9fe:a9fe]:80", "[64:ff9b::/96]:80", "[64:ff9b:1::/48]:80", "[2002:a9fe:a9fe::/48]:80",
            "[2000::/3]:80",
        ]
    ) func metadata(text: String) throws {
        let bypass = try #require(Bypass(text))
        #expect(problem { $0.bypasses = [bypass] } == .bypassOfMetadata(bypass))
        var settings = CaptureSettings()
        settings.bypasses = [bypass]
        settings.allowsMetadata = true
        let plan = try CapturePlan(settings, systemResolvers: [])
        #expect(plan.weaknesses == [PlanWeakness(.metadata, "metadata by bypass tcp \(bypass)")])
    }

    /// The list of the plan and the one of `IPAddress.isMetadata` must be the same: all near addresses are tried.
    @Test(
        "C01: every metadata address that the house knows is refused",
        arguments: ["169.254.0.0", "100.100.100.0", "168.63.129.0", "192.0.0.0", "fd00:ec2::", "fd20:ce::"]
    ) func everyMetadataAddress(base: String) throws {
        let base = try #require(IPAddress(base))
        var found = 0
        for offset in 0..<UInt32(1 << 16) {
            let address: IPAddress
            switch base {
            case .v4(let first): address = .v4(IPv4Address(bits: first.bits | offset))
            case .v6(let first): address = .v6(IPv6Address(high: first.high, low: first.low | UInt64(offset)))
            }
            guard address.isMetadata else { continue }
            found += 1
            // The block around it, so that the address is held and not named.
            let around = try #require(
                CIDR(
                    address.masked(to: address.family == .ipv4 ? 31 : 127),
                    prefixLength: address.family == .ipv4 ? 31 : 127
                )
            )
            let bypass = Bypass(block: around, port: 80)
            let found = problem { $0.bypasses = [bypass] }
            #expect(found == .bypassOfMetadata(bypass))
        }
        #expect(found > 0)
    }

    @Test("blocks that would open the daemon's own ports, or everything, are refused")
    func foolishBypasses() throws {
        for text in ["0.0.0.0/0:443", "[::/0]:443"] {
            let bypass = try #require(Bypass(text))
            let found = problem { $0.bypasses = [bypass] }
            #expect(found == .bypassOfEverything(bypass))
        }
        for text in ["127.0.0.1:15880", "126.0.0.0/7:443", "[::1]:15880", "[::/64]:443"] {
            let bypass = try #require(Bypass(text))
            let found = problem { $0.bypasses = [bypass] }
            #expect(found == .bypassOfLoopback(bypass))
        }
        let mapped = try #require(Bypass("[::ffff:10.0.0.0/104]:443"))
        #expect(problem { $0.bypasses = [mapped] } == .bypassOfMapped(mapped))
    }

    @Test("CIDR:PORT is read in both families, and nothing else is")
    func bypassText() {
        #expect(Bypass("10.0.0.0/8:5432")?.description == "10.0.0.0/8:5432")
        #expect(Bypass("10.1.2.3:5432")?.description == "10.1.2.3/32:5432")
        #expect(Bypass("[fd12::/16]:443")?.description == "[fd12::/16]:443")
        #expect(Bypass("fd12::/16:443")?.description == "[fd12::/16]:443")
        let wrong = [
            "", ":", "10.0.0.0/8", "10.0.0.0/8:", "10.0.0.0/8:65536", "10.0.0.1/8:1", "fd12::1:443", "[fd12::/16]443",
            "10.0.0.0/33:1", "10.0.0.0/8:+1", "[10.0.0.0/8:1", " 10.0.0.0/8:1", "host:80", "10.0.0.0/8:01",
        ]
        for text in wrong { #expect(Bypass(text) == nil, "\(text)") }
    }

    @Test("settings that contradict themselves make no plan")
    func contradictions() {
        #expect(problem { $0.daemon.user = 0 } == .daemonIsRoot)
        #expect(problem { $0.allowsSharedParents = true } == .sharedParentWithoutCgroup)
        // Told before this machine's cgroups are looked up.
        let both = problem {
            $0.cgroups = ["a.slice"]
            $0.gatewayInterfaces = ["br-agents"]
        }
        #expect(both == .twoScopes)
        #expect(problem { $0.ports.api = 15880 } == .daemonPortTwice(.proxyPort, .apiPort, 15880))
        #expect(problem { $0.ports.dns = 0 } == .daemonPortZero(.dnsPort))
        #expect(problem { $0.inboundPorts = [0] } == .inboundPortZero)
        #expect(problem { $0.inboundPorts = [15881] } == .inboundPortIsOurs(15881))
        let daemon = Owner(user: 10880, group: 10880)
        #expect(problem { $0.exemptions = [daemon] } == .exemptionOfDaemon(daemon))
        #expect(problem { $0.markBase = 0x101 } == .markBase)
        for number: UInt32 in [0, 32766] {
            let found = problem { $0.routing.priority = number }
            #expect(found == .rulePriority(number))
        }
        for number: UInt32 in [0, 253, 254, 255] {
            let found = problem { $0.routing.table = number }
            #expect(found == .routingTable(number))
        }
        #expect(problem { $0.inboundPorts = Array(1...65) } == .tooMany(.inboundPort))
        #expect(problem { $0.inboundPorts = Array(1...64) } == nil)
        for name in ["", "1a", "a b", "a\"", "a{", "inet", "a\n", "ä", String(repeating: "a", count: 32)] {
            let found = problem { $0.table = name }
            #expect(found == .tableName(name), "\(name)")
        }
    }

    @Test("more values than a flag may have are refused with a way to fewer, and one fewer is not")
    func limits() throws {
        let block = try #require(CIDR(IPAddress.v4(IPv4Address(10, 0, 0, 0)), prefixLength: 8))
        for (extra, isRefused) in [(0, false), (1, true)] {
            let found = [
                problem { $0.resolvers = (0..<16 + extra).map { .v4(IPv4Address(10, 0, 0, UInt8($0))) } },
                problem { $0.exemptions = (0..<16 + extra).map { Owner(user: 1, group: UInt32($0)) } },
                problem { $0.bypasses = (1...64 + extra).map { Bypass(block: block, port: UInt16($0)) } },
            ]
            let expected = [CaptureFlag.dnsServer, .exempt, .bypass].map { isRefused ? PlanProblem.tooMany($0) : nil }
            #expect(found == expected)
        }
        let texts = [CaptureFlag.dnsServer, .exempt, .bypass].map { PlanProblem.tooMany($0).description }
        #expect(
            texts == [
                "--dns-server: more than 16 resolvers; name only those that the agent needs, or one that asks the others",
                "--exempt: more than 16 exemptions; give these programs a user and group in common",
                "--bypass-cidr: more than 64 bypasses; name wider blocks, or have policy allow what is captured",
            ]
        )
    }

    @Test("a resolver is the address of one server, and none in the clothes of IPv6, whose rule could never match")
    func resolvers() throws {
        for text in ["0.0.0.0", "::", "224.0.0.251", "ff02::fb", "240.0.0.1", "255.255.255.255"] {
            let address = try #require(IPAddress(text))
            let found = problem { $0.resolvers = [address] }
            #expect(found == .badResolver(address))
        }
        let mapped = try #require(IPAddress("::ffff:1.1.1.1"))
        let found = problem { $0.resolvers = [mapped] }
        #expect(found == .mappedResolver(mapped))
        #expect(found?.description == "--dns-server ::ffff:1.1.1.1: IPv4-mapped addresses leave as IPv4; write 1.1.1.1")
        let file = ResolverFile(Array("nameserver ::ffff:1.1.1.1\nnameserver 0.0.0.0\nnameserver 1.1.1.1".utf8))
        #expect(file.servers.map(\.description) == ["1.1.1.1"] && file.unreadable == ["::ffff:1.1.1.1", "0.0.0.0"])
    }

    @Test("exemptions make the posture weak, resolvers and bypasses are told of")
    func posture() throws {
        var settings = CaptureSettings()
        settings.exemptions = [Owner(user: 0, group: 0)]
        settings.bypasses = [try #require(Bypass("10.0.0.0/8:5432"))]
        let resolver = try #require(IPAddress("10.96.0.10"))
        let plan = try CapturePlan(settings, systemResolvers: [resolver, resolver])
        #expect(plan.weaknesses == [PlanWeakness(.exemption, "exempt 0:0")])
        #expect(plan.ungoverned == ["dns 10.96.0.10 udp+tcp 53", "bypass tcp 10.0.0.0/8:5432", "exempt 0:0"])
        #expect(try CapturePlan(CaptureSettings(), systemResolvers: []).ungoverned.isEmpty)
    }

    @Test("resolvers that are named stand in the place of the system's")
    func namedResolvers() throws {
        var settings = CaptureSettings()
        settings.resolvers = [try #require(IPAddress("fd00::53"))]
        let plan = try CapturePlan(settings, systemResolvers: [try #require(IPAddress("10.0.0.1"))])
        #expect(plan.ungoverned == ["dns fd00::53 udp+tcp 53"])
    }

    @Test("cgroups that nobody has looked up make no plan, and never one for everything")
    func cgroups() throws {
        #expect(problem { $0.cgroups = ["a/b"] } == .cgroupsNotFound)
        var settings = CaptureSettings()
        settings.cgroups = ["a/b"]
        let plan = try CapturePlan(settings, systemResolvers: [], controlGroups: ControlGroups(absent: ["a/b"]))
        #expect(plan.scope == .controlGroups(ControlGroups(absent: ["a/b"])))
        #expect(plan.ruleset.chains.filter { $0.hook != nil }.allSatisfy { !$0.dropsByDefault })
        let unfenced = ControlGroups(absent: ["a/b"], unfenced: ["a"])
        let weak = try CapturePlan(settings, systemResolvers: [], controlGroups: unfenced).weaknesses
        let text = "shared parent a: a cgroup made again is free until its rule is swapped"
        #expect(weak == [PlanWeakness(.sharedParent, text)])
        #expect(plan.controlGroupPaths == ["a/b"])
        settings.gatewayInterfaces = ["eth1"]
        let both = #expect(throws: PlanProblem.self) {
            try CapturePlan(settings, systemResolvers: [], controlGroups: ControlGroups())
        }
        #expect(both == .twoScopes)
    }

    @Test("the name servers of a resolver file are read, and what is none is kept apart")
    func resolverFile() {
        let text =
            "# nameserver 1.1.1.1\nsearch a.b\nnameserver 10.96.0.10\r\nnameserver\tfd00::53 x\nnameserver fe80::1%eth0\nnameserver"
        let file = ResolverFile(Array(text.utf8))
        #expect(file.servers.map(\.description) == ["10.96.0.10", "fd00::53"])
        #expect(file.unreadable == ["fe80::1%eth0"])
    }
}
