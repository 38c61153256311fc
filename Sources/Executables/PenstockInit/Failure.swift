import LinuxBindings
import SourceDocuments
import TrafficCapture

/// Why the program ends without having done what it was asked for: a line for each thing, and the exit status.
struct Failure: Error {
    var lines: [String]
    var status: Int32

    static func usage(_ message: String) -> Failure { Failure(message: message, status: 64) }

    /// The configuration file is wrong.
    static func file(_ problems: [SourceProblem]) -> Failure {
        Failure(lines: problems.map(\.description), status: 65)
    }

    private init(lines: [String], status: Int32) {
        self.lines = lines
        self.status = status
    }

    init(message: String, status: Int32) {
        self.init(lines: [message], status: status)
    }

    /// As one of the configuration file where what is wrong stands there.
    init(_ problem: PlanProblem, in settings: CaptureSettings) {
        self = problem.placed(in: settings).map { .file([$0]) } ?? .usage(problem.description)
    }

    /// As one of the configuration file where that names the cgroups.
    init(_ error: ControlGroupProblem, in settings: CaptureSettings) {
        let placed = error.placed(in: settings)
        self.init(
            message: placed?.description ?? error.description,
            status: placed != nil && error.isOfInput ? 65 : error.exitStatus
        )
    }

    init(_ error: CaptureError) {
        self.init(message: error.description, status: error.exitStatus)
    }
}
