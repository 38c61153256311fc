import LinuxBindings
import TrafficCapture

holdStandardStreams()
do throws(Failure) {
    let arguments: CaptureArguments
    do throws(CaptureArguments.Problem) {
        arguments = try CaptureArguments(Array(CommandLine.arguments.dropFirst()))
    } catch { throw .usage(error.description) }
    let identity = effectiveIdentity()
    let report = Report(of: arguments.command)
    let session = Session(
        arguments: arguments,
        owner: Owner(user: identity.user, group: identity.group),
        say: report.say
    )
    try session.run()
    try report.finish()
} catch {
    complain(error.lines)
    exitProcess(error.status)
}
