import LinuxBindings
import Telemetry
import TrafficCapture

/// What is written to standard output, and whether it could be.
final class Report {
    private let command: CaptureArguments.Command
    /// The first failure; an answer ends with it, and a report goes on: there may be room again.
    private var problem: SystemCallError?

    init(of command: CaptureArguments.Command) {
        self.command = command
    }

    /// Writes a line, or several.
    func say(_ text: String) {
        guard problem == nil || !isAnswer else { return }
        do throws(SystemCallError) {
            try deliverToStandardOutput(text.hasSuffix("\n") ? text : text + "\n")
        } catch {
            if problem == nil, !isAnswer {
                complain(["warning: standard output: \(error); lines of the report are lost"])
            }
            problem = problem ?? error
        }
    }

    /// Fails where what was asked for is not whole.
    func finish() throws(Failure) {
        guard let problem, isAnswer else { return }
        throw Failure(
            message: "standard output: \(problem); what \(command.rawValue) writes is not whole; lead it elsewhere",
            status: 74
        )
    }

    /// Whether the text is what was asked for; of the other commands the exit status tells what they did.
    private var isAnswer: Bool {
        switch command {
        case .print, .help, .version: true
        case .install, .hold, .verify, .watch, .remove: false
        }
    }
}

/// Writes lines to standard error, under the program's name.
func complain(_ lines: [String]) {
    for line in lines { writeToStandardError("penstock-init: \(printable(line))\n") }
}
