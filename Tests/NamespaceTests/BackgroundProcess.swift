import Foundation

/// A process of a test, with its output in files so that no pipe can fill up or be inherited.
///
/// Whoever started it ends it: `stop()`, or at the latest `deinit`, kills it.
final class BackgroundProcess {
    private let child: ChildProcess
    private let folder: URL

    /// Starts `command`; the program is looked up in the system's folders only.
    init(_ command: [String], input: String = "", environment: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "penstock-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["in", "out", "err"] {
            try Data(name == "in" ? Array(input.utf8) : []).write(to: folder.appending(path: name))
        }
        child = try ChildProcess(
            ["/usr/bin/env"] + command,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"].merging(environment) { $1 },
            input: folder.appending(path: "in").path,
            output: folder.appending(path: "out").path,
            errors: folder.appending(path: "err").path
        )
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// The process id.
    ///
    /// The wrappers (nsenter, setpriv) replace themselves, so it is the command's own.
    var pid: Int32 { child.pid }

    var isRunning: Bool { child.exitStatus == nil }

    /// What it wrote to standard output so far.
    var output: String { text("out") }

    /// What it wrote to standard error so far.
    var errors: String { text("err") }

    /// Waits until the process ends; kills it and answers status 124 after `seconds`.
    func wait(seconds: Double = 60) -> CommandResult {
        let ended = Self.poll(seconds: seconds) { !isRunning }
        if !ended { stop() }
        let status = ended ? child.exitStatus ?? 124 : 124
        return CommandResult(status: status, output: output, errors: errors)
    }

    /// Waits until standard output holds `text`; false where the process ended or `seconds` passed without it.
    func waitForOutput(_ text: String, seconds: Double = 60) -> Bool {
        _ = Self.poll(seconds: seconds) { output.contains(text) || !isRunning }
        return output.contains(text)
    }

    /// True once it has written this to standard error; what it writes comes some time after what it does.
    func says(_ text: String, seconds: Double = 60) -> Bool {
        Self.poll(seconds: seconds) { errors.contains(text) }
    }

    /// Sends a signal, such as `SIGTERM`.
    func signal(_ number: Int32) { child.signal(number) }

    /// Kills the process and waits for its end.
    func stop() {
        signal(SIGKILL)
        _ = Self.poll(seconds: 20) { !isRunning }
    }

    /// Asks every few milliseconds until `condition` holds or `seconds` have passed; the condition's last answer.
    static func poll(seconds: Double, until condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !condition() {
            guard ContinuousClock.now < deadline else { return condition() }
            usleep(3000)
        }
        return true
    }

    private func text(_ name: String) -> String {
        let bytes = (try? Data(contentsOf: folder.appending(path: name))) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}
