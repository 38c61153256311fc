import LinuxBindings
import SourceDocuments
import TrafficCapture

/// Why the program ends without having done what it was asked for: one line, and the exit status.
struct Failure: Error {
    var message: String
    var status: Int32

    static func usage(_ message: String) -> Failure { Failure(message: message, status: 64) }

    init(message: String, status: Int32) {
        self.message = message
        self.status = status
    }

    init(_ error: ControlGroupProblem) {
        self.init(message: error.description, status: error.exitStatus)
    }

    init(_ error: CaptureError) {
        self.init(message: error.description, status: error.exitStatus)
    }
}
