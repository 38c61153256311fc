import FuzzDriver
import WireFormats

/// Checks that frames are read the same however they come; the first octet says whose they are.
private func check(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    var limits = WebSocketLimits()
    // Small limits too, so that short inputs reach them.
    if first.isMultiple(of: 3) {
        limits.messageBytes = 40
        limits.fragments = 3
    }
    let frames = Array(bytes.dropFirst())
    let whole = read(frames, ends: [], first, limits)
    precondition(whole == read(frames, ends: Array(1..<max(frames.count, 1)), first, limits), "octet by octet")
    for cut in 1..<max(frames.count, 1) where cut < 200 || cut.isMultiple(of: 97) {
        precondition(whole == read(frames, ends: [cut], first, limits), "in two parts it is another")
    }
}

/// What frames came to.
private struct Outcome: Equatable {
    var messages: [[UInt8]] = []
    var others: [WebSocketStep.Event] = []
    var violation: WebSocketViolation?
}

private func read(_ bytes: [UInt8], ends: [Int], _ kind: UInt8, _ limits: WebSocketLimits) -> Outcome {
    var outcome = Outcome()
    var current: [UInt8] = []
    var reader = WebSocketFrameReader(ofClient: kind & 0x80 != 0, allowsCompression: kind & 0x40 != 0, limits: limits)
    var start = 0
    do throws(WebSocketViolation) {
        for end in ends + [bytes.count] {
            while true {
                let step = try reader.read(bytes.span.extracting(start..<end), into: &current)
                start += step.consumed
                switch step.event {
                case .payload: break
                case .ended:
                    outcome.messages.append(current)
                    current = []
                case let event?: outcome.others.append(event)
                case nil: break
                }
                if start == end, step.event == nil { break }
                precondition(step.consumed > 0 || step.event != nil, "it goes on, or says something")
            }
        }
    } catch {
        outcome.violation = error
    }
    return outcome
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzWebSocket(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzWebSocket {
    static func main() {
        unsafe runFuzzer(fuzzWebSocket)
    }
}
