import LinuxBindings
import TrafficCapture

extension Session {
    /// Says whose traffic is governed where that is not this network namespace's own, and what of it may be meant otherwise.
    func sayScope(_ plan: CapturePlan) {
        guard let governed = plan.governedTraffic else { return }
        say("governed: \(governed)")
        for warning in plan.interfaceWarnings { say("warning: \(warning)") }
    }
}

extension CapturePlan {
    /// What the interfaces of this network namespace make doubtful of a gateway: nothing may come in by those that are named.
    var interfaceWarnings: [String] {
        guard case .gateway = scope else { return [] }
        return gatewayWarnings(devices: Self.devices, ports: Self.bridgePorts)
    }

    /// The interfaces of this network namespace.
    private static var devices: Set<String> {
        guard let table = try? readFile("/proc/net/dev", limit: 1 << 20) else { return [] }
        let lines = table.split(separator: UInt8(ascii: "\n")).dropFirst(2)
        let names = lines.compactMap { $0.split(separator: UInt8(ascii: ":"), maxSplits: 1).first }
        return Set(names.map { String(decoding: $0.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self) })
    }

    /// Those that are part of another one, as far as /sys is there to say it.
    private static var bridgePorts: Set<String> {
        devices.filter { (try? readFile("/sys/class/net/\($0)/master/ifindex", limit: 64)) != nil }
    }
}
