import LinuxBindings
import Telemetry
import TrafficCapture

do throws(Failure) {
    let arguments: CaptureArguments
    do throws(CaptureArguments.Problem) {
        arguments = try CaptureArguments(Array(CommandLine.arguments.dropFirst()))
    } catch { throw .usage(error.description) }
    let identity = effectiveIdentity()
    let session = Session(
        arguments: arguments,
        owner: Owner(user: identity.user, group: identity.group),
        say: { writeToStandardOutput($0.hasSuffix("\n") ? $0 : $0 + "\n") }
    )
    try session.run()
} catch {
    writeToStandardError("penstock-init: \(printable(error.message))\n")
    exitProcess(error.status)
}
