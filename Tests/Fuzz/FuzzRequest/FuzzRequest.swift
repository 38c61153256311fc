import FuzzDriver
import WireFormats

/// Checks that a request head is read the same however it comes, and that its parts lie where they must.
private func check(_ bytes: [UInt8]) {
    var limits = HTTP1Limits()
    // Small limits too, so that short inputs reach them.
    if bytes.count.isMultiple(of: 3) {
        limits.headBytes = 200
        limits.startLineBytes = 60
        limits.fields = 5
        limits.connectionOptions = 3
    }
    let whole = read(bytes, ends: [], limits)
    precondition(whole == read(bytes, ends: Array(1..<max(bytes.count, 1)), limits), "octet by octet it is another")
    for cut in 1..<max(bytes.count, 1) where cut < 400 || cut.isMultiple(of: 97) {
        precondition(whole == read(bytes, ends: [cut], limits), "in two parts it is another")
    }
    guard case .success(let head?) = whole else { return }
    precondition(head.headBytes <= min(bytes.count, limits.headBytes), "the head is longer than its octets")
    precondition(head.fields.lines.count <= limits.fields, "there are too many fields")
    precondition(head.fields.bytes.elementsEqual(bytes.prefix(head.headBytes)), "the head holds other octets")
    precondition(head.host != .absent || head.minorVersion == 0, "nobody is named")
    precondition(head.framing != .untilClose, "a request does not last until close")
    var body = HTTP1BodyReader(head.framing, limits: limits)
    var read = head.headBytes
    while read < bytes.count, !body.isComplete {
        guard let step = try? body.read(bytes.span.extracting(read..<bytes.count)) else { return }
        precondition(step.consumed > 0, "a body that goes on reads something")
        precondition(step.payload.upperBound <= step.consumed, "payload lies in what was read")
        read += step.consumed
    }
    precondition(read <= bytes.count, "the body is longer than its octets")
}

private func read(_ bytes: [UInt8], ends: [Int], _ limits: HTTP1Limits) -> Result<HTTP1Request?, HTTP1Violation> {
    var reader = HTTP1RequestReader(limits: limits)
    do throws(HTTP1Violation) {
        for end in ends {
            if let head = try reader.read(bytes.span.extracting(0..<end)) { return .success(head) }
        }
        return .success(try reader.read(bytes.span))
    } catch {
        return .failure(error)
    }
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzRequest(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzRequest {
    static func main() {
        unsafe runFuzzer(fuzzRequest)
    }
}
