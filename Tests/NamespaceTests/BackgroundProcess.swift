import Foundation

/// A process of a test, with its output in files so that no pipe can fill up or be inherited.
///
/// Whoever started it ends it: `stop()`, or at the latest `deinit`, kills it.
final class BackgroundProcess {
    private let process = Process()
    private let folder: URL

    /// Starts `command`; the program is looked up in the system's folders only.
    init(_ command: [String], input: String = "", environment: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "penstock-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["in", "out", "err"] {
            try Data(name == "in" ? Array(input.utf8) : []).write(to: folder.appending(path: name))
        }
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"].merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: folder.appending(path: "in"))
        process.standardOutput = try FileHandle(forWritingTo: folder.appending(path: "out"))
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: "err"))
        try process.run()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// The process id.
    ///
    /// The wrappers (nsenter, setpriv) replace themselves, so it is the command's own.
    var pid: Int32 { process.processIdentifier }

    var isRunning: Bool { process.isRunning }

    /// What it wrote to standard output so far.
    var output: String { text("out") }

    /// What it wrote to standard error so far.
    var errors: String { text("err") }

    /// Waits until the process ends; kills it and answers status 124 after `seconds`.
    func wait(seconds: Double = 20) -> CommandResult {
        let ended = Self.poll(seconds: seconds) { !process.isRunning }
        if !ended { stop() }
        let bySignal = process.terminationReason == .uncaughtSignal
        let status = !ended ? 124 : bySignal ? 128 + process.terminationStatus : process.terminationStatus
        return CommandResult(status: status, output: output, errors: errors)
    }

    /// Waits until standard output holds `text`; false where the process ended or `seconds` passed without it.
    func waitForOutput(_ text: String, seconds: Double = 10) -> Bool {
        _ = Self.poll(seconds: seconds) { output.contains(text) || !process.isRunning }
        return output.contains(text)
    }

    /// Sends a signal, such as `SIGTERM`.
    func signal(_ number: Int32) {
        guard process.isRunning else { return }
        kill(process.processIdentifier, number)
    }

    /// Kills the process and waits for its end.
    func stop() {
        signal(SIGKILL)
        _ = Self.poll(seconds: 5) { !process.isRunning }
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
