import Glibc

/// A child process, started with its standard streams on files.
///
/// Foundation's `Process` is not used: it crashes where several threads start processes at once.
final class ChildProcess {
    let pid: pid_t
    private var status: Int32?

    /// Starts the first word of `command`, by its full path.
    init(_ command: [String], environment: [String: String], input: String, output: String, errors: String) throws {
        _ = Self.keepsInherited
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_APPEND, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_APPEND, 0)
        // The thread that starts it may be one of a pool that blocks signals, and a child inherits that.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var nothing = sigset_t()
        unsafe sigemptyset(&nothing)
        unsafe posix_spawnattr_setsigmask(&attributes, &nothing)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer {
            unsafe (arguments + variables).forEach { unsafe free($0) }
        }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw NotStarted(command: command, code: code) }
        self.pid = pid
    }

    /// Whoever runs the tests may have left descriptors open: no child gets them, because tests count those of a daemon.
    private static let keepsInherited: Void = {
        for number in 3..<Int32(1024) { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    }()

    struct NotStarted: Error {
        var command: [String]
        var code: Int32
    }

    /// 0 to 255 as the process ended itself, 128 + the number of the signal that ended it; `nil` while it runs.
    var exitStatus: Int32? {
        if let status { return status }
        var word: Int32 = 0
        guard unsafe waitpid(pid, &word, WNOHANG) == pid else { return nil }
        let signal = word & 0x7f
        status = signal == 0 ? (word >> 8) & 0xff : 128 + signal
        return status
    }

    /// Sends a signal, unless the process has ended.
    func signal(_ number: Int32) {
        guard exitStatus == nil else { return }
        kill(pid, number)
    }
}
