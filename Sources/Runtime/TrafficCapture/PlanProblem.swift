import NetworkTypes

/// Why settings make no plan.
package enum PlanProblem: Error, Hashable, Sendable {
    case tableName(String)
    case twoScopes
    /// Cgroups are asked for, and nobody has looked them up.
    case cgroupsNotFound
    case gatewayWithExemption(Owner)
    case sharedParentWithoutCgroup
    case daemonPortZero(CaptureFlag)
    case daemonPortTwice(CaptureFlag, CaptureFlag, UInt16)
    case daemonIsRoot
    case noSuchOwner(CaptureFlag, Owner)
    case inboundPortZero
    case inboundPortIsOurs(UInt16)
    case badResolver(IPAddress)
    case mappedResolver(IPAddress)
    case bypassPortZero(Bypass)
    case bypassOfEverything(Bypass)
    case bypassOfLoopback(Bypass)
    case bypassOfMapped(Bypass)
    case bypassOfMetadata(Bypass)
    case exemptionOfDaemon(Owner)
    /// More than the flag's limit.
    case tooMany(CaptureFlag)
    case markBase
    case rulePriority(UInt32)
    case routingTable(UInt32)
}

extension PlanProblem: CustomStringConvertible {
    /// What is wrong, with what, and what to do, in the words of the command line.
    package var description: String { text { "--\($0.rawValue)" } }

    /// The same, each setting under the name that `name` gives it.
    func text(_ name: (CaptureFlag) -> String) -> String {
        switch self {
        case .tableName(let table):
            "\(name(.table)) '\(table)': a name is 1 to 31 letters, digits, '-' and '_', begins with a letter and is no word of nft"
        case .twoScopes:
            "\(name(.cgroup)) and \(name(.gateway)): one table governs either cgroups of this machine or what others send through "
                + "it; give the second a table, a mark and a daemon of its own"
        case .cgroupsNotFound:
            "\(name(.cgroup)): cgroups are captured on the machine that has them, by penstock-init alone"
        case .gatewayWithExemption(let owner):
            "\(name(.exempt)) \(owner) with \(name(.gateway)): who comes in by an interface has no user here; name addresses "
                + "with \(name(.bypass))"
        case .sharedParentWithoutCgroup:
            "\(name(.sharedParent)) means nothing without \(name(.cgroup)): give both, or neither"
        case .daemonPortZero(let flag):
            "\(name(flag)): port 0 cannot be one of the daemon's; give a number from 1 to 65535"
        case .daemonPortTwice(let one, let other, let port):
            "port \(port) is given to two of the daemon's listeners (\(name(one)), \(name(other))): give each its own"
        case .daemonIsRoot:
            "\(name(.proxyUser)) 0: whoever is root would pass as the daemon; give the daemon a user id of its own"
        case .noSuchOwner(let flag, let owner):
            "\(name(flag)): in \(owner), 4294967295 is no user or group; give a smaller number"
        case .inboundPortZero: "\(name(.inboundPort)) 0: give a number from 1 to 65535"
        case .inboundPortIsOurs(let port):
            "\(name(.inboundPort)) \(port): that is the daemon's own port, and must not be reached from outside the pod; leave it out"
        case .badResolver(let address):
            "\(name(.dnsServer)) \(address): that is no address of a single server; name the server's own"
        case .mappedResolver(let address):
            "\(name(.dnsServer)) \(address): IPv4-mapped addresses leave as IPv4; write \(address.unmapped)"
        case .bypassPortZero(let bypass): "\(name(.bypass)) \(bypass): give a port from 1 to 65535"
        case .bypassOfEverything(let bypass):
            "\(name(.bypass)) \(bypass): that is every address; name the blocks that are meant"
        case .bypassOfLoopback(let bypass):
            "\(name(.bypass)) \(bypass): it holds loopback addresses, which are never captured; leave them out"
        case .bypassOfMapped(let bypass):
            "\(name(.bypass)) \(bypass): IPv4-mapped addresses leave as IPv4; write the IPv4 block"
        case .bypassOfMetadata(let bypass):
            "\(name(.bypass)) \(bypass): it holds the address of a metadata service, which hands out credentials; name a "
                + "smaller block, or say \(name(.allowMetadata))"
        case .exemptionOfDaemon(let owner):
            "\(name(.exempt)) \(owner): that is the daemon itself, which is never captured; leave it out"
        case .tooMany(let flag): "\(name(flag)): more than \(flag.limit) \(Self.tooMany(flag))"
        case .rulePriority(let number):
            "\(name(.tproxyPriority)) \(number): give a number from 1 to 32765; behind that the kernel's own rules let packets out"
        case .routingTable(let number):
            "\(name(.tproxyTable)) \(number): 0, 253, 254 and 255 are the kernel's own; give a table that nobody uses"
        case .markBase: "\(name(.mark)): give a multiple of 256 that is not 0"
        }
    }

    private static func tooMany(_ flag: CaptureFlag) -> String {
        switch flag {
        case .dnsServer: "resolvers; name only those that the agent needs, or one that asks the others"
        case .bypass: "bypasses; name wider blocks, or have policy allow what is captured"
        case .exempt: "exemptions; give these programs a user and group in common"
        case .inboundPort: "inbound ports; name only those that are needed"
        case .cgroup: "cgroups; put them into one slice, and name that"
        case .gateway: "gateway interfaces; have a second table, with a mark and a daemon of its own, govern the others"
        case .mode, .sharedParent, .proxyPort, .explicitPort, .dnsPort, .apiPort, .healthPort, .proxyUser, .proxyGroup,
            .allowMetadata, .table, .mark, .tproxyMark, .tproxyPriority, .tproxyTable, .config, .watch, .watchSeconds,
            .adminSocket:
            "values; give only one"
        }
    }
}
