import AuditStore
import AuditTrail
import Foundation

// Pushes records through the audit's real writer, signed, chained and into a file, and says what a record costs whom.
//
//     MEASURE=1 swift build -c release --static-swift-stdlib --product MeasureAudit
//     taskset -c 0 .build/release/MeasureAudit [PAIRS] [FOLDER] [written|synced] [rotate]
//
// A pair is the record of a request and that of its end, as each allowed request leaves them. They are submitted by one
// thread, which stands for a loop: it presses the writer after each turn of 64, as the gate does.

/// CPU that a thread of this process has taken, in seconds, by the thread's name.
func processorSeconds() throws -> [String: Double] {
    var seconds: [String: Double] = [:]
    for task in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
        let folder = "/proc/self/task/\(task)"
        // A thread that ends meanwhile is left out.
        guard let name = try? String(contentsOfFile: folder + "/comm", encoding: .utf8),
            let account = try? String(contentsOfFile: folder + "/schedstat", encoding: .utf8),
            let nanoseconds = account.split(separator: " ").first.flatMap({ Double($0) })
        else { continue }
        seconds[name.trimmingCharacters(in: .whitespacesAndNewlines), default: 0] += nanoseconds / 1e9
    }
    return seconds
}

func wallSeconds() -> Double { Date().timeIntervalSinceReferenceDate }

func request(_ identifier: RecordIdentifier, _ connection: RecordIdentifier) -> RequestRecord {
    RequestRecord(
        id: identifier,
        connection: connection,
        decision: .allow,
        treatment: .http,
        rule: "anthropic",
        reason: "rule_allow",
        policy: policy,
        workload: WorkloadIdentity(
            namespace: "agents",
            pod: "research-7f9c4d",
            serviceAccount: "research",
            uid: 1000
        ),
        method: "POST",
        authority: "api.example.com",
        path: "/v1/messages",
        destination: RecordedDestination(
            name: "api.example.com",
            port: 80,
            original: "203.0.113.7:80",
            dialled: "203.0.113.7:80"
        ),
        binding: ["host", "dns"]
    )
}

func end(_ identifier: RecordIdentifier, _ connection: RecordIdentifier) -> RequestEndRecord {
    RequestEndRecord(
        id: identifier,
        connection: connection,
        outcome: .closed,
        status: 200,
        closedBy: .client,
        bytesUp: 4711,
        bytesDown: 81_523,
        durationMilliseconds: 321,
        dialled: "203.0.113.7:80"
    )
}

let words = CommandLine.arguments
let pairs = words.count > 1 ? Int(words[1]) ?? 0 : 500_000
let folder = words.count > 2 ? words[2] : "/tmp"
let durability: AuditDurability = words.contains("synced") ? .synced : .written
let path = "\(folder)/penstock-measure-\(ProcessInfo.processInfo.processIdentifier)"
try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: path) }
let policy = RecordedPolicy(hash: "sha256:" + String(repeating: "0f", count: 32), mode: .enforce, generation: 3)
let writer = try AuditWriter(
    path: path + "/audit.jsonl",
    durability: durability,
    store: AuditStoreSettings(
        rotation: words.contains("rotate") ? .init(bytes: 64 << 20, microseconds: .max / 2) : nil,
        statePath: path,
        signing: .init()
    ),
    version: "0.1",
    pid: 1
) { Int64(Date().timeIntervalSince1970 * 1e6) }
let before = try processorSeconds()
let start = wallSeconds()
for number in 0..<pairs {
    let connection = RecordIdentifier(value: UInt128(number / 16))
    let identifier = RecordIdentifier(value: UInt128(number))
    var entry = RequestEntry(request(identifier, connection), writer: writer)
    _ = entry.judged(request(identifier, connection))
    entry.finish(end(identifier, connection))
    guard number % 64 == 63 else { continue }
    writer.press()
    // As the loops do: who is ahead waits.
    while writer.backlog.records > 20_000 { usleep(200) }
}
let submitted = wallSeconds() - start
while writer.backlog.records > 0 { usleep(200) }
let written = wallSeconds() - start
let after = try processorSeconds()
let size = try FileManager.default.attributesOfItem(atPath: path + "/audit.jsonl")[.size] as? Int ?? 0
let records = Double(2 * pairs)
print("\(2 * pairs) records, written after \(written) s (submitted after \(submitted) s); last file \(size) bytes")
print("records/s: \(Int(records / written))")
var all = 0.0
for (name, seconds) in after.sorted(by: { $0.key < $1.key }) {
    let taken = seconds - (before[name] ?? 0)
    all += taken
    print("CPU of thread '\(name)': \(taken) s, \(taken / records * 1e6) µs a record")
}
print("records/s on one core, all threads counted: \(Int(records / all))")
guard writer.finish(timeout: .seconds(30)) else { exit(1) }
