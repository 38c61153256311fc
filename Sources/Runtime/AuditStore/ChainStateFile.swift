import AuditTrail
import LinuxBindings

/// Where the chain has come to, kept beside the trail: what a later start finds cut away is then known to be missing.
///
/// Concurrency: one thread writes it.
final class ChainStateFile: Sendable {
    private static let name = "audit.chain"
    private static let byteLimit = 4096

    private let directory: OwnedDescriptor

    /// Opens the directory; it must be the daemon's own.
    init(in path: String) throws(AuditError) {
        do throws(SystemCallError) {
            directory = try openFile(path, [.readOnly, .directory])
        } catch {
            throw .noState(error)
        }
    }

    /// What was written last; nil where there is nothing, or nothing that can be understood.
    func read() throws(AuditError) -> ChainPosition? {
        do throws(SystemCallError) {
            let file = try openFile(below: directory, Self.name, [.readOnly, .noFollow, .nonblocking])
            let status = try fileStatus(file)
            let bytes = try readBytes(file, atMost: Self.byteLimit, at: 0)
            if AuditFile.fault(of: status) == nil { return Self.position(bytes) }
        } catch {
            if error.isNotFound { return nil }
            throw .noState(error)
        }
        throw .foreignState
    }

    /// Replaces it in one step that a loss of power does not halve.
    func write(_ position: ChainPosition) throws(SystemCallError) {
        let new = Self.name + ".new"
        do throws(SystemCallError) {
            try removeFile(below: directory, new)
        } catch {
            guard error.isNotFound else { throw error }
        }
        let file = try openFile(below: directory, new, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
        try writeBytes(file, Self.text(position), at: 0)
        try synchronizeData(file)
        try replaceFile(below: directory, Self.name, with: new)
        try synchronize(directory)
    }

    /// `{"v":1,"sequence":41,"hash":"sha256:…"}`, always as long.
    static func text(_ position: ChainPosition) -> [UInt8] {
        let number = String(position.sequence)
        let spaces = String(repeating: " ", count: 20 - number.utf8.count)
        return Array("{\"v\":1,\"sequence\":\(spaces)\(number),\"hash\":\"\(position.hashText)\"}\n".utf8)
    }

    private static func position(_ bytes: [UInt8]) -> ChainPosition? {
        let parts = bytes.split(separator: UInt8(ascii: "\""))
        guard parts.count == 9, parts[7].count == 71, parts[7].starts(with: "sha256:".utf8) else { return nil }
        let digits = parts[4].filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let sequence = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
        let position = ChainPosition(sequence: sequence, hash: Array(parts[7].dropFirst("sha256:".utf8.count)))
        return text(position) == bytes ? position : nil
    }
}
