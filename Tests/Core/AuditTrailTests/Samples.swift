import AuditTrail
import Foundation

/// Records and lines that several tests use.
enum Sample {
    /// 2026-11-21T10:15:04.123456Z.
    static let time: Int64 = 1_795_256_104_123_456
    static let identifier = RecordIdentifier(value: 0x0191_2345_6789_ABCD_EF01_2345_6789_ABCD)
    static let hash = "sha256:" + String(repeating: "a1", count: 32)
    static let previous = [UInt8](repeating: UInt8(ascii: "0"), count: 64)

    /// The connection of the product's own example.
    static var denied: ConnectionRecord {
        ConnectionRecord(
            id: identifier,
            decision: .deny,
            treatment: .refuse,
            rule: "no-paste-sites",
            reason: "rule_deny",
            policyHash: hash,
            mode: .enforce,
            workload: WorkloadIdentity(namespace: "agents", pod: "research-7f", serviceAccount: "research", uid: 1000),
            capture: .transparent,
            protocol: .tls,
            destination: RecordedDestination(name: "pastebin.com", port: 443, original: "104.20.29.150:443"),
            sni: "pastebin.com",
            binding: ["sni"],
            client: "10.0.0.7:51234"
        )
    }

    /// A connection with `text` wherever a text may stand.
    static func connection(everywhere text: String) -> ConnectionRecord {
        var record = denied
        record.would = .deny
        record.rule = text
        record.reason = text
        record.policyHash = text
        record.workload = WorkloadIdentity(namespace: text, pod: text, serviceAccount: text, uid: .max)
        record.destination = RecordedDestination(name: text, port: .max, original: text, dialled: text)
        record.sni = text
        record.authority = text
        record.binding = [text, text]
        record.client = text
        record.policyGeneration = .max
        record.encryptedHello = true
        record.tlsVersion = text
        record.alpn = [text, text]
        record.detail = text
        return record
    }

    /// An end with `text` wherever a text may stand.
    static func end(everywhere text: String) -> ConnectionEndRecord {
        ConnectionEndRecord(
            id: identifier,
            outcome: .cut,
            closedBy: .ours,
            reason: text,
            rule: text,
            bytesUp: .max,
            bytesDown: 0,
            durationMilliseconds: 1,
            connectMilliseconds: 2,
            dialled: text,
            detail: text
        )
    }

    /// A secret in every place, one of them without a name.
    static func masked(named text: String) -> [MaskedSecret] {
        [MaskedSecret(place: .query, name: nil, hash: "00112233445566ff")]
            + MaskedSecret.Place.allCases.map { MaskedSecret(place: $0, name: text, hash: "0123456789abcdef") }
    }

    /// A request with `text` wherever a text may stand.
    static func request(everywhere text: String) -> RequestRecord {
        var record = RequestRecord(
            id: identifier,
            connection: RecordIdentifier(value: 7),
            decision: .deny,
            would: .deny,
            treatment: .refuse,
            rule: text,
            reason: text,
            policy: RecordedPolicy(hash: text, mode: .enforce, generation: .max),
            workload: WorkloadIdentity(namespace: text, pod: text, serviceAccount: text, uid: .max),
            method: text,
            authority: text,
            path: text,
            hasQuery: true,
            destination: RecordedDestination(name: text, port: .max, original: text, dialled: text),
            binding: [text, text],
            detail: text
        )
        record.masked = masked(named: text)
        let call = RecordedMessage.Call(method: text, tool: text, id: text)
        record.message = RecordedMessage(era: text, calls: Array(repeating: call, count: 20), isBatch: true)
        return record
    }

    /// A request's end with `text` wherever a text may stand.
    static func requestEnd(everywhere text: String) -> RequestEndRecord {
        RequestEndRecord(
            id: identifier,
            connection: RecordIdentifier(value: 7),
            outcome: .cut,
            status: 200,
            closedBy: .ours,
            reason: text,
            rule: text,
            bytesUp: .max,
            bytesDown: 0,
            durationMilliseconds: 1,
            dialled: text,
            detail: text
        )
    }

    /// A check with `text` wherever a text may stand.
    static func check(everywhere text: String) -> CheckRecord {
        var record = CheckRecord(
            id: identifier,
            decision: .deny,
            would: .deny,
            rule: text,
            reason: text,
            policy: RecordedPolicy(hash: text, mode: .audit, generation: .max),
            workload: WorkloadIdentity(namespace: text, pod: text, serviceAccount: text, uid: .max),
            callerUID: .max,
            action: text,
            claimedAgent: text,
            requestID: text,
            protocol: .http,
            method: text,
            path: text,
            hasQuery: true,
            destination: RecordedDestination(name: text, port: .max, original: text, dialled: text),
            address: .checked,
            detail: text
        )
        record.masked = masked(named: text)
        return record
    }

    /// The identifier of a key.
    static let key = "ed25519:" + String(repeating: "b2", count: 32)

    /// A checkpoint, with a signature of nothing.
    static let checkpoint = CheckpointRecord(
        covers: CheckpointCover(firstSequence: 2, lastSequence: 40, lastHash: hash),
        key: key,
        signature: [UInt8](repeating: 0xff, count: 64)
    )

    /// A first key, and one that another signed.
    static let keys = [
        KeyRecord(key: key, publicKey: [UInt8](repeating: 1, count: 44)),
        KeyRecord(
            key: key,
            publicKey: [UInt8](repeating: 1, count: 44),
            signedBy: key,
            signature: [UInt8](repeating: 2, count: 64)
        ),
    ]

    /// What a reload changed, with `text` wherever a text may stand.
    static func changes(everywhere text: String) -> PolicyChanges {
        let change = PolicyChanges.Change(before: text, after: text)
        return PolicyChanges(
            added: [text, text],
            removed: [text],
            changed: [text],
            isReordered: true,
            mode: change,
            defaultAction: change
        )
    }

    /// A line of every kind that holds texts, with `text` wherever a text may stand.
    static func lines(everywhere text: String) -> [RecordKind: [UInt8]] {
        [
            .connection: line(connection(everywhere: text)),
            .connectionEnd: line(end(everywhere: text)),
            .request: line(request(everywhere: text)),
            .requestEnd: line(requestEnd(everywhere: text)),
            .check: line(check(everywhere: text)),
            .policy: line(
                PolicyRecord(
                    event: .refused,
                    hashBefore: text,
                    hashAfter: text,
                    problems: [text, text],
                    changes: changes(everywhere: text)
                )
            ),
            .ruleset: line(
                RulesetRecord(state: .drifted, before: nil, table: text, differences: [text, text], detail: text)
            ),
            .lifecycle: line(
                LifecycleRecord(event: .repaired, version: text, pid: 1, after: text, detail: text)
            ),
        ]
    }

    /// The line of a record, without its newline.
    static func line(_ content: some RecordBody, sequence: UInt64 = 41, limits: RecordLimits = .standard) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(lineOf: AuditRecord(content, at: time, limits: limits), sequence: sequence, previous: previous)
        return bytes
    }

    /// What an independent reader makes of a line.
    static func parse(_ line: [UInt8]) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(line))
        guard let object = value as? [String: Any] else { throw CocoaError(.propertyListReadCorrupt) }
        return object
    }
}
