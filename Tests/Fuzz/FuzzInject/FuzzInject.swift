import FuzzDriver
import ManifestInjection
import PodInjection

// Build and run as FuzzOpening says, with this one's name.
// A crash file goes, once understood, into Regressions with a test of its own.

/// A manifest is refused, or the guard comes in, comes in again as it was, and goes without a trace.
private func check(_ bytes: [UInt8]) {
    var options = InjectionOptions(image: "penstock:1")
    options.agentUser = 2000
    let made: InjectedManifest
    do throws(ManifestInjectionError) {
        made = try injectManifest(bytes, file: "fuzz", options)
    } catch {
        if case .unfaithful = error { preconditionFailure("the result is not what was meant") }
        return
    }
    guard let again = try? injectManifest(made.bytes, file: "fuzz", options),
        let back = try? uninjectManifest(made.bytes, file: "fuzz")
    else { preconditionFailure("the result is refused") }
    precondition(again.bytes == made.bytes, "done twice it gives something else")
    precondition(back.bytes == bytes, "taken out again it gives something else")
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzInject(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzInject {
    static func main() {
        unsafe runFuzzer(fuzzInject)
    }
}
