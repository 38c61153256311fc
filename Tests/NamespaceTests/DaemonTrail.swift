import Foundation

/// The files of an audit trail, closed ones among them.
extension DaemonFolder {
    /// The paths of the closed files in the order of their lines, and of the one that is being written.
    var trail: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: auditFolder)) ?? []
        let closed = names.filter { $0.hasPrefix("audit-") && ($0.hasSuffix(".jsonl") || $0.hasSuffix(".zst")) }
        func first(_ name: String) -> Int { Int(name.split(separator: "-").last?.prefix { $0 != "." } ?? "") ?? 0 }
        // Where a file is there both plain and compressed, the plain one counts.
        let known = closed.filter { !$0.hasSuffix(".zst") || !closed.contains(String($0.dropLast(4))) }
        let active = FileManager.default.fileExists(atPath: audit) ? [audit] : []
        return known.sorted { first($0) < first($1) }.map { "\(auditFolder)/\($0)" } + active
    }

    /// All lines of all files, in a file of their own.
    func wholeTrail() throws -> String {
        let whole = path + "/whole.jsonl"
        let parts = trail.map { $0.hasSuffix(".zst") ? "zstd -dcq '\($0)'" : "cat '\($0)'" }
        try NetworkNamespace.must(["sh", "-ec", "{ \(parts.joined(separator: "; ")); } > '\(whole)'"])
        return whole
    }

    /// Has `penstock audit verify` check these files, or the whole trail, under the daemon's key.
    func verify(_ files: [String]? = nil) throws -> CommandResult {
        let command = [Built.path("penstock"), "audit", "verify", "--key", auditFolder + "/audit.pub"]
        return try NetworkNamespace("verify").run(command + (files ?? trail), uid: 10880)
    }
}
