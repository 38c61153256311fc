import NetworkTypes

extension NetlinkQuestions {
    /// True where the port is one of these and the address one of this machine, at which whoever listens may be met.
    ///
    /// The kernel is asked for every such port: addresses come and go. If it cannot be asked, the answer is yes.
    package func isLocal(_ address: SocketAddress, among ports: Set<UInt16>) -> Bool {
        guard ports.contains(address.port) else { return false }
        switch address.address.unmapped.specialRange {
        case .loopback, .unspecified: return true
        default: return (try? isLocal(address.address)) ?? true
        }
    }
}
