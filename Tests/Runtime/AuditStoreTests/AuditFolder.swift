import AuditStore
import AuditTrail
import Foundation
import Synchronization

/// A folder of a test's own, removed with it; on a small file system of its own where that is asked for.
final class AuditFolder: Sendable {
    let path: String
    private let isMounted: Bool

    init() throws {
        path = "/tmp/audit-\(UUID().uuidString)"
        isMounted = false
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    /// Mounts a memory file system of so many KiB.
    ///
    /// It needs root.
    init(kibibytes: Int) throws {
        path = "/tmp/audit-\(UUID().uuidString)"
        isMounted = true
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try run("mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "tmpfs", path)
    }

    deinit {
        if isMounted { try? run("umount", "-l", path) }
        try? FileManager.default.removeItem(atPath: path)
    }

    var file: String { path + "/audit.jsonl" }

    var content: [UInt8] {
        get throws { [UInt8](try Data(contentsOf: URL(filePath: file))) }
    }

    func write(_ bytes: [UInt8], to name: String = "audit.jsonl") throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
    }

    /// A writer of this folder's file, whose clock goes on by a microsecond with each look.
    ///
    /// `path`: of another file; `-` is standard output.
    func writer(
        of path: String? = nil,
        durability: AuditDurability = .written,
        store: AuditStoreSettings = AuditStoreSettings(),
        ticks: Ticks = Ticks()
    ) throws(AuditError) -> AuditWriter {
        var attempts = 0
        while true {
            do throws(AuditError) {
                return try AuditWriter(
                    path: path ?? file,
                    durability: durability,
                    store: store,
                    version: "1.2.3",
                    pid: 7
                ) { ticks.next() }
            } catch {
                // A program that another test starts at this moment holds the lock until it has begun to run.
                attempts += 1
                guard error == .inUse || error == .stateInUse, attempts < 50 else { throw error }
                Thread.sleep(forTimeInterval: 0.01)
            }
        }
    }

    /// Opens the file and has it closed again, as a start and a stop do.
    func restart() throws {
        guard try writer().finish(timeout: .seconds(20)) else { throw CocoaError(.fileWriteUnknown) }
    }
}

/// A clock that goes on by itself, from 2026-11-21T10:15:04.123456Z.
final class Ticks: Sendable {
    private let ticks = Atomic<Int64>(1_795_256_104_123_456)

    /// Lets so many microseconds go by.
    func advance(_ microseconds: Int64) { ticks.wrappingAdd(microseconds, ordering: .relaxed) }

    func next() -> Int64 { ticks.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// Runs a program to its end; a failure of it is thrown.
func run(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
}

/// Waits until something holds, at most 20 seconds; false where it never did.
func eventually(_ holds: () -> Bool) -> Bool {
    for _ in 0..<4000 {
        if holds() { return true }
        Thread.sleep(forTimeInterval: 0.005)
    }
    return holds()
}

/// A connection that was let through, or was not.
func connection(_ number: Int, _ decision: Decision = .allow, detail: String? = nil) -> ConnectionRecord {
    ConnectionRecord(
        id: RecordIdentifier(value: UInt128(number)),
        decision: decision,
        treatment: decision == .allow ? .tunnel : .refuse,
        rule: "anthropic",
        reason: decision == .allow ? "rule_allow" : "rule_deny",
        policyHash: "sha256:" + String(repeating: "0f", count: 32),
        mode: .enforce,
        workload: WorkloadIdentity(namespace: "agents", pod: "research-7f", serviceAccount: "research", uid: 1000),
        capture: .transparent,
        protocol: .tls,
        destination: RecordedDestination(name: "api.anthropic.com", port: 443, original: "160.79.104.10:443"),
        sni: "api.anthropic.com",
        binding: ["sni"],
        client: "10.0.0.7:51234",
        detail: detail
    )
}

/// The end of that connection.
func end(_ number: Int) -> ConnectionEndRecord {
    ConnectionEndRecord(id: RecordIdentifier(value: UInt128(number)), outcome: .closed, closedBy: .client, bytesUp: 1)
}

/// A request on connection 1 that was let through, or was not.
func request(_ number: Int, _ decision: Decision = .allow) -> RequestRecord {
    RequestRecord(
        id: RecordIdentifier(value: UInt128(number)),
        connection: RecordIdentifier(value: 1),
        decision: decision,
        treatment: decision == .allow ? .http : .refuse,
        reason: decision == .allow ? "rule_allow" : "rule_deny",
        policy: RecordedPolicy(hash: nil, mode: .enforce),
        workload: WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: nil),
        method: "GET",
        path: "/"
    )
}

/// The end of that request.
func requestEnd(_ number: Int) -> RequestEndRecord {
    let id = RecordIdentifier(value: UInt128(number))
    return RequestEndRecord(id: id, connection: RecordIdentifier(value: 1), outcome: .closed, status: 200)
}
