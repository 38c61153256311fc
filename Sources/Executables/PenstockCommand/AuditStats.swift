import AuditReading
import AuditTrail
import LinuxBindings

/// What `penstock audit stats` is asked.
struct StatsRequest: Hashable {
    var files: [String]
    /// The most rows of each list.
    var top: Int
    var isJSON: Bool

    /// Reads the words after `audit stats`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.value("--top"), .flag("--json")], .stats)
        guard !options.wantsHelp else { return nil }
        files = AuditCommand.files(options.operands)
        let text = options.value("--top") ?? "10"
        guard let top = Int(text), (1...10_000).contains(top) else {
            throw options.misuse("--top '\(text)' is no number of rows; write 1 to 10000")
        }
        self.top = top
        isJSON = options.has("--json")
    }
}

extension StatsRequest {
    /// Counts, and shows what was counted.
    func run() throws(AuditReadingError) -> ExitCode {
        var counter = StatsCounter()
        let foreign = try readRecords(files) { record, line, _ throws(AuditReadingError) in
            counter.add(AuditLine(record, in: line))
        }
        let stats = AuditStats(counter, top: top)
        deliver(isJSON ? stats.json + "\n" : stats.text(.forOutput()))
        sayForeign(foreign)
        return .done
    }
}

/// What became of a host, or what a rule did.
struct StatsRow: Hashable {
    var name: String
    var allowed: UInt64 = 0
    var denied: UInt64 = 0
    /// Allowed in audit mode only.
    var wouldDeny: UInt64 = 0
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0

    var decisions: UInt64 { allowed + denied }
    var bytes: UInt64 { bytesUp &+ bytesDown }

    init(_ name: String) { self.name = name }

    mutating func add(_ line: AuditLine) {
        if line.decision == "deny" { denied += 1 } else { allowed += 1 }
        if line.would == "deny", line.decision != "deny" { wouldDeny += 1 }
    }

    mutating func add(up: UInt64, down: UInt64) {
        bytesUp &+= up
        bytesDown &+= down
    }
}

/// Counts records as they come.
struct StatsCounter {
    /// What was let through, and has no end yet.
    private struct Opened {
        var host: String
        /// Nil where its requests are judged one by one, each by a rule of its own.
        var rule: String?
    }

    private(set) var firstTime: String?
    private(set) var lastTime: String?
    private(set) var kinds: [String: UInt64] = [:]
    private(set) var outcomes: [String: UInt64] = [:]
    /// Requests by what they were read from.
    private(set) var schemes: [String: UInt64] = [:]
    private(set) var total = StatsRow("")
    private(set) var hosts: [String: StatsRow] = [:]
    private(set) var rules: [String: StatsRow] = [:]
    private(set) var reasons: [String: StatsRow] = [:]
    /// To which host and rule the end of what is open belongs: connections, and the requests of those that are judged by them.
    private var open: [String: Opened] = [:]
    /// Of a connection that is open: the bytes that its requests were counted with.
    private var byRequests: [String: StatsRow] = [:]

    /// Counts a record.
    mutating func add(_ line: AuditLine) {
        if firstTime == nil { firstTime = line.time }
        lastTime = line.time
        kinds[line.kind, default: 0] += 1
        if let scheme = line.scheme { schemes[scheme.rawValue, default: 0] += 1 }
        if line.isDecision { addDecision(line) }
        if line.outcome != nil { addEnd(line) }
    }

    private mutating func addDecision(_ line: AuditLine) {
        let host = line.host ?? "(unknown)"
        let rule = line.rule ?? "(no rule)"
        // A connection whose requests are judged one by one is no decision of its own: its requests are.
        guard line.reason != "per_request" else {
            if let id = line.id { open[id] = Opened(host: host, rule: nil) }
            return
        }
        total.add(line)
        hosts[host, default: StatsRow(host)].add(line)
        rules[rule, default: StatsRow(rule)].add(line)
        let reason = line.reason ?? "(none)"
        reasons[reason, default: StatsRow(reason)].add(line)
        if line.decision == "allow", let id = line.id { open[id] = Opened(host: host, rule: rule) }
    }

    /// A request's bytes are its host's, and also its connection's: what is left of those is the connection's host's.
    private mutating func addEnd(_ line: AuditLine) {
        outcomes[line.outcome ?? "", default: 0] += 1
        let opened = line.id.flatMap { open.removeValue(forKey: $0) } ?? Opened(host: "(unknown)", rule: nil)
        var up = line.bytesUp ?? 0
        var down = line.bytesDown ?? 0
        if line.kind == RecordKind.connectionEnd.rawValue {
            total.bytesUp &+= up
            total.bytesDown &+= down
            let counted = line.id.flatMap { byRequests.removeValue(forKey: $0) }
            up -= min(up, counted?.bytesUp ?? 0)
            down -= min(down, counted?.bytesDown ?? 0)
        } else if let connection = line.connection {
            byRequests[connection, default: StatsRow("")].bytesUp &+= up
            byRequests[connection, default: StatsRow("")].bytesDown &+= down
        }
        hosts[opened.host, default: StatsRow(opened.host)].add(up: up, down: down)
        if let rule = opened.rule { rules[rule, default: StatsRow(rule)].add(up: up, down: down) }
    }
}
