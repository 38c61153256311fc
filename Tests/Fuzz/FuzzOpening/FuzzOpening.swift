import FuzzDriver
import WireFormats

// Build: FUZZ=1 swift build --product FuzzOpening --scratch-path .build-fuzz \
//            -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld
// Run:   .build-fuzz/debug/FuzzOpening -max_total_time=180 CORPUS Tests/Fuzz/FuzzOpening/Regressions
// A crash file goes, once understood, into Regressions with a test of its own.

/// The classes of answer that must not change when bytes are added.
private enum Class: Equatable {
    case undecided
    case tls
    case http
    case http2
    case opaque
    case proxy
    case malformed

    init(_ reading: OpeningReading) {
        self =
            switch reading {
            case .needMore: .undecided
            case .tls: .tls
            case .http: .http
            case .http2Preface: .http2
            case .opaque: .opaque
            case .proxyRequest: .proxy
            case .malformed: .malformed
            }
    }
}

/// Checks that no prefix is decided otherwise than the whole, and that `total` and `examined` hold.
private func check(_ bytes: [UInt8]) {
    var limits = SniffLimits()
    // Small limits too, so that short inputs reach them.
    if bytes.count.isMultiple(of: 3) {
        limits.helloBytes = 600
        limits.headBytes = 120
    }
    let whole = readOpening(bytes.span, limits: limits)
    if case .needMore(let total) = whole { precondition(total > bytes.count, "asks for what it has") }
    var decided = Class.undecided
    var needed = 0
    var examined = 0
    for count in 0...min(bytes.count, 700) {
        let prefix = bytes.span.extracting(0..<count)
        let reading = readOpening(prefix, limits: limits)
        let kind = Class(reading)
        precondition(decided == .undecided || kind == decided, "a decided verdict changed")
        precondition(kind == .undecided || kind == Class(whole), "a prefix contradicts the whole")
        precondition(kind == .undecided || kind == .malformed || count >= needed, "decided before it could be")
        if case .needMore(let total) = reading {
            needed = max(needed, total)
            let again = Class(readOpening(prefix, examined: examined, limits: limits))
            precondition(again == .undecided, "remembering changed the verdict")
            examined = count
        } else if decided == .undecided {
            let again = Class(readOpening(prefix, examined: examined, limits: limits))
            precondition(again == kind || again == .undecided, "remembering changed the verdict")
        }
        decided = kind
    }
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOpening(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzOpening {
    static func main() {
        unsafe runFuzzer(fuzzOpening)
    }
}
