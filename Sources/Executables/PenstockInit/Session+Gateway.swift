import LinuxBindings
import Posture
import TrafficCapture

extension Session {
    /// Says whose traffic is governed where that is not this network namespace's own, and what of it may be meant otherwise.
    func sayScope(_ plan: CapturePlan) {
        guard let governed = plan.governedTraffic else { return }
        say("governed: \(governed)")
        for weakness in plan.interfaceWeaknesses { say("warning: \(weakness.text)") }
    }
}

extension CapturePlan {
    /// What the interfaces of this network namespace make doubtful of a gateway: nothing may come in by those that are named.
    var interfaceWeaknesses: [PlanWeakness] {
        guard case .gateway = scope else { return [] }
        return gatewayWarnings(devices: networkDevices(), ports: Self.bridgePorts, shown: Self.shownBridges)
    }

    /// The bridges of this network namespace whose frames pass the rules.
    private static var shownBridges: Set<String> {
        let settings = ["iptables", "ip6tables"].map { "/proc/sys/net/bridge/bridge-nf-call-\($0)" }
        let isOn = settings.contains { (try? readFile($0, limit: 64))?.first == UInt8(ascii: "1") }
        guard isOn else { return [] }
        return networkDevices().filter { (try? readFile("/sys/class/net/\($0)/bridge/bridge_id", limit: 64)) != nil }
    }

    /// Those that are part of another one, as far as /sys is there to say it.
    private static var bridgePorts: Set<String> {
        networkDevices().filter { (try? readFile("/sys/class/net/\($0)/master/ifindex", limit: 64)) != nil }
    }
}
