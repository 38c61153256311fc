import AuditTrail
import LinuxBindings
import ZstdBindings

private let blockBytes = 1 << 18

/// Hands the decompressed bytes of a file to `take`, until it answers false.
func readCompressed(
    _ name: String,
    in directory: AuditDirectory,
    _ take: ([UInt8]) -> Bool
) throws(AuditError) {
    let segment = try openSegment(name, in: directory)
    do throws(ZstdError) {
        var decompressor = try ZstdDecompressor()
        var output = [UInt8](repeating: 0, count: blockBytes)
        var offset = 0
        while true {
            let from = offset
            guard let input = try? readBytes(segment.file, atMost: blockBytes, at: from), !input.isEmpty else {
                break
            }
            offset += input.count
            var used = 0
            while true {
                let step = try decompressor.decompress(input.span.extracting(used...), into: &output, from: 0)
                used += step.consumed
                if step.produced > 0, !take(Array(output[..<step.produced])) { return }
                if used == input.count, step.produced < output.count { break }
            }
        }
        guard !decompressor.isInsideFrame else { throw .damaged(code: 0) }
    } catch {
        throw .notOpened(.inputOutput("decompress"))
    }
}

/// The last whole line of a compressed segment, which has no line cut off.
func lastLine(
    ofCompressed name: String,
    in directory: AuditDirectory,
    limits: RecordLimits
) throws(AuditError) -> ChainPosition {
    var rest: [UInt8] = []
    var last: [UInt8] = []
    try readCompressed(name, in: directory) { bytes in
        rest += bytes
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return rest.count <= limits.lineBytes }
        let start = rest[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        last = Array(rest[start..<end])
        rest.removeSubrange(...end)
        return true
    }
    guard let stored = StoredLine(last.span) else { return .beginning }
    return ChainPosition(sequence: stored.sequence, hash: RecordChain.hexadecimalHash(of: last.span))
}
