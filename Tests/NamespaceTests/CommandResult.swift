/// How a command ended, and what it wrote.
struct CommandResult: CustomStringConvertible {
    /// The exit status; 128 + the signal's number where a signal ended it, 124 where the time limit did.
    var status: Int32
    /// Standard output.
    var output: String
    /// Standard error.
    var errors: String

    var succeeded: Bool { status == 0 }

    var description: String { "status \(status)\n--- output\n\(output)\n--- errors\n\(errors)" }
}

/// A command of the set-up that failed: the test cannot go on.
struct CommandFailed: Error, CustomStringConvertible {
    var command: [String]
    var result: CommandResult

    var description: String { "\(command.joined(separator: " ")): \(result)" }
}

/// The user and group that a command runs as, without capabilities or further groups, and unable to gain any.
struct RunAs {
    var uid: UInt32
    var gid: UInt32
    /// Capabilities left to it, in the names of setpriv(1), such as `net_raw`.
    var capabilities: [String] = []

    /// The governed workload.
    static let agent = RunAs(uid: 2000, gid: 2000)
    /// The daemon.
    static let daemon = RunAs(uid: 10880, gid: 10880)

    /// The command that drops to this user and then runs what follows.
    var prefix: [String] {
        let kept = capabilities.map { "+\($0)" }
        let sets = (["-all"] + kept).joined(separator: ",")
        return [
            "setpriv", "--reuid", "\(uid)", "--regid", "\(gid)", "--clear-groups", "--no-new-privs",
            "--inh-caps=\(sets)", "--ambient-caps=\(sets)", "--bounding-set=\(sets)", "--",
        ]
    }
}
