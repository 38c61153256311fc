import LinuxBindings
import Telemetry

/// Why a command did not do what it was asked for: one clear line and an exit code.
struct Complaint: Error, Hashable {
    let text: String
    let code: ExitCode

    init(_ text: String, _ code: ExitCode) {
        self.text = text
        self.code = code
    }
}

/// The exit codes that `penstock help` names; from 64 on they are those of sysexits(3).
enum ExitCode: Int32 {
    case done = 0
    /// Problems were found.
    case problems = 1
    case usage = 64
    /// What was to be tried does not load, where 1 says something else.
    case wrong = 65
    case unreadable = 66
    /// The daemon cannot be asked.
    case unavailable = 69
    case defect = 70
    /// What was made cannot be written where it should go.
    case unwritable = 73
}

/// Writes a line to standard error, under the program's name.
func say(_ text: String) {
    writeToStandardError("penstock: \(printable(text))\n")
}
