import NetfilterBindings
import NetworkTypes

/// Why the rules could not be put in place, compared or removed.
package enum CaptureError: Error, Hashable, Sendable {
    /// The kernel's packet filter may be neither read nor changed: no `CAP_NET_ADMIN` in this network namespace.
    case notPermitted
    /// The kernel lacks something that the rules are made of.
    case missingFeature(String)
    /// The installer has the daemon's user and group.
    case installerIsDaemon(Owner)
    /// The rules were loaded and then read back different.
    case notAsLoaded([String])
    case kernel(NetfilterError)
    /// Policy routing of others is in the way of ours: what, and what to do.
    case conflict([String])
    case routing(RoutingError)
    /// A change was refused: which, in nft's words.
    case refused(String, code: Int32)
}

/// Puts the rules of a plan into the kernel of this network namespace, reads them back, removes them.
package struct TrafficCapture: ~Copyable {
    private var socket: NetfilterSocket

    /// Opens the way to the kernel.
    package init() throws(CaptureError) {
        do throws(NetfilterError) { socket = try NetfilterSocket() } catch { throw Self.judged(error) }
    }

    /// What `install` found out after the rules were in place.
    package struct Installation: Hashable, Sendable {
        package var probes: [CaptureProbe]
        /// Foreign chains that come before ours.
        package var warnings: [String]
    }

    /// Loads the rules, whole or not at all, reads them back and proves by a probe of each family that they capture.
    ///
    /// `owner` is the user and group of this process. Rules whose proof fails stay: they are still closed.
    package mutating func install(_ plan: CapturePlan, as owner: Owner) throws(CaptureError) -> Installation {
        guard owner != plan.daemon else { throw .installerIsDaemon(owner) }
        return try inTurn(waiting: 10_000) { () throws(CaptureError) in
            let warnings = try put(plan)
            do throws(NetfilterError) {
                return Installation(probes: try CaptureProbe.all(plan, as: owner, &socket), warnings: warnings)
            } catch { throw Self.judged(error) }
        }
    }

    /// Loads the rules in the place of those that are there, in one transaction, and reads them back; proves nothing.
    ///
    /// What others have in the way is a reason to leave all as it is, unless `isInstalled`: then they came later, and it is only told.
    ///
    /// - Returns: what is said of foreign chains that come before ours, and of foreign routing.
    package mutating func replace(_ plan: CapturePlan, isInstalled: Bool = false) throws(CaptureError) -> [String] {
        // Not for long: this mends.
        try inTurn(waiting: 1000) { () throws(CaptureError) in try put(plan, isInstalled: isInstalled) }
    }

    private mutating func put(_ plan: CapturePlan, isInstalled: Bool = false) throws(CaptureError) -> [String] {
        let ruleset = plan.ruleset
        let former = try read(plan.table).packetMarks
        let added = try plan.routes?.install(former: former, besideOthers: isInstalled) ?? []
        do throws(CaptureError) {
            try load(ruleset)
        } catch {
            RoutePlan.undo(added)
            throw error
        }
        // Only now is nobody marked any more by whom the earlier rules marked.
        try RoutePlan.remove(former, keeping: plan.routes)
        let reading = try read(plan)
        let differences = plan.ownDifferences(from: reading)
        guard differences.isEmpty else { throw .notAsLoaded(differences) }
        return plan.differences(from: reading)
    }

    /// What the kernel holds under this name.
    package mutating func read(_ table: String) throws(CaptureError) -> RulesetReading {
        do throws(NetfilterError) {
            return try RulesetReading(table: table, from: &socket)
        } catch { throw Self.judged(error) }
    }

    /// What the kernel holds of this plan.
    package mutating func read(_ plan: CapturePlan) throws(CaptureError) -> RulesetReading {
        var reading = try read(plan.table)
        if let routes = plan.routes { reading.routing = try routes.read() }
        return reading
    }

    /// What `remove` found and removed.
    package struct Removal: Hashable, Sendable {
        package var hadTable: Bool
        package var hadRouting: Bool
        /// Tables of other names that look like ours, and stay.
        package var otherTables: [String]
    }

    /// Removes the plan's table with everything in it, and then the policy routing that went with it.
    ///
    /// It is no error that there is none. By its marks the policy routing is known, whatever the mechanism of this plan; what other
    /// tables of ours mark with stays.
    package mutating func remove(_ plan: CapturePlan) throws(CaptureError) -> Removal {
        try inTurn(waiting: 10_000) { () throws(CaptureError) in try takeAway(plan) }
    }

    private mutating func takeAway(_ plan: CapturePlan) throws(CaptureError) -> Removal {
        let reading = try read(plan.table)
        do throws(NetfilterError) {
            try socket.commit(Ruleset.removal(of: plan.table))
        } catch { throw Self.judged(error) }
        var marks = Set(reading.packetMarks + [plan.routing.mark])
        for table in reading.similarTables { marks.subtract(try read(table).packetMarks) }
        let routing = try RoutePlan.remove(Array(marks), tables: [plan.routing.table], keeping: nil)
        return Removal(hadTable: reading.table != nil, hadRouting: routing > 0, otherTables: reading.similarTables)
    }

    private mutating func load(_ ruleset: Ruleset) throws(CaptureError) {
        let changes = ruleset.installation
        do throws(NetfilterError) {
            try socket.commit(changes)
        } catch {
            throw explained(error, changes)
        }
    }

    /// Finds out what the kernel lacks where it refused a change that it could have made.
    private mutating func explained(_ error: NetfilterError, _ changes: [NetfilterChange]) -> CaptureError {
        let judged = Self.judged(error)
        // Without a change to blame: either there is no packet filter at all, or it refused the rules as a whole.
        if case .refused(nil, let code) = error, judged != .notPermitted, !isRefused([.addTable("penstock-try")]) {
            return .refused("the rules as a whole", code: code)
        }
        guard case .refused(.some(let index), let code) = error, case .kernel = judged, changes.indices.contains(index)
        else { return judged }
        guard [KernelErrors.noEntry, KernelErrors.notSupported, KernelErrors.protocolNotSupported].contains(code) else {
            return .refused(changes[index].text, code: code)
        }
        switch changes[index] {
        case .addRule(let rule, _):
            // Every kernel with tables has lookups and jumps; alone they would fail for want of their set or chain.
            let missing = rule.expressions.first { !$0.isReference && isMissing($0) }
            return .missingFeature(missing.map(KernelFeature.of) ?? changes[index].text)
        case .addChain(let chain) where chain.base?.type == "nat": return .missingFeature(KernelFeature.nat)
        case .addTable, .addChain: return .missingFeature(KernelFeature.tables)
        case .addSet: return .missingFeature("nf_tables sets (CONFIG_NF_TABLES)")
        case .deleteTable: return .refused(changes[index].text, code: code)
        }
    }

    /// Lets the kernel check, and forget, a table with a single rule of this one expression.
    private mutating func isMissing(_ expression: NetfilterExpression) -> Bool {
        let table = "penstock-try"
        let chain = NetfilterChain(table: table, name: "try", base: expression.placeToTry)
        let rule = NetfilterRule(chain: "try", expressions: [expression], comment: nil)
        let changes: [NetfilterChange] = [.addTable(table), .addChain(chain), .addRule(rule, table: table)]
        return isRefused(changes)
    }

    /// Lets the kernel check the changes and forget them: true where it does not know what they are made of.
    private mutating func isRefused(_ changes: [NetfilterChange]) -> Bool {
        do throws(NetfilterError) {
            try socket.commit(changes, rehearse: true)
        } catch {
            guard case .refused(_, let code) = error else { return false }
            return code == KernelErrors.noEntry || code == KernelErrors.notSupported
        }
        return false
    }

    static func judged(_ error: NetfilterError) -> CaptureError {
        switch error {
        case .socket(_, KernelErrors.notPermitted), .refused(_, KernelErrors.notPermitted),
            .unreadable(KernelErrors.notPermitted):
            .notPermitted
        case .socket("socket", KernelErrors.protocolNotSupported), .refused(nil, KernelErrors.notSupported),
            .unreadable(KernelErrors.notSupported), .unreadable(KernelErrors.invalid):
            .missingFeature(KernelFeature.tables)
        case .socket, .refused, .unreadable, .restless, .unknownExpression, .malformedAnswer, .outOfMemory:
            .kernel(error)
        }
    }
}

extension NetfilterExpression {
    /// True where it names something else of its table.
    fileprivate var isReference: Bool {
        switch self {
        case .lookup, .jump: true
        default: false
        }
    }

    /// A place where the kernel would take it.
    fileprivate var placeToTry: NetfilterChain.Base {
        // What goes out came in by no device.
        let comesIn = if case .loadReversePath = self { true } else { kernelName == "tproxy" }
        let hook = comesIn ? Ruleset.Hook.prerouting : .output
        let isNat = kernelName == "redir" || kernelName == "nat"
        return .init(
            type: isNat ? "nat" : "filter",
            hook: hook.rawValue,
            priority: isNat ? -101 : 0,
            dropsByDefault: false
        )
    }
}
