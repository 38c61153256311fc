/// A pod and the world outside it: two namespaces joined by one wire.
///
/// The pod has 198.51.100.2/24 and 2001:db8:1::2/64 on `eth0` and its default routes lead to the world, which has .1 and
/// ::1 there and takes **every** address for its own: whatever the pod sends arrives at a listener of the world that
/// is bound to 0.0.0.0 or ::, or is counted there.
final class PodAndWorld {
    let pod: NetworkNamespace
    let world: NetworkNamespace

    static let podIPv4 = "198.51.100.2"
    static let podIPv6 = "2001:db8:1::2"
    static let worldIPv4 = "198.51.100.1"
    static let worldIPv6 = "2001:db8:1::1"

    /// Makes both namespaces, the wire, the addresses and the routes.
    init() throws {
        pod = try NetworkNamespace("pod")
        world = try NetworkNamespace("world")
        try NetworkNamespace.must([
            "ip", "link", "add", "eth0", "netns", pod.name, "type", "veth", "peer", "name", "eth0", "netns", world.name,
        ])
        try pod.must(
            ["ip", "-batch", "-"],
            input: """
                addr add \(Self.podIPv4)/24 dev eth0
                addr add \(Self.podIPv6)/64 dev eth0 nodad
                link set eth0 up

                """
        )
        try world.must(
            ["ip", "-batch", "-"],
            input: """
                addr add \(Self.worldIPv4)/24 dev eth0
                addr add \(Self.worldIPv6)/64 dev eth0 nodad
                link set eth0 up
                route add local 0.0.0.0/0 dev lo table main
                route add local ::/0 dev lo table main

                """
        )
        try pod.must(
            ["ip", "-batch", "-"],
            input: """
                route add default via \(Self.worldIPv4)
                route add default via \(Self.worldIPv6)

                """
        )
    }

    /// Makes a pod and a world, hands them to `body`, and takes everything down afterwards.
    static func with<Result>(_ body: (PodAndWorld) throws -> Result) throws -> Result {
        let both = try PodAndWorld()
        defer {
            both.pod.stopAll()
            both.world.stopAll()
        }
        return try body(both)
    }

    /// Counts, from now on, packets that arrive in the world over the wire and match an nft expression.
    ///
    /// `expression` is in nft syntax, such as `udp dport 443`; empty for everything.
    func countArrivals(_ name: String, _ expression: String) throws {
        try world.must(
            ["nft", "-f", "-"],
            input: """
                table inet arrivals {
                  counter n_\(name) { }
                  chain wire { type filter hook prerouting priority -400; }
                }
                add rule inet arrivals wire iifname "eth0" \(expression) counter name n_\(name)

                """
        )
    }

    /// How many packets a counter of `countArrivals` has seen.
    func arrivals(_ name: String) throws -> Int {
        let listing = try world.must(["nft", "list", "counter", "inet", "arrivals", "n_\(name)"])
        let words = listing.split(whereSeparator: \.isWhitespace)
        guard let place = words.firstIndex(of: "packets"), let count = Int(words[place + 1]) else { return -1 }
        return count
    }
}
