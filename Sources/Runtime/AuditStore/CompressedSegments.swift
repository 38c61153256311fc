import AuditTrail
import LinuxBindings
import ZstdBindings

private let blockBytes = 1 << 18

/// Hands the decompressed bytes of a file to `take`, until it answers false.
///
/// - Throws: `.damagedSegment` for one that is not whole, and what `openSegment` throws.
func readCompressed(
    _ name: String,
    in directory: AuditDirectory,
    _ take: (ArraySlice<UInt8>) -> Bool
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
                if step.produced > 0, !take(output[..<step.produced]) { return }
                if used == input.count, step.produced < output.count { break }
            }
        }
        guard !decompressor.isInsideFrame else { throw .damaged(code: 0) }
    } catch {
        throw .damagedSegment(name)
    }
}

/// How far the chain goes in a compressed segment, which has no line cut off at its end.
func lastLine(
    ofCompressed name: String,
    in directory: AuditDirectory,
    limits: RecordLimits
) throws(AuditError) -> KeptChain {
    var rest: [UInt8] = []
    var last: [UInt8] = []
    var checkpoint: UInt64 = 0
    try readCompressed(name, in: directory) { bytes in
        rest += bytes
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return rest.count <= limits.lineBytes }
        for line in rest[..<end].split(separator: UInt8(ascii: "\n")) {
            last = Array(line)
            if let frame = StoredFrame(last.span), frame.isKind(.checkpoint, in: last.span) {
                checkpoint = frame.sequence
            }
        }
        rest.removeSubrange(...end)
        return true
    }
    guard let frame = StoredFrame(last.span) else { return KeptChain(position: .beginning, checkpoint: 0) }
    let hash = RecordChain.hexadecimalHash(of: last.span)
    return KeptChain(position: ChainPosition(sequence: frame.sequence, hash: hash), checkpoint: checkpoint)
}
