import LinuxBindings
import Telemetry

/// Why the daemon cannot go on: one clear line and an exit code.
struct Complaint: Error, Hashable {
    let text: String
    let code: ExitCode

    init(_ text: String, _ code: ExitCode) {
        self.text = text
        self.code = code
    }
}

extension Complaint: CustomStringConvertible {
    var description: String { text }
}

/// The exit codes of sysexits(3) that `--help` names.
enum ExitCode: Int32 {
    case done = 0
    case usage = 64
    case unavailable = 69
    case defect = 70
    case audit = 73
    /// Of `--help`, `--version` and `--check-config`, which open no audit file.
    case output = 74
    case permission = 77
    case configuration = 78
}

/// Writes a line to standard error, under the program's name.
///
/// What a file or an argument put into it cannot steer a terminal or begin a line of its own.
func say(_ text: String) {
    writeToStandardError("penstockd: \(printable(text))\n")
}
