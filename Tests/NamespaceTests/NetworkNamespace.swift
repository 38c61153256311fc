import Foundation
import Synchronization

/// A network namespace of its own for a test, with its loopback up, deleted with all its processes in `deinit`.
///
/// It shares the mounts and the processes of the machine: only the network is apart. Needs root.
final class NetworkNamespace {
    /// Below `/run/netns`; holds the process id and a count, so that suites run side by side.
    let name: String
    private var processes: [BackgroundProcess] = []

    private static let count = Atomic<Int>(0)

    /// Makes the namespace; `role` is only for who reads `ip netns`.
    init(_ role: String) throws {
        let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        name = "pstk-\(ProcessInfo.processInfo.processIdentifier)-\(number)-\(role)"
        try Self.must(["ip", "netns", "add", name])
        // Duplicate address detection would keep IPv6 addresses unusable for a second.
        try shell("echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; ip link set lo up")
    }

    deinit {
        stopAll()
        _ = try? BackgroundProcess(["ip", "netns", "delete", name]).wait()
    }

    /// Runs a command here and waits for it.
    ///
    /// Without `uid` it runs as root, with every capability. The group is the user's number unless `gid` says otherwise.
    /// A program of ours is given by its full path (`Built.path`); others are looked up in the system's folders.
    func run(
        _ command: [String],
        uid: UInt32? = nil,
        gid: UInt32? = nil,
        capabilities: [String] = [],
        input: String = "",
        environment: [String: String] = [:],
        seconds: Double = 60
    ) throws -> CommandResult {
        let user = uid.map { RunAs(uid: $0, gid: gid ?? $0, capabilities: capabilities) }
        let process = try BackgroundProcess(wrapped(command, user), input: input, environment: environment)
        return process.wait(seconds: seconds)
    }

    /// Starts a command here; it is killed when the namespace goes, or earlier by its `stop()`.
    @discardableResult
    func start(
        _ command: [String],
        uid: UInt32? = nil,
        gid: UInt32? = nil,
        capabilities: [String] = [],
        input: String = "",
        environment: [String: String] = [:]
    ) throws -> BackgroundProcess {
        let user = uid.map { RunAs(uid: $0, gid: gid ?? $0, capabilities: capabilities) }
        let process = try BackgroundProcess(wrapped(command, user), input: input, environment: environment)
        processes.append(process)
        return process
    }

    /// Runs a command of the set-up as root, and throws where it fails.
    @discardableResult
    func must(_ command: [String], input: String = "") throws -> String {
        try Self.must(wrapped(command, nil), input: input)
    }

    /// Runs a shell script as root, and throws where it fails.
    @discardableResult
    func shell(_ script: String) throws -> String {
        try must(["sh", "-ec", script])
    }

    /// Runs a Python program as `user`, with its arguments in `sys.argv[1:]`.
    func python(_ program: String, _ arguments: [String] = [], as user: RunAs = .agent, seconds: Double = 60) throws
        -> CommandResult
    {
        try run(
            ["python3", "-c", program] + arguments,
            uid: user.uid,
            gid: user.gid,
            capabilities: user.capabilities,
            seconds: seconds
        )
    }

    /// Starts a Python program and waits until it has printed `ready`.
    @discardableResult
    func startPython(_ program: String, _ arguments: [String] = [], as user: RunAs = .agent) throws
        -> BackgroundProcess
    {
        let command = ["python3", "-u", "-c", program] + arguments
        let process = try start(command, uid: user.uid, gid: user.gid, capabilities: user.capabilities)
        guard process.waitForOutput("ready") else {
            throw CommandFailed(command: command, result: process.wait(seconds: 0))
        }
        return process
    }

    /// A function `say` for programs with threads, which writes a line of words in one piece.
    ///
    /// `print` writes each word and the line's end by itself, so that the lines of two threads mix.
    static let pythonSay = """
        import sys, threading
        saying = threading.Lock()
        def say(*words):
            with saying: sys.stdout.write(" ".join(map(str, words)) + "\\n"); sys.stdout.flush()

        """ + "\n"

    /// Kills everything that was started here.
    func stopAll() {
        for process in processes { process.stop() }
        processes = []
    }

    /// Runs a command on the machine itself, and throws where it fails.
    @discardableResult
    static func must(_ command: [String], input: String = "") throws -> String {
        let result = try BackgroundProcess(command, input: input).wait()
        guard result.succeeded else { throw CommandFailed(command: command, result: result) }
        return result.output
    }

    private func wrapped(_ command: [String], _ user: RunAs?) -> [String] {
        ["nsenter", "--net=/run/netns/\(name)", "--"] + (user?.prefix ?? []) + command
    }
}
