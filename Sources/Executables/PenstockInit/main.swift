import Glibc
import LinuxBindings
import TrafficCapture

/// Writes a line of text to an open descriptor of the process, and leaves it open.
func write(_ line: String, to number: Int32) {
    let descriptor = OwnedDescriptor(adopting: number)
    let bytes = Array((line.hasSuffix("\n") ? line : line + "\n").utf8)
    var rest = bytes.span
    while !rest.isEmpty, let written = try? writeBytes(descriptor, rest), written > 0 {
        rest = rest.extracting(droppingFirst: written)
    }
    _ = descriptor.release()
}

do throws(Failure) {
    let arguments: CaptureArguments
    do throws(CaptureArguments.Problem) {
        arguments = try CaptureArguments(Array(CommandLine.arguments.dropFirst()))
    } catch { throw .usage(error.description) }
    let session = Session(
        arguments: arguments,
        owner: Owner(user: geteuid(), group: getegid()),
        say: { write($0, to: 1) }
    )
    try session.run()
} catch {
    write("penstock-init: \(error.message)", to: 2)
    exit(error.status)
}
