import AuditIndex
import AuditStore
import AuditTrail
import Foundation
import NetworkTypes

/// A folder with a trail that the real writer makes, and an index beside it.
final class TrailFolder {
    let path: String
    private var number = 0

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "audit-index-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var trail: String { path + "/audit.jsonl" }
    var index: String { path + "/audit.index.sqlite" }

    /// Appends records, each at its time, with a start and a stop of the daemon around them.
    func append(_ records: [AuditRecord], to file: String? = nil) throws {
        let start = records.first?.time ?? day
        let writer = try AuditWriter(path: file ?? trail, durability: .written, version: "1.2.3", pid: 7) { start }
        for record in records { writer.submit(record) }
        guard writer.finish(timeout: .seconds(30)) else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Appends denied connections to these hosts, one a second.
    func append(hosts: String...) throws {
        try append(
            hosts.map { host in
                number += 1
                return AuditRecord(connection(number, host: host), at: day + Int64(number) * 1_000_000)
            }
        )
    }

    /// The index, up to date.
    func updated(_ files: String...) throws -> (AuditIndex, IndexSummary) {
        let index = try AuditIndex(index, for: .updating)
        return (index, try index.update(files.isEmpty ? [trail] : files))
    }

    /// The hosts of the trail's connections as an updated index has them.
    func indexedHosts(_ files: String...) throws -> [String] {
        let index = try AuditIndex(index, for: .updating)
        let summary = try index.update(files.isEmpty ? [trail] : files)
        return try index.rows(AuditQuery(segments: summary.segments)).compactMap(\.host)
    }

    func content(_ file: String? = nil) throws -> Data { try Data(contentsOf: URL(filePath: file ?? trail)) }
}

extension AuditIndex {
    /// Every row that a query finds.
    func rows(_ query: AuditQuery) throws -> [QueryRow] {
        var rows: [QueryRow] = []
        _ = try find(query) { row in
            rows.append(row)
            return true
        }
        return rows
    }
}

/// 2026-11-21T00:00:00Z.
let day: Int64 = 1_795_219_200_000_000

func connection(
    _ number: Int,
    _ decision: Decision = .deny,
    would: Decision? = nil,
    host: String?,
    rule: String? = "no-paste-sites",
    reason: String = "rule_deny",
    uid: UInt32? = 1000,
    original: String? = nil,
    detail: String? = nil
) -> ConnectionRecord {
    ConnectionRecord(
        id: RecordIdentifier(value: UInt128(number)),
        decision: decision,
        would: would,
        treatment: decision == .allow ? .tunnel : .refuse,
        rule: rule,
        reason: reason,
        policyHash: nil,
        mode: would == nil ? .enforce : .audit,
        workload: WorkloadIdentity(namespace: "agents", pod: "research-7f", serviceAccount: "research", uid: uid),
        capture: .transparent,
        protocol: .tls,
        destination: RecordedDestination(name: host, port: 443, original: original),
        sni: host,
        detail: detail
    )
}

/// What a body fails with; `nil` where it does not.
func failure(_ body: () throws -> Void) -> IndexError? {
    do {
        try body()
        return nil
    } catch {
        return error as? IndexError
    }
}

/// Runs a program to its end; a failure of it is thrown.
func run(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
}
