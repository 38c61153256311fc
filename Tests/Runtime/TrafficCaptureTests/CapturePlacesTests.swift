import SourceDocuments
import Testing
import TrafficCapture

@Suite("Values of the configuration file that make no plan")
struct CapturePlacesTests {
    /// What is said of a file, beside a command line; `nil` where they make a plan.
    private func complaint(_ yaml: String, _ flags: [String] = []) throws -> String? {
        var settings = try CaptureSettings(yaml: Array(yaml.utf8), file: "i.yaml")
        try CaptureArguments(["install"] + flags).apply(to: &settings)
        do throws(PlanProblem) {
            _ = try CapturePlan(settings, systemResolvers: [])
            return nil
        } catch { return error.placed(in: settings)?.description ?? "no place: \(error)" }
    }

    @Test(
        "they are named by place and key, in the words of the file",
        arguments: [
            (
                "bypass_cidrs: [\"10.0.0.0/8:1\", \"169.254.0.0/16:80\"]",
                "1:32: `bypass_cidrs` 169.254.0.0/16:80: it holds the address of a metadata service, which hands out "
                    + "credentials; name a smaller block, or say `allow_metadata: true`"
            ),
            (
                "table: a\nproxy_uid: 0",
                "2:12: `proxy_uid` 0: whoever is root would pass as the daemon; give the daemon a user id of its own"
            ),
            (
                "proxy_port: 15881",
                "1:13: port 15881 is given to two of the daemon's listeners (`proxy_port`, `explicit_port`): give each its own"
            ),
            ("dns_port: 0", "1:11: `dns_port`: port 0 cannot be one of the daemon's; give a number from 1 to 65535"),
            ("inbound_ports: [80, 0]", "1:21: `inbound_ports` 0: give a number from 1 to 65535"),
            (
                "inbound_ports:\n  - 80\n  - 15880",
                "3:5: `inbound_ports` 15880: that is the daemon's own port, and must not be reached from outside the pod; "
                    + "leave it out"
            ),
            (
                "exempt: [\"10880:10880\"]",
                "1:10: `exempt` 10880:10880: that is the daemon itself, which is never captured; leave it out"
            ),
            (
                "proxy_gid: 4294967295",
                "1:12: `proxy_gid`: in 10880:4294967295, 4294967295 is no user or group; give a smaller number"
            ),
            (
                "dns_servers: [0.0.0.0]",
                "1:15: `dns_servers` 0.0.0.0: that is no address of a single server; name the server's own"
            ),
            (
                "dns_servers: [1.1.1.1, \"::ffff:1.1.1.1\"]",
                "1:24: `dns_servers` ::ffff:1.1.1.1: IPv4-mapped addresses leave as IPv4; write 1.1.1.1"
            ),
            (
                "table: \"a b\"",
                "1:8: `table` 'a b': a name is 1 to 31 letters, digits, '-' and '_', begins with a letter and is no word of nft"
            ),
            ("mark: 5", "1:7: `mark`: give a multiple of 256 that is not 0"),
            (
                "bypass_cidrs: [\"0.0.0.0/0:1\"]",
                "1:16: `bypass_cidrs` 0.0.0.0/0:1: that is every address; name the blocks that are meant"
            ),
            (
                "shared_parent: true",
                "1:16: `shared_parent: true` means nothing without `cgroups`: give both, or neither"
            ),
            (
                "exempt: [\"0:0\", \"0:1\"]\ngateway: [br0]",
                "1:10: `exempt` 0:0 with `gateway`: who comes in by an interface has no user here; name addresses with "
                    + "`bypass_cidrs`"
            ),
            (
                "mode: tproxy\ntproxy_table: 254",
                "2:15: `tproxy_table` 254: 0, 253, 254 and 255 are the kernel's own; give a table that nobody uses"
            ),
        ]
    )
    func placed(yaml: String, complaint: String) throws {
        #expect(try self.complaint(yaml) == "i.yaml:\(complaint)")
    }

    @Test("of two values that contradict each other the file's is placed, and the flag keeps its name")
    func contradictions() throws {
        let port = try complaint("proxy_port: 8080", ["--inbound-port", "8080"])
        #expect(port?.hasPrefix("i.yaml:1:13: --inbound-port 8080: ") == true)
        let both = try complaint("cgroups: [a/b]", ["--gateway", "br0"])
        #expect(both?.hasPrefix("i.yaml:1:11: `cgroups` and --gateway: ") == true)
    }

    @Test("what the command line said has no place, though the file has the key; what it stands above is no error")
    func commandLine() throws {
        let text = "--bypass-cidr 0.0.0.0/0:1: that is every address; name the blocks that are meant"
        #expect(try complaint("bypass_cidrs: []", ["--bypass-cidr", "0.0.0.0/0:1"]) == "no place: \(text)")
        #expect(try complaint("inbound_ports: [0]", ["--inbound-port", "1"]) == nil)
    }

    @Test("the first value beyond the limit is placed")
    func tooMany() throws {
        let items = (1...17).map { "\n  - 10.0.0.\($0)" }.joined()
        let complaint = try complaint("dns_servers:\(items)")
        #expect(complaint?.hasPrefix("i.yaml:18:5: `dns_servers`: more than 16 resolvers; ") == true)
    }
}
