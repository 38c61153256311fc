import FuzzDriver
import WireFormats

/// Checks that a response, head and body, is read the same however it comes; the first octet says what it answers.
private func check(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let kinds: [HTTP1Answering.Method] = [.other, .head, .connect]
    let answering = HTTP1Answering(method: kinds[Int(first) % 3], upgradeNames: first > 127 ? ["websocket"] : [])
    var limits = HTTP1Limits()
    // Small limits too, so that short inputs reach them.
    if first.isMultiple(of: 5) {
        limits.headBytes = 150
        limits.startLineBytes = 40
        limits.fields = 4
        limits.chunkLineBytes = 12
        limits.trailerBytes = 40
        limits.trailerFields = 2
    }
    let message = Array(bytes.dropFirst())
    let whole = read(message, ends: [], answering, limits)
    precondition(whole == read(message, ends: Array(1..<max(message.count, 1)), answering, limits), "octet by octet")
    for cut in 1..<max(message.count, 1) where cut < 400 || cut.isMultiple(of: 97) {
        precondition(whole == read(message, ends: [cut], answering, limits), "in two parts it is another")
    }
}

/// What a response came to.
private struct Outcome: Equatable {
    var head: HTTP1Response?
    var payload: [UInt8] = []
    var consumed = 0
    var isComplete = false
    var trailers: HTTP1FieldSection?
    var violation: HTTP1Violation?
}

private func read(_ bytes: [UInt8], ends: [Int], _ answering: HTTP1Answering, _ limits: HTTP1Limits) -> Outcome {
    var outcome = Outcome()
    var reader = HTTP1ResponseReader(limits: limits)
    var body = HTTP1BodyReader(.none)
    do throws(HTTP1Violation) {
        for end in ends + [bytes.count] {
            if outcome.head == nil, let head = try reader.read(bytes.span.extracting(0..<end), answering: answering) {
                outcome.head = head
                outcome.consumed = head.headBytes
                body = HTTP1BodyReader(head.framing, limits: limits, ofAnswer: true)
            }
            while outcome.head != nil, outcome.consumed < end, !body.isComplete {
                let step = try body.read(bytes.span.extracting(outcome.consumed..<end))
                precondition(step.consumed > 0, "a body that goes on reads something")
                let start = outcome.consumed
                outcome.payload += bytes[start + step.payload.lowerBound..<start + step.payload.upperBound]
                outcome.consumed += step.consumed
            }
        }
        outcome.isComplete = body.isComplete
        outcome.trailers = body.trailers
        return outcome
    } catch {
        // How far it came in the piece that is broken depends on the pieces.
        return Outcome(head: outcome.head, violation: error)
    }
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzResponse(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzResponse {
    static func main() {
        unsafe runFuzzer(fuzzResponse)
    }
}
