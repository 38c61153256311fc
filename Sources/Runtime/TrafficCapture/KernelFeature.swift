import NetfilterBindings

/// The parts of the kernel that the rules need, by the names under which a distribution's kernel has them.
enum KernelFeature {
    static let tables = "nf_tables with the inet family (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET)"
    static let nat = "nf_tables address translation (CONFIG_NFT_NAT, module nft_chain_nat)"

    static let policyRouting = "policy routing (CONFIG_IP_MULTIPLE_TABLES, CONFIG_IPV6_MULTIPLE_TABLES)"

    /// What provides this expression.
    static func of(_ expression: NetfilterExpression) -> String {
        switch expression {
        case .loadFlow, .storeFlow: "connection tracking in rules (CONFIG_NFT_CT, module nft_ct)"
        case .loadSourceAddressType, .loadDestinationAddressType, .loadReversePath:
            "address types in rules (CONFIG_NFT_FIB_INET, module nft_fib_inet)"
        case .loadSocket(.controlGroup, _, _):
            "cgroups in rules (CONFIG_NFT_SOCKET, module nft_socket; CONFIG_SOCK_CGROUP_DATA)"
        case .loadSocket: "sockets in rules (CONFIG_NFT_SOCKET, module nft_socket)"
        case .translateDestination: nat
        case .transparentProxy: "transparent proxying (CONFIG_NFT_TPROXY, module nft_tproxy)"
        case .redirect: "redirection (CONFIG_NFT_REDIR, module nft_redir)"
        case .reject: "refusals in rules (CONFIG_NFT_REJECT_INET, module nft_reject_inet)"
        case .counter: "counters in rules (CONFIG_NF_TABLES, module nft_counter)"
        case .hash: "hashes in rules (CONFIG_NFT_HASH, module nft_hash)"
        case .loadMeta, .storeMeta, .loadPayload, .storeTransport, .networkOrder, .bitwise, .compare, .lookup,
            .immediate, .verdict, .jump:
            tables
        case .foreign(let name): "the nf_tables expression '\(name)'"
        }
    }
}

/// The `errno` values that tell one refusal of the kernel from another.
enum KernelErrors {
    static let notPermitted: Int32 = 1
    static let noEntry: Int32 = 2
    static let alreadyThere: Int32 = 17
    static let invalid: Int32 = 22
    static let familyNotSupported: Int32 = 97
    static let protocolNotSupported: Int32 = 93
    static let notSupported: Int32 = 95
}

extension NetfilterChange {
    /// The change in the words of nft(8), as far as it has any.
    var text: String {
        switch self {
        case .addTable(let name): "add table inet \(name)"
        case .deleteTable(let name): "delete table inet \(name)"
        case .addSet(let set, let table): "add set inet \(table) \(set.name)"
        case .addChain(let chain): "add chain inet \(chain.table) \(chain.name)"
        case .addRule(let rule, let table):
            "add rule inet \(table) \(rule.chain) [\(rule.expressions.map(\.kernelName).joined(separator: " "))]"
        }
    }
}
