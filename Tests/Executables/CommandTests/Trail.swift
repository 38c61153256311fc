import AuditSigning
import AuditStore
import AuditTrail
import Foundation
import Glibc
import OpenSSLBindings

/// Records with what the tests look for; the daemon's own writer writes them.
enum Trail {
    /// A folder whose `audit.jsonl` holds these records behind the `started` of the writer.
    static func folder(_ records: [any RecordBody]) throws -> Folder {
        let folder = try Folder()
        try write(records, to: folder)
        return folder
    }

    /// The writer starts at 2026-11-21T10:15:04.123456Z or so many microseconds later; each record is a second later.
    static func write(_ records: [any RecordBody], to folder: Folder, from start: Int64 = 0) throws {
        let start = 1_795_256_104_123_456 + start
        let file = folder.path + "/audit.jsonl"
        let writer = try AuditWriter(path: file, durability: .written, version: "1.2.3", pid: 7) { start }
        for (index, record) in records.enumerated() {
            writer.submit(AuditRecord(record, at: start + Int64(index + 1) * 1_000_000))
        }
        guard writer.finish(timeout: .seconds(20)) else { throw CocoaError(.fileWriteUnknown) }
    }

    /// An allowed connection with two requests, and one that was denied.
    static func sample() throws -> Folder {
        var audited = connection(4, "audited.example", .allow)
        audited.would = .deny
        audited.mode = .audit
        return try folder([
            connection(1, "api.example.com", .allow), request(11, of: 1, .allow, "/v1/messages"),
            RequestEndRecord(
                id: RecordIdentifier(value: 11),
                connection: RecordIdentifier(value: 1),
                outcome: .closed,
                status: 200,
                bytesUp: 10,
                bytesDown: 20
            ),
            connection(2, "pastebin.com", .deny, rule: "no-paste"), request(12, of: 1, .deny, "/admin"),
            ConnectionEndRecord(
                id: RecordIdentifier(value: 1),
                outcome: .closed,
                closedBy: .client,
                bytesUp: 1500,
                bytesDown: 2_500_000,
                durationMilliseconds: 61_000
            ),
            connection(3, "www.pastebin.com", .deny, rule: "no-paste"), audited,
        ])
    }

    static func connection(
        _ number: Int,
        _ host: String,
        _ decision: Decision,
        rule: String? = nil,
        detail: String? = nil
    ) -> ConnectionRecord {
        ConnectionRecord(
            id: RecordIdentifier(value: UInt128(number)),
            decision: decision,
            treatment: decision == .allow ? .tunnel : .refuse,
            rule: rule,
            reason: decision == .allow ? "rule_allow" : "rule_deny",
            policyHash: nil,
            mode: .enforce,
            workload: WorkloadIdentity(namespace: "agents", pod: "p", serviceAccount: "s", uid: 1000),
            capture: .transparent,
            protocol: .tls,
            destination: RecordedDestination(name: host, port: 443, original: "203.0.113.\(number):443"),
            sni: host,
            detail: detail
        )
    }

    static func request(_ number: Int, of connection: Int, _ decision: Decision, _ path: String) -> RequestRecord {
        RequestRecord(
            id: RecordIdentifier(value: UInt128(number)),
            connection: RecordIdentifier(value: UInt128(connection)),
            decision: decision,
            treatment: decision == .allow ? .http : .refuse,
            rule: "paths",
            reason: decision == .allow ? "rule_allow" : "rule_deny",
            policy: RecordedPolicy(hash: nil, mode: .enforce),
            workload: WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: 1000),
            method: "POST",
            authority: "api.example.com",
            path: path,
            destination: RecordedDestination(name: "api.example.com", port: 80)
        )
    }

    /// A request that was read inside TLS.
    static func inside(_ number: Int, of connection: Int, _ decision: Decision, _ path: String) -> RequestRecord {
        var record = request(number, of: connection, decision, path)
        record.scheme = .https
        record.destination.port = 443
        if decision == .allow { record.treatment = .inspect }
        return record
    }

    /// A connection that was to be looked into.
    static func lookedInto(_ number: Int, _ host: String) -> ConnectionRecord {
        var record = connection(number, host, .allow)
        record.reason = "per_request"
        record.treatment = .inspect
        return record
    }

    /// Appends the line of one more record, as the writer's thread would.
    static func append(
        to folder: Folder,
        _ make: (UInt64, String, Int64) throws -> any RecordBody
    ) throws {
        let text = try folder.text("audit.jsonl")
        let last = Array((text.split(separator: "\n").last ?? "").utf8)
        let hash = SHA256Digest(of: last.span)
        guard let sequence = StoredLine(last.span)?.sequence else { throw CocoaError(.fileReadCorruptFile) }
        let time: Int64 = 1_795_256_200_000_000
        var line = Array(text.utf8)
        let record = AuditRecord(try make(sequence + 1, hash.description, time), at: time)
        line.append(lineOf: record, sequence: sequence + 1, previous: hash.hexadecimal)
        line.append(10)
        try Data(line).write(to: URL(filePath: folder.path).appending(path: "audit.jsonl"))
    }

    /// Appends a checkpoint of all that stands before it.
    static func checkpoint(_ folder: Folder, _ key: Ed25519PrivateKey) throws {
        try append(to: folder) { sequence, previous, time in
            let covers = CheckpointCover(firstSequence: 1, lastSequence: sequence - 1, lastHash: previous)
            return try CheckpointRecord(signing: covers, at: time, with: key)
        }
    }
}

extension Folder {
    func put(_ text: String, as name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path).appending(path: name))
    }

    func put(_ bytes: [UInt8], as name: String) throws {
        try Data(bytes).write(to: URL(filePath: path).appending(path: name))
    }
}

/// What `penstock` writes to a terminal of so many columns.
func terminalOutput(
    _ arguments: [String],
    in folder: Folder,
    environment: [String] = [],
    columns: UInt16 = 120
) throws -> String {
    let terminal = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    guard terminal >= 0 else { throw CocoaError(.fileReadUnknown) }
    // posix_openpt and what belongs to it are not in Swift's Glibc: TIOCSPTLCK and TIOCGPTN of ioctl_tty(2).
    var lock: Int32 = 0
    var number: UInt32 = 0
    guard unsafe ioctl(terminal, 0x4004_5431, &lock) == 0, unsafe ioctl(terminal, 0x8004_5430, &number) == 0 else {
        throw CocoaError(.fileReadUnknown)
    }
    defer { close(terminal) }
    // As `winsize` has it: rows, columns, and no pixels. Which module has that type depends on what is compiled first.
    var size: [UInt16] = [50, columns, 0, 0]
    guard unsafe ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0 else { throw CocoaError(.fileReadUnknown) }
    let ending = try run(arguments, in: folder, output: "/dev/pts/\(number)", environment: environment)
    guard ending.status == 0 else { throw CocoaError(.executableRuntimeMismatch) }
    // All that was written lies in the terminal's buffer by now.
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe read(terminal, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).replacing("\r\n", with: "\n")
}
