import Foundation
import Testing

/// A line of the audit file, as a reader from outside sees it.
struct AuditLine {
    let object: [String: Any]

    var kind: String { text("kind") }
    var id: String { text("id") }
    var event: String { text("event") }
    var outcome: String { text("outcome") }
    var reason: String { text("reason") }
    var rule: String { text("rule") }
    var detail: String { text("detail") }
    var isAllowed: Bool { text("decision") == "allow" }
    /// The address that the agent asked for, without its port.
    var original: String {
        let destination = object["destination"] as? [String: Any]
        let whole = destination?["original"] as? String ?? ""
        return String(whole.prefix(upTo: whole.lastIndex(of: ":") ?? whole.endIndex)).filter { $0 != "[" && $0 != "]" }
    }

    func text(_ key: String) -> String { object[key] as? String ?? "" }
    func number(_ key: String) -> Int { object[key] as? Int ?? -1 }
}

/// A whole audit file: every line parsed, the chain followed, and each connection's records counted.
struct AuditReading {
    let lines: [AuditLine]
    /// What is not as docs/audit.md promises.
    let faults: [String]

    /// Reads the file; an unfinished last line is left out.
    init(_ path: String) throws {
        let content = try Data(contentsOf: URL(filePath: path))
        let whole = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        lines = whole.compactMap { line in
            (try? JSONSerialization.jsonObject(with: line) as? [String: Any]).map { AuditLine(object: $0) }
        }
        faults = lines.count == whole.count ? Self.countingFaults(lines) : ["a line is no JSON object"]
    }

    var connections: [AuditLine] { lines.filter { $0.kind == "connection" } }
    var ends: [AuditLine] { lines.filter { $0.kind == "connection_end" } }

    func connections(to address: String) -> [AuditLine] { connections.filter { $0.original == address } }
    func ends(_ outcome: String) -> [AuditLine] { ends.filter { $0.outcome == outcome } }
    func end(of connection: AuditLine) -> AuditLine? { ends.first { $0.id == connection.id } }
    /// The turns in the daemon's life, without what it says of its boundary.
    var lives: [String] { events("lifecycle").filter { $0 != "posture" } }
    func events(_ kind: String) -> [String] { lines.filter { $0.kind == kind }.map(\.event) }

    /// Each connection is judged once; it ends once at most, if it was allowed, and after it was judged.
    private static func countingFaults(_ lines: [AuditLine]) -> [String] {
        var faults: [String] = []
        var open: Set<String> = []
        var seen: Set<String> = []
        for (index, line) in lines.enumerated() {
            if line.number("sequence") != index + 1 { faults.append("line \(index + 1) has another number") }
            switch line.kind {
            case "connection", "request":
                if !seen.insert(line.id).inserted { faults.append("\(line.id) was judged twice") }
                if line.isAllowed { open.insert(line.id) }
            case "connection_end", "request_end":
                if open.remove(line.id) == nil { faults.append("\(line.id) ended, and was not open") }
                if line.outcome == "abandoned" { faults.append("\(line.id) was let go without an end") }
            default: break
            }
        }
        return faults
    }

    /// Follows the chain with another program than ours; the faults that it found.
    static func chainFaults(_ path: String) throws -> String {
        try NetworkNamespace.must(["python3", "-c", follower, path])
    }

    private static let follower = """
        import hashlib, json, sys
        content = open(sys.argv[1], "rb").read()
        if content and not content.endswith(b"\\n"): print("the last line has no end")
        previous, after, cut = "0" * 64, "0" * 64, 0
        for number, line in enumerate(content.split(b"\\n")[:-1], 1):
            digest = hashlib.sha256(line).hexdigest()
            try: record = json.loads(line)
            except ValueError:
                cut += 1; previous = digest
                continue
            if record["previous"] != "sha256:" + previous: print("the chain breaks at line", number)
            if cut and (record.get("event") != "repaired" or record.get("after") != "sha256:" + after):
                print("no repair after a line that was cut off, at line", number)
            previous = after = digest; cut = 0
        """
}

/// Expects an audit file without a fault, its chain included.
func expectSound(_ bed: DaemonBed, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let reading = try bed.audit()
    #expect(reading.faults.isEmpty, "\(reading.faults)", sourceLocation: sourceLocation)
    let chain = try AuditReading.chainFaults(bed.folder.audit)
    #expect(chain.isEmpty, "\(chain)", sourceLocation: sourceLocation)
}
