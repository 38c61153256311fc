import AuditStore
import AuditTrail
import Foundation

/// What tests want of the files that the trail has left.
extension AuditFolder {
    /// A file is left after so many bytes.
    static func rotating(
        bytes: Int = 20_000,
        keeping: AuditStoreSettings.Keeping? = nil,
        state: String? = nil
    ) -> AuditStoreSettings {
        AuditStoreSettings(
            rotation: AuditStoreSettings.Rotation(bytes: bytes, microseconds: .max),
            keeping: keeping,
            statePath: state
        )
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    /// The closed files, in the order of their lines.
    var segments: [SegmentName] { names.compactMap { SegmentName($0, stem: "audit") }.sorted() }

    func size(_ name: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.size] as? Int ?? 0
    }

    /// The bytes of a file, decompressed by the command where it is compressed.
    func read(_ name: String) throws -> [UInt8] {
        guard name.hasSuffix(".zst") else { return [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\(name)"))) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/zstd")
        process.arguments = ["-dcq", "\(path)/\(name)"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileReadCorruptFile) }
        return bytes
    }

    /// All lines of all files, one after the other.
    func wholeTrail() throws -> [UInt8] {
        try segments.flatMap { try read($0.text) } + (FileManager.default.fileExists(atPath: file) ? content : [])
    }

    /// Waits until every closed file is compressed.
    func waitForCompression() -> Bool {
        eventually {
            !segments.isEmpty && segments.allSatisfy(\.isCompressed) && !names.contains { $0.hasSuffix(".part") }
        }
    }
}

/// Submits decisions of connections with these numbers, and waits until they are written.
func submit(_ numbers: ClosedRange<Int>, to writer: AuditWriter, _ decision: AuditTrail.Decision = .deny) -> Bool {
    var ticket: UInt64 = 0
    for number in numbers { ticket = writer.submit(connection(number, decision)) }
    return eventually { writer.writtenThrough >= ticket }
}
