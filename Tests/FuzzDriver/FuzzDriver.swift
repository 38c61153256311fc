/// The driver of libFuzzer; an executable of the package has its own entry, so it is called by name.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Runs a fuzzer as its command line says; `target` is what it exports as `LLVMFuzzerTestOneInput`.
package func runFuzzer(_ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt) {
    var count = CommandLine.argc
    var arguments = unsafe CommandLine.unsafeArgv
    unsafe _ = runDriver(&count, &arguments, target)
}
