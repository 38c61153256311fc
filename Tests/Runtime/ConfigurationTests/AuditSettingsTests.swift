import Configuration
import Foundation
import SourceDocuments
import Testing

@Suite("What the configuration says of the audit trail and of the workload")
struct AuditSettingsTests {
    private func read(_ text: String) throws -> DaemonConfiguration {
        try DaemonConfiguration.read(Array(text.utf8), file: "penstock.yaml")
    }

    @Test("everything about how the files are kept can be said")
    func everything() throws {
        let audit = try read(
            """
            audit:
              path: /logs/a.jsonl
              rotate: { bytes: 64MiB, hours: 6 }
              keep: { days: 30, bytes: 2GiB }
              budget_bytes: 3GiB
              checkpoint: { records: 500, seconds: 10 }
              key_days: 7
            limits: { decisions_per_second: 50 }
            """
        )
        #expect(audit.audit.rotate.bytes == 64 << 20 && audit.audit.rotate.hours == 6)
        #expect(audit.audit.keep.days == 30 && audit.audit.keep.bytes == 2 << 30)
        #expect(audit.audit.budgetBytes == 3 << 30)
        #expect(audit.audit.checkpoint.records == 500 && audit.audit.checkpoint.seconds == 10)
        #expect(audit.audit.keyDays == 7)
        #expect(audit.limits.decisionsPerSecond == 50)
    }

    @Test("standard output keeps its state in a directory of its own")
    func standardOutput() throws {
        let configuration = try read("audit: { path: \"-\" }")
        #expect(configuration.audit.isStandardOutput)
        #expect(configuration.state.path == "/var/lib/penstock")
    }

    @Test(
        "what contradicts itself or has no unit is said, with its place",
        arguments: [
            ("audit: { path: \"-\", rotate: { hours: 1 } }", "is for a file"),
            ("audit: { path: \"-\", durability: synced }", "cannot be brought to a disk"),
            ("audit: { budget_bytes: 256MiB }", "less than twice"),
            ("audit: { budget_bytes: 2GiB, keep: { bytes: 2GiB } }", "more than `budget_bytes`"),
            ("audit: { rotate: { bytes: 268435456 } }", "write the unit"),
            ("audit: { rotate: { bytes: 256MB } }", "expected a size"),
            ("audit: { rotate: { bytes: 9223372036854775807TiB } }", "expected a size"),
            ("audit: { rotate: { bytes: 1KiB } }", "expected 1MiB to 64GiB"),
            ("audit: { keep: { days: 0 } }", "expected 1 to"), ("workload: { path: podinfo }", "absolute path"),
        ]
    )
    func wrong(text: String, says: String) {
        do throws(SourceProblems) {
            _ = try DaemonConfiguration.read(Array(text.utf8), file: "penstock.yaml")
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.description.contains(says), "\(error)")
        }
    }

    @Test("the workload's names come from the Downward API's files where they are not given")
    func workloadFiles() throws {
        let path = FileManager.default.temporaryDirectory.path + "/podinfo-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path + "/..data", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        // The kubelet writes files without a newline, behind links.
        try Data("agents".utf8).write(to: URL(filePath: path + "/..data/namespace"))
        try FileManager.default.createSymbolicLink(atPath: path + "/namespace", withDestinationPath: "..data/namespace")
        try Data("research-7f\n".utf8).write(to: URL(filePath: path + "/pod"))
        let workload = try read("workload: { path: \(path), pod: given }").workload.readingFiles()
        #expect(workload.namespace == "agents" && workload.pod == "given" && workload.serviceAccount == nil)
        for text in ["", "\n", "a\nb", "a\u{7}", String(repeating: "x", count: 400)] {
            try Data(text.utf8).write(to: URL(filePath: path + "/service_account"))
            #expect(throws: ConfigurationError.self) { try read("workload: { path: \(path) }").workload.readingFiles() }
        }
        let missing = try read("workload: { path: \(path)/none }").workload
        #expect(throws: ConfigurationError.self) { try missing.readingFiles() }
    }
}
