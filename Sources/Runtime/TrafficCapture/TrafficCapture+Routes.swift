import LinuxBindings
import NetfilterBindings
import NetworkTypes

extension RoutePlan {
    /// What the kernel holds of it.
    func read() throws(CaptureError) -> RoutingReading {
        var reading = RoutingReading()
        do throws(NetfilterError) {
            var socket = try RoutingSocket()
            for family in Self.families {
                guard family == .ipv4 || isIPv6Available, let rules = try rules(family, &socket) else { continue }
                reading.families.append(family)
                reading.rules += rules
                reading.routes += try socket.routes(family, table: table)
            }
        } catch { throw Self.judged(error) }
        return reading
    }

    /// The rules of a family; `nil` where this kernel does not have it.
    private func rules(_ family: AddressFamily, _ socket: inout RoutingSocket) throws(NetfilterError) -> [PolicyRule]? {
        do throws(NetfilterError) {
            return try socket.rules(family)
        } catch {
            guard error == .unreadable(code: KernelErrors.familyNotSupported), family == .ipv6 else { throw error }
            return nil
        }
    }

    /// Adds what is missing, and nothing where something of others is in the way, unless it is to be added `besideOthers`.
    ///
    /// Before the rules that mark: a mark that leads nowhere stops the agent, and a route that nobody is led to does nothing.
    ///
    /// - Returns: what was added.
    func install(former: [PacketMark], besideOthers: Bool) throws(CaptureError) -> [RoutingChange] {
        let reading = try read()
        let conflicts = conflicts(in: reading, former: former)
        guard conflicts.isEmpty || besideOthers else { throw .conflict(conflicts) }
        var made: [RoutingChange] = []
        do throws(CaptureError) {
            for change in additions(to: reading) where try add(change) { made.append(change) }
        } catch {
            Self.undo(made)
            throw error
        }
        return made
    }

    /// Makes a change of the plan; false where somebody else has made the same one meanwhile.
    private func add(_ change: RoutingChange) throws(CaptureError) -> Bool {
        do throws(CaptureError) {
            try Self.apply([change])
        } catch {
            guard case .routing(.refused(_, KernelErrors.alreadyThere, _)) = error,
                !additions(to: try read()).contains(change)
            else { throw error }
            return false
        }
        return true
    }

    /// Takes back what was added, as far as it is there: why it must be is told, not what became of it.
    static func undo(_ additions: [RoutingChange]) {
        for addition in additions.reversed() {
            switch addition {
            case .addRule(let rule): try? apply([.deleteRule(rule)])
            case .addRoute(let route): try? apply([.deleteRoute(route)])
            case .deleteRule, .deleteRoute: break
            }
        }
    }

    /// Removes all rules of our making for these marks but the planned one, and the routes of tables that nobody of ours asks then.
    ///
    /// `keeping` is the plan that stays; `nil` removes all. After the rules that mark.
    ///
    /// - Returns: how many rules and routes there were.
    @discardableResult
    static func remove(_ marks: [PacketMark], tables: [UInt32] = [], keeping: RoutePlan?) throws(CaptureError) -> Int {
        guard !marks.isEmpty else { return 0 }
        var changes: [RoutingChange] = []
        do throws(NetfilterError) {
            var socket = try RoutingSocket()
            for family in families {
                let rules: [PolicyRule]
                do throws(NetfilterError) {
                    rules = try socket.rules(family)
                } catch {
                    // A family, or policy routing, that this kernel does not have: nothing of ours is there.
                    guard case .unreadable = error else { throw error }
                    continue
                }
                let ours = rules.filter { $0.maker == maker && $0 != keeping?.rule(family) }
                let gone = ours.filter { $0.mark.map(marks.contains) == true }
                let left = rules.filter { !gone.contains($0) }.map(\.table)
                changes += gone.map { .deleteRule($0) }
                for table in Set(gone.map(\.table) + tables) where !left.contains(table) && table != keeping?.table {
                    let route = TableRoute(localDefault: family, table: table, maker: maker)
                    if try socket.routes(family, table: table).contains(route) { changes.append(.deleteRoute(route)) }
                }
            }
        } catch { throw judged(error) }
        try apply(changes)
        return changes.count
    }

    private static func apply(_ changes: [RoutingChange]) throws(CaptureError) {
        guard !changes.isEmpty else { return }
        do throws(RoutingError) {
            var socket = try Self.socket()
            for change in changes { try socket.apply(change) }
        } catch { throw judged(error) }
    }

    private static func socket() throws(RoutingError) -> RoutingSocket {
        do throws(NetfilterError) { return try RoutingSocket() } catch { throw .netlink(error) }
    }

    private static func judged(_ error: NetfilterError) -> CaptureError {
        switch error {
        case .socket(_, KernelErrors.notPermitted), .unreadable(KernelErrors.notPermitted): .notPermitted
        case .unreadable(KernelErrors.notSupported): .missingFeature(KernelFeature.policyRouting)
        case .socket, .refused, .unreadable, .restless, .unknownExpression, .malformedAnswer, .outOfMemory:
            .routing(.netlink(error))
        }
    }

    private static func judged(_ error: RoutingError) -> CaptureError {
        switch error {
        case .netlink(let error): judged(error)
        case .refused(_, KernelErrors.notPermitted, _): .notPermitted
        case .refused(_, KernelErrors.notSupported, _): .missingFeature(KernelFeature.policyRouting)
        case .refused: .routing(error)
        }
    }
}

/// False where IPv6 is switched off on loopback: no route of IPv6 can be made there, and none is needed.
private var isIPv6Available: Bool {
    let state = try? readFile("/proc/sys/net/ipv6/conf/lo/disable_ipv6", limit: 16)
    return state?.first != UInt8(ascii: "1")
}

extension RoutingChange {
    /// The change in the words of ip(8).
    var text: String {
        switch self {
        case .addRule(let rule): "add \(rule.family.name) rule '\(rule.text)'"
        case .deleteRule(let rule): "delete \(rule.family.name) rule '\(rule.text)'"
        case .addRoute(let route): "add \(route.family.name) route '\(route.text)'"
        case .deleteRoute(let route): "delete \(route.family.name) route '\(route.text)'"
        }
    }
}
