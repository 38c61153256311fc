import AuditReading
import AuditSigning
import AuditStore
import AuditTrail
import Foundation
import OpenSSLBindings
import Synchronization

/// A folder with an audit file that the daemon's own writer wrote.
final class TrailFolder: Sendable {
    let path = "/tmp/auditreading-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var file: String { path + "/audit.jsonl" }

    /// Has the writer start, write records, and stop.
    @discardableResult
    func write(_ records: [any RecordBody]) throws -> [[UInt8]] {
        let ticks = Ticks()
        let writer = try AuditWriter(path: file, durability: .written, version: "1.2.3", pid: 7) { ticks.next() }
        for record in records { writer.submit(AuditRecord(record, at: ticks.next())) }
        guard writer.finish(timeout: .seconds(20)) else { throw CocoaError(.fileWriteUnknown) }
        return try lines()
    }

    func lines() throws -> [[UInt8]] {
        let content = try Data(contentsOf: URL(filePath: file))
        return content.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }

    /// Writes lines to a file, and returns its path.
    func put(_ lines: [[UInt8]], as name: String = "audit.jsonl", terminated: Bool = true) throws -> String {
        var bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
        if terminated, !lines.isEmpty { bytes.append(UInt8(ascii: "\n")) }
        return try put(bytes: bytes, as: name)
    }

    func put(bytes: [UInt8], as name: String) throws -> String {
        let place = path + "/" + name
        try Data(bytes).write(to: URL(filePath: place))
        return place
    }

    /// Appends the line of one more record, as the writer's thread would.
    ///
    /// `make` is given the number that it will have, the hash of the line before, and its time.
    func append(_ make: (UInt64, String, Int64) throws -> any RecordBody) throws {
        let last = try lines().last ?? []
        let hash = SHA256Digest(of: last.span)
        guard let sequence = StoredLine(last.span)?.sequence else { throw CocoaError(.fileReadCorruptFile) }
        let time: Int64 = 1_795_256_200_000_000
        let record = AuditRecord(try make(sequence + 1, hash.description, time), at: time)
        var line: [UInt8] = []
        line.append(lineOf: record, sequence: sequence + 1, previous: hash.hexadecimal)
        _ = try put(try lines() + [line])
    }

    /// Appends a checkpoint of everything behind `first`.
    func checkpoint(from first: UInt64 = 1, _ key: Ed25519PrivateKey) throws {
        try append { sequence, previous, time in
            let covers = CheckpointCover(firstSequence: first, lastSequence: sequence - 1, lastHash: previous)
            return try CheckpointRecord(signing: covers, at: time, with: key)
        }
    }
}

/// A clock that goes on by itself, from 2026-11-21T10:15:04.123456Z.
final class Ticks: Sendable {
    private let ticks = Atomic<Int64>(1_795_256_104_123_456)

    func next() -> Int64 { ticks.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// A connection that was let through, or was not.
func connection(_ number: Int, _ decision: Decision = .deny, detail: String? = nil) -> ConnectionRecord {
    ConnectionRecord(
        id: RecordIdentifier(value: UInt128(number)),
        decision: decision,
        treatment: decision == .allow ? .tunnel : .refuse,
        reason: decision == .allow ? "rule_allow" : "rule_deny",
        policyHash: nil,
        mode: .enforce,
        workload: WorkloadIdentity(namespace: "agents", pod: "p", serviceAccount: "s", uid: 1000),
        capture: .transparent,
        protocol: .tls,
        destination: RecordedDestination(name: "host\(number).example", port: 443),
        detail: detail
    )
}

/// Checks files.
func verify(_ files: [String], _ expectations: ChainExpectations = ChainExpectations()) throws -> ChainReport {
    var verification = ChainVerification(files, expectations)
    return try verification.run { _ in }
}

/// What is wrong, and where: `changed 4`.
func found(_ files: [String], _ expectations: ChainExpectations = ChainExpectations()) throws -> String {
    guard let fault = try verify(files, expectations).fault else { return "whole" }
    return fault.kind.rawValue + (fault.place.map { " \($0.line)" } ?? "")
}

extension [UInt8] {
    /// The line with a text in it replaced once; there must be one.
    func replacing(_ text: String, with other: String) throws -> [UInt8] {
        let whole = String(decoding: self, as: UTF8.self)
        let changed = whole.replacing(text, with: other, maxReplacements: 1)
        guard changed != whole else { throw CocoaError(.keyValueValidation) }
        return Array(changed.utf8)
    }

    var hash: SHA256Digest { SHA256Digest(of: span) }
}
