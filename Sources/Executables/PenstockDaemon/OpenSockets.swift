import ConnectionJourney
import NetworkTypes

/// The numbers of sockets that listen; whoever serves them owns them.
struct OpenSockets: Sendable {
    /// For each worker its own, of every port that agents come to.
    var agents: [[ListeningSocket]] = []
    /// For each worker its own, of the governance API.
    var api: [[Int32]] = []
    /// Of health and metrics, one for each address.
    var health: [Int32] = []
    /// All TCP sockets above, as `fstat` numbers them.
    var inodes: Set<UInt64> = []
    /// Families that this network namespace does not have.
    var missing: Set<AddressFamily> = []
    var admin = AdminOpening.unavailable("not opened")
}

extension AddressFamily {
    /// `IPv4` or `IPv6`.
    var name: String {
        switch self {
        case .ipv4: "IPv4"
        case .ipv6: "IPv6"
        }
    }
}
