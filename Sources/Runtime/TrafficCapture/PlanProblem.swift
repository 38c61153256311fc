import NetworkTypes

/// Why settings make no plan.
package enum PlanProblem: Error, Hashable, Sendable {
    case tableName(String)
    case twoScopes
    /// Cgroups are asked for, and nobody has looked them up.
    case cgroupsNotFound
    case gatewayWithExemption(Owner)
    case sharedParentWithoutCgroup
    case daemonPortZero
    case daemonPortTwice(UInt16)
    case daemonIsRoot
    case noSuchOwner(Owner)
    case inboundPortZero
    case inboundPortIsOurs(UInt16)
    case badResolver(IPAddress)
    case bypassPortZero(Bypass)
    case bypassOfEverything(Bypass)
    case bypassOfLoopback(Bypass)
    case bypassOfMapped(Bypass)
    case bypassOfMetadata(Bypass)
    case exemptionOfDaemon(Owner)
    case tooMany(String, limit: Int)
    case markBase
    case rulePriority(UInt32)
    case routingTable(UInt32)
}

extension PlanProblem: CustomStringConvertible {
    /// What is wrong, with what, and what to do.
    package var description: String {
        switch self {
        case .tableName(let name):
            "--table '\(name)': a name is 1 to 31 letters, digits, '-' and '_', begins with a letter and is no word of nft"
        case .twoScopes:
            "--cgroup and --gateway: one table governs either cgroups of this machine or what others send through it; give the "
                + "second a table, a mark and a daemon of its own"
        case .cgroupsNotFound: "--cgroup: cgroups are captured on the machine that has them, by penstock-init alone"
        case .gatewayWithExemption(let owner):
            "--exempt \(owner) with --gateway: who comes in by an interface has no user here; name addresses with --bypass-cidr"
        case .sharedParentWithoutCgroup: "--shared-parent means nothing without --cgroup: give both, or neither"
        case .daemonPortZero: "port 0 cannot be one of the daemon's: give a number from 1 to 65535"
        case .daemonPortTwice(let port): "port \(port) is given to two of the daemon's listeners: give each its own"
        case .daemonIsRoot:
            "--proxy-uid 0: whoever is root would pass as the daemon; give the daemon a user id of its own"
        case .noSuchOwner(let owner): "\(owner): 4294967295 is no user or group"
        case .inboundPortZero: "--inbound-port 0: give a number from 1 to 65535"
        case .inboundPortIsOurs(let port):
            "--inbound-port \(port): that is the daemon's own port, and must not be reached from outside the pod"
        case .badResolver(let address): "--dns-server \(address): that is no address of a single server"
        case .bypassPortZero(let bypass): "--bypass-cidr \(bypass): give a port from 1 to 65535"
        case .bypassOfEverything(let bypass):
            "--bypass-cidr \(bypass): that is every address; name the blocks that are meant"
        case .bypassOfLoopback(let bypass):
            "--bypass-cidr \(bypass): it holds loopback addresses, which are never captured; leave them out"
        case .bypassOfMapped(let bypass):
            "--bypass-cidr \(bypass): IPv4-mapped addresses leave as IPv4; write the IPv4 block"
        case .bypassOfMetadata(let bypass):
            "--bypass-cidr \(bypass): it holds the address of a metadata service, which hands out credentials; name a "
                + "smaller block, or say --allow-metadata"
        case .exemptionOfDaemon(let owner): "--exempt \(owner): that is the daemon itself, which is never captured"
        case .tooMany(let what, let limit): "more than \(limit) \(what)"
        case .rulePriority(let number):
            "--tproxy-priority \(number): give a number from 1 to 32765; behind that the kernel's own rules let packets out"
        case .routingTable(let number):
            "--tproxy-table \(number): 0, 253, 254 and 255 are the kernel's own; give a table that nobody uses"
        case .markBase: "--mark: give a multiple of 256 that is not 0"
        }
    }
}
