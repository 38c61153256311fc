import LinuxBindings
import NetworkTypes
import Posture
import Telemetry

extension PostureSurvey {
    /// What a gateway needs beside its rules: the interfaces, the addresses that the redirect leads to, and forwarding for what is
    /// granted.
    ///
    /// `nil` where this is none, as far as the configuration and the watcher say.
    var gateway: PostureCheck? {
        let addresses = plan.transparent.map(\.address).filter { !loopback.contains($0) }
        // Nobody has said yet: what the configuration says is all that is known.
        let interfaces = ruleset.gateway ?? []
        guard !addresses.isEmpty || !interfaces.isEmpty else { return nil }
        if let failure = contradiction(addresses, interfaces) ?? absence(addresses, interfaces) { return failure }
        let governed = interfaces.isEmpty ? "which interfaces is not known" : interfaces.joined(separator: ", ")
        let detail = "what comes in is governed (\(governed)); what begins here is not"
        let closed = Self.forwarding.filter { isOff($0.path) }.map(\.name)
        guard closed.isEmpty else {
            return PostureCheck(
                "gateway",
                .note,
                "\(detail); forwarding is off (\(closed.joined(separator: ", "))): what the rules let by goes no further",
                remedy: "set them to 1 where --dns-server beyond this machine, --bypass-cidr or --inbound-port are used"
            )
        }
        return PostureCheck("gateway", .ok, "\(detail); forwarding is on")
    }

    /// Rules and daemon that are not made for each other.
    private func contradiction(_ addresses: [IPAddress], _ interfaces: [String]) -> PostureCheck? {
        if ruleset.gateway != nil, interfaces.isEmpty {
            return PostureCheck(
                "gateway",
                .failed,
                "listen.transparent.addresses has \(addresses[0]), and the rules are not those of a gateway: nothing that comes in is "
                    + "governed",
                remedy: "penstock-init install --gateway IFACE, and the watcher with the same flags"
            )
        }
        if addresses.isEmpty, plan.way == .redirect {
            return PostureCheck(
                "gateway",
                .failed,
                "the rules redirect what comes in by \(interfaces[0]) to its own addresses, and the daemon listens on loopback",
                remedy: "listen.transparent.addresses: the addresses of \(interfaces[0])"
            )
        }
        return nil
    }

    /// Interfaces and addresses that are not there (any more).
    private func absence(_ addresses: [IPAddress], _ interfaces: [String]) -> PostureCheck? {
        let devices = networkDevices()
        if let lost = interfaces.first(where: { !devices.contains($0) }) {
            return PostureCheck(
                "gateway",
                .failed,
                "there is no interface \(printable(lost)): nobody comes in by it",
                remedy: "bring it up under that name, or name another one in --gateway"
            )
        }
        guard let kernel = try? NetlinkQuestions() else { return nil }
        guard let lost = addresses.first(where: { (try? kernel.isLocal($0)) == false }) else { return nil }
        return PostureCheck(
            "gateway",
            .failed,
            "\(lost) of listen.transparent.addresses is on no interface: captured connections are refused",
            remedy: "give it to the interface of --gateway again, or name the address that it has now"
        )
    }

    private static let forwarding = [
        (name: "net.ipv4.ip_forward", path: "/proc/sys/net/ipv4/ip_forward"),
        (name: "net.ipv6.conf.all.forwarding", path: "/proc/sys/net/ipv6/conf/all/forwarding"),
    ]

    private func isOff(_ path: String) -> Bool {
        (try? readFile(path, limit: 16))?.first == UInt8(ascii: "0")
    }
}
