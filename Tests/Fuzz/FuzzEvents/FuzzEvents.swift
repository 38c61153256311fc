import FuzzDriver
import WireFormats

/// Checks that events are read the same however they come, and that what is kept stays within the limit.
private func check(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let limit = first.isMultiple(of: 3) ? 12 : 4096
    let stream = Array(bytes.dropFirst())
    let whole = read(stream, ends: [], limit)
    precondition(whole == read(stream, ends: Array(1..<max(stream.count, 1)), limit), "octet by octet")
    for cut in 1..<max(stream.count, 1) where cut < 200 || cut.isMultiple(of: 97) {
        precondition(whole == read(stream, ends: [cut], limit), "in two parts it is another")
    }
    for event in whole.events {
        precondition(event.data.count <= limit && event.type.count <= limit, "too much is kept")
    }
}

/// What a stream came to.
private struct Outcome: Equatable {
    var events: [ServerSentEvent] = []
    var violation: ServerSentEventViolation?
}

private func read(_ bytes: [UInt8], ends: [Int], _ limit: Int) -> Outcome {
    var outcome = Outcome()
    var reader = ServerSentEventReader(eventBytes: limit)
    var start = 0
    do throws(ServerSentEventViolation) {
        for end in ends + [bytes.count] {
            while start < end {
                let step = try reader.read(bytes.span.extracting(start..<end))
                precondition(step.consumed > 0, "a stream that goes on reads something")
                start += step.consumed
                if let event = step.event { outcome.events.append(event) }
            }
        }
        if let event = try reader.end() { outcome.events.append(event) }
    } catch {
        outcome.violation = error
    }
    return outcome
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzEvents(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzEvents {
    static func main() {
        unsafe runFuzzer(fuzzEvents)
    }
}
