import NetworkTypes

extension Ruleset {
    /// The rules in the syntax of nft(8): what `nft -f` loads to the same effect as `install`, in one transaction.
    package var text: String {
        var lines = ["table inet \(table)", "delete table inet \(table)", "table inet \(table) {"]
        for set in sets {
            lines.append("  set \(set.name) {")
            lines.append("    type inet_service")
            lines.append("    elements = { \(set.ports.map(String.init).joined(separator: ", ")) }")
            lines.append("  }")
        }
        for chain in chains {
            lines.append("")
            lines.append("  chain \(chain.name) {")
            if chain.hook != nil { lines.append("    \(chain.placeText)") }
            lines += chain.rules.map { "    \($0.text)" }
            lines.append("  }")
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }
}

extension Ruleset.Chain {
    /// `type filter hook output priority 0; policy drop;`.
    var placeText: String {
        guard let hook else { return "no hook" }
        return "type \(type) hook \(hook) priority \(priority); policy \(dropsByDefault ? "drop" : "accept");"
    }
}

extension Rule {
    /// The rule as one line of nft(8).
    package var text: String {
        let comment = comment.map { ["comment \"\($0)\""] } ?? []
        return (matches.map(\.text) + statements.map(\.text) + comment).joined(separator: " ")
    }
}

extension Match {
    fileprivate var text: String {
        switch self {
        case .user(let user, let same): "meta skuid \(same ? "" : "!= ")\(user)"
        case .group(let group, let same): "meta skgid \(same ? "" : "!= ")\(group)"
        case .outputDevice(let name, let same): "oifname \(same ? "" : "!= ")\"\(name)\""
        case .inputDevice(let name, let same): "iifname \(same ? "" : "!= ")\"\(name)\""
        case .source(let block): block.text("saddr")
        case .destination(let block): block.text("daddr")
        case .transport(let transport): "meta l4proto \(transport.text)"
        case .sourcePort(let transport, let ports): "\(transport.text) sport \(ports.text)"
        case .destinationPort(let transport, let ports): "\(transport.text) dport \(ports.text)"
        case .tcpFlags(let mask, let value): "tcp flags & (\(mask.text)) == \(value.text)"
        case .direction(let direction): "ct direction \(direction)"
        case .mark(let mark): "ct mark \(hexadecimal(mark))"
        case .packetMark(let value, let mask): "meta mark & \(hexadecimal(mask)) == \(hexadecimal(value))"
        case .transparentSocket: "socket transparent 1"
        case .controlGroup(let group): "socket cgroupv2 level \(group.level) \"\(group.path)\""
        case .foreignSource: "fib saddr type != local"
        case .strayedSource: "fib saddr . iif oif missing"
        case .localDestination(let same): "fib daddr type \(same ? "" : "!= ")local"
        case .newFlow: "ct state new"
        case .destinationRewritten: "ct status dnat"
        case .ipv6HopLimit(let limit): "ip6 hoplimit \(limit)"
        case .icmpv6Type(let type): "icmpv6 type \(type.text)"
        case .undeliverableReset(let family): QuotedReset(family).text
        }
    }
}

extension Match.Transport {
    fileprivate var text: String {
        switch self {
        case .icmp: "icmp"
        case .tcp: "tcp"
        case .udp: "udp"
        case .icmpv6: "ipv6-icmp"
        }
    }
}

extension Match.Ports {
    fileprivate var text: String {
        switch self {
        case .one(let port): "\(port)"
        case .anyBut(let port): "!= \(port)"
        case .inSet(let name): "@\(name)"
        }
    }
}

extension Match.TCPFlags {
    fileprivate var text: String {
        let names: [(Match.TCPFlags, String)] = [(.fin, "fin"), (.syn, "syn"), (.rst, "rst"), (.ack, "ack")]
        return isEmpty ? "0x0" : names.filter { contains($0.0) }.map(\.1).joined(separator: " | ")
    }
}

extension Match.ICMPv6Type {
    fileprivate var text: String {
        switch self {
        case .routerSolicitation: "nd-router-solicit"
        case .routerAdvertisement: "nd-router-advert"
        case .neighborSolicitation: "nd-neighbor-solicit"
        case .neighborAdvertisement: "nd-neighbor-advert"
        }
    }
}

extension CIDR {
    fileprivate func text(_ field: String) -> String {
        let whole = base.family == .ipv4 ? 32 : 128
        return (base.family == .ipv4 ? "ip" : "ip6") + " \(field) \(base)"
            + (prefixLength == whole ? "" : "/\(prefixLength)")
    }
}

extension Statement {
    fileprivate var text: String {
        switch self {
        case .count: "counter"
        case .setMark(let mark): "ct mark set \(hexadecimal(mark))"
        case .setPacketMark(let value, let mask):
            "meta mark set meta mark & \(hexadecimal(~mask)) ^ \(hexadecimal(value))"
        case .transparentProxy(.ipv4, let port): "tproxy ip to 127.0.0.1:\(port)"
        case .transparentProxy(.ipv6, let port): "tproxy ip6 to [::1]:\(port)"
        case .keepDestination(.ipv4): "dnat ip to ip daddr"
        case .keepDestination(.ipv6): "dnat ip6 to ip6 daddr"
        case .redirect(let port): "redirect to :\(port)"
        case .noteOrigin:
            "tcp ackseq set jhash meta skuid mod \(UserHash.modulus) seed \(hexadecimal(UserHash.seed)) "
                + "tcp urgptr set @th,0,32 & 0xffff0000"
        case .rejectWithReset: "reject with tcp reset"
        case .rejectAsProhibited: "reject with icmpx admin-prohibited"
        case .accept: "accept"
        case .drop: "drop"
        case .leave: "return"
        case .jump(let chain): "jump \(chain)"
        }
    }
}
