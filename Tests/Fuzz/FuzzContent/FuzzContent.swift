import ContentInspection
import FuzzDriver
import PolicyEngine
import WireFormats

/// Checks that content is decoded the same however it comes, within its bounds, and that what is held is never more than came.
private func check(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let known: [ContentCoding] = [.gzip, .deflate, .brotli, .zstd]
    var codings = [known[Int(first) & 3]]
    if first & 4 != 0 { codings.append(known[Int(first) >> 3 & 3]) }
    let content = Array(bytes.dropFirst())
    let whole = decode(content, codings, pieces: content.count)
    precondition(whole == decode(content, codings, pieces: 1), "octet by octet")
    precondition(whole == decode(content, codings, pieces: 7), "in pieces of seven it is another")
    _ = decode(content, codings, pieces: 100, expansion: 256)
    inspectMessages(content, first)
}

/// What content came to.
private struct Outcome: Equatable {
    var octets: [UInt8] = []
    var isBroken = false
}

private func decode(_ bytes: [UInt8], _ codings: [ContentCoding], pieces: Int, expansion: UInt64 = .max) -> Outcome {
    var limits = InspectionLimits()
    limits.expansion = expansion
    limits.expansionFree = 4096
    limits.decodedBytes = 65536
    limits.stepBytes = 512
    var outcome = Outcome()
    do throws(ContentFault) {
        let decoder = try ContentDecoder(codings, limits: limits)
        var start = 0
        while start < bytes.count {
            let end = min(start + max(pieces, 1), bytes.count)
            try decoder.decode(bytes.span.extracting(start..<end)) { piece throws(ContentFault) in
                precondition(piece.count <= limits.stepBytes, "a piece is larger than a step")
                for index in piece.indices { outcome.octets.append(piece[index]) }
            }
            start = end
            let most = expansion == .max ? 65536 : max(4096, 256 * start)
            precondition(outcome.octets.count <= most, "it grows beyond its bound")
        }
        try decoder.end()
        return outcome
    } catch {
        // How much came before the fault depends on the pieces.
        return Outcome(isBroken: true)
    }
}

/// Shows the octets as WebSocket frames with compression.
private func inspectMessages(_ bytes: [UInt8], _ first: UInt8) {
    let panel = InspectorPanel(
        [SizeLimit(1 << 16, denial: Denial(.requestTooLarge), isEnforced: true)],
        unreadable: Denial(.unreadableContent)
    )
    var side = WebSocketCompression.Side()
    side.keepsContext = first & 1 == 0
    let inspection = WebSocketInspection(
        first & 2 == 0 ? .up : .down,
        by: panel,
        compression: side,
        limits: InspectionLimits()
    )
    if case .open(let held) = inspection.see(bytes.span) { precondition(held <= bytes.count, "more is held than came") }
    _ = inspection.seeEnd()
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzContent(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzContent {
    static func main() {
        unsafe runFuzzer(fuzzContent)
    }
}
