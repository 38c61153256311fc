import NetfilterBindings
import NetworkTypes

/// The policy routing that transparent proxying needs, the same for both families.
///
/// A rule leads packets with our mark to a table of ours, and its one route makes every address this machine's.
package struct RoutePlan: Hashable, Sendable {
    /// What captured packets are marked with: the bits outside the mask stay everybody else's.
    package var mark = PacketMark(value: TransparentMark.value, mask: TransparentMark.mask)
    /// The place of our rule among all; the kernel's own rule for other addresses than this machine's is 32766.
    package var priority: UInt32 = 7065
    /// The routing table, which is ours alone.
    package var table: UInt32 = 7065

    package init() {}

    /// Whose number rules and routes of ours bear, so that they are known: no routing daemon has it (`RTPROT_…`).
    static let maker: UInt8 = 112

    static let families: [AddressFamily] = [.ipv4, .ipv6]

    func rule(_ family: AddressFamily) -> PolicyRule {
        PolicyRule(family: family, priority: priority, mark: mark, table: table, maker: Self.maker)
    }

    func route(_ family: AddressFamily) -> TableRoute {
        TableRoute(localDefault: family, table: table, maker: Self.maker)
    }

    /// What is to be added for these families so that all is there, in the order in which nothing leaks: a rule without its route
    /// leads nowhere.
    ///
    /// A rule of ours that somebody has altered stands in the way of the right one, and goes first.
    func additions(to reading: RoutingReading) -> [RoutingChange] {
        reading.families.flatMap { family in
            let rule = rule(family)
            let altered = reading.rules.filter { other in
                other != rule && other.family == family && other.maker == Self.maker && other.priority == priority
                    && other.mark == mark
            }
            return (reading.routes.contains(route(family)) ? [] : [RoutingChange.addRoute(route(family))])
                + (reading.rules.contains(rule) ? [] : altered.map { .deleteRule($0) } + [.addRule(rule)])
        }
    }

    /// The plan in the syntax of ip(8), for people.
    package var text: String {
        let lines = Self.families.flatMap { family in
            let flag = family == .ipv4 ? "-4" : "-6"
            return [
                "ip \(flag) route add local default dev lo table \(table) proto \(Self.maker)",
                "ip \(flag) rule add pref \(priority) fwmark \(mark) lookup \(table) protocol \(Self.maker)",
            ]
        }
        return lines.joined(separator: "\n")
    }
}

/// What the kernel holds of policy routing, as far as it matters for the plan.
package struct RoutingReading: Hashable, Sendable {
    /// The families that this network namespace has.
    package var families: [AddressFamily] = []
    /// All rules of these families.
    package var rules: [PolicyRule] = []
    /// The routes of the plan's table.
    package var routes: [TableRoute] = []

    package init() {}
}

extension RoutePlan {
    /// How the routing differs from the plan, each thing in one line; empty where it is as planned.
    package func differences(from reading: RoutingReading) -> [String] {
        missing(in: reading) + conflicts(in: reading)
    }

    /// What is ours and not there, each thing in one line.
    func missing(in reading: RoutingReading) -> [String] {
        var lines: [String] = []
        for family in reading.families {
            if !reading.rules.contains(rule(family)) {
                lines.append("policy rule '\(rule(family).text)' (\(family.name)) is missing")
            }
            if !reading.routes.contains(route(family)) {
                lines.append("route '\(route(family).text)' (\(family.name)) is missing")
            }
        }
        return lines
    }

    /// What others have there that our packets would meet, each thing in one line.
    ///
    /// Rules of our own making with one of the marks `former` are left over from an earlier plan, and about to go.
    func conflicts(in reading: RoutingReading, former: [PacketMark] = []) -> [String] {
        let isOurs = { (rule: PolicyRule) in
            rule.maker == Self.maker && rule.mark.map { former.contains($0) } == true
        }
        let rules = reading.rules.filter { $0 != rule($0.family) && !isOurs($0) }.compactMap { other in
            conflict(with: other).map { "policy rule '\(other.text)' (\(other.family.name)) \($0)" }
        }
        let routes = reading.routes.filter { $0 != route($0.family) }.map {
            "route '\($0.text)' (\($0.family.name)) of somebody else is in table \(table): give --tproxy-table another number"
        }
        return rules + routes
    }

    private func conflict(with other: PolicyRule) -> String? {
        // Rules of another installation, for other marks: which of them is asked first does not matter.
        if other.maker == Self.maker, !other.isInverted, let mark = other.mark, !mark.canMeet(self.mark) { return nil }
        if !other.isInverted, let mark = other.mark, mark.overlaps(self.mark) {
            return "is for marks that overlap with \(self.mark): give --tproxy-mark bits that nobody uses"
        }
        if other.priority == priority {
            return "has our priority: give --tproxy-priority another number"
        }
        if other.table == table, other.action == 1 {
            return "leads to our table: give --tproxy-table another number"
        }
        guard other.priority < priority, other.catches(mark) else { return nil }
        return "comes before ours and may lead captured packets elsewhere: give --tproxy-priority a number below "
            + "\(other.priority), or remove it"
    }
}

extension PolicyRule {
    /// True where a packet of this machine's own sockets with this mark may be led elsewhere than to this machine.
    fileprivate func catches(_ mark: PacketMark) -> Bool {
        // Every namespace begins with this one: addresses of this machine stay on it, and so do captured packets for them.
        let isHarmless = isOfVRF || action == 1 && table == Self.localTable
        if isHarmless || action == 3 { return false }  // FR_ACT_NOP
        if isInverted { return true }
        if let own = self.mark, !own.canMeet(mark) { return false }
        if let inputDevice, inputDevice != "lo" { return false }
        // A socket that is bound to a device is not captured, and its packets are refused at the last hook.
        return outputDevice == nil && transport ?? 6 == 6
    }

    /// The rule in the words of ip(8).
    var text: String {
        var words = ["\(priority):"]
        if isInverted { words.append("not") }
        if let mark { words.append("fwmark \(mark)") }
        if let inputDevice { words.append("iif \(inputDevice)") }
        if let outputDevice { words.append("oif \(outputDevice)") }
        if let transport { words.append("ipproto \(transport)") }
        if asksForMore { words.append("…") }
        words.append(action == 1 ? "lookup \(table)" : "action \(action)")
        return words.joined(separator: " ")
    }
}

extension TableRoute {
    /// The route in the words of ip(8).
    var text: String {
        let kinds: [UInt8: String] = [
            1: "unicast", 2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit",
        ]
        let target =
            prefixLength == 0 ? "default" : "\(IPAddress(octets: prefix, family)?.description ?? "?")/\(prefixLength)"
        let place = device == Self.loopback ? " dev lo" : device == 0 ? "" : " dev #\(device)"
        return "\(kinds[type] ?? "type \(type)") \(target)\(place) table \(table)"
    }
}

extension IPAddress {
    fileprivate init?(octets: [UInt8], _ family: AddressFamily) {
        let number = octets.reduce((high: UInt64(0), low: UInt64(0))) { bits, octet in
            (bits.high << 8 | bits.low >> 56, bits.low << 8 | UInt64(octet))
        }
        switch (family, octets.count) {
        case (.ipv4, 4): self = .v4(IPv4Address(octets[0], octets[1], octets[2], octets[3]))
        case (.ipv6, 16): self = .v6(IPv6Address(high: number.high, low: number.low))
        default: return nil
        }
    }
}

extension AddressFamily {
    /// The family's name in messages.
    var name: String { self == .ipv4 ? "ipv4" : "ipv6" }
}

extension PacketMark: CustomStringConvertible {
    /// Reads `VALUE/MASK`, each decimal, or hexadecimal behind `0x`.
    ///
    /// `nil` where the value is 0, which every packet has, or has bits outside the mask.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let value = number(parts[0]), let mask = number(parts[1]), value != 0,
            value & ~mask == 0
        else { return nil }
        self.init(value: value, mask: mask)
    }

    package var description: String { hexadecimal(value) + "/" + hexadecimal(mask) }
}

/// A number as rules show their marks.
func hexadecimal(_ number: UInt32) -> String { "0x" + String(number, radix: 16) }

/// Reads a 32-bit number: decimal, or hexadecimal behind `0x`.
func number(_ text: some StringProtocol) -> UInt32? {
    guard text.hasPrefix("0x") else { return decimal(text) }
    let digits = text.dropFirst(2)
    return (1...8).contains(digits.utf8.count) && !digits.hasPrefix("+") && !digits.hasPrefix("-")
        ? UInt32(digits, radix: 16) : nil
}
