import Foundation
import Synchronization
import Testing

/// A host with a world outside, and cgroups of its own on the machine's hierarchy, which go in `deinit`.
///
/// The pod of `PodAndWorld` plays the host. Below one cgroup there are `agent`, which is to be captured, with `inner` in it,
/// and `stranger`; `neighbor` stands beside them all.
final class ControlGroupBed {
    let net: PodAndWorld
    /// What the rules and the daemon's part are played with.
    let rules: RulesetBed
    /// The name of the cgroup above those of the service.
    let parent: String
    /// The hierarchy's directory.
    let root: String
    private var processes: [BackgroundProcess] = []

    private static let count = Atomic<Int>(0)

    var agent: String { "\(parent)/agent" }
    var inner: String { "\(agent)/inner" }
    var stranger: String { "\(parent)/stranger" }
    var neighbor: String { "\(parent)-neighbor" }

    /// Makes the cgroups; the host is there already.
    init(_ net: PodAndWorld, mode: Handover = .standard) throws {
        self.net = net
        rules = RulesetBed(net: net, mode: mode)
        let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        parent = "pstk-\(ProcessInfo.processInfo.processIdentifier)-\(number)"
        let line = try NetworkNamespace.must(["findmnt", "-n", "-l", "-t", "cgroup2", "-o", "TARGET"])
        root = String(line.split(separator: "\n").first ?? "")
        for path in [parent, agent, inner, stranger, neighbor] { try make(path) }
    }

    deinit {
        for process in processes { process.stop() }
        for path in [inner, agent, stranger, parent, neighbor] { try? remove(path) }
    }

    /// Makes the host, loads the rules for `agent` unless told otherwise, and hands it over: once for each mode.
    static func with(
        _ flags: [String] = [],
        modes: [Handover] = Handover.chosen,
        install: Bool = true,
        _ body: (ControlGroupBed) throws -> Void
    ) throws {
        for mode in modes {
            try PodAndWorld.with { net in
                let bed = try ControlGroupBed(net, mode: mode)
                if install { try bed.rules.install(["--cgroup", bed.agent] + flags) }
                try body(bed)
                for process in bed.processes { process.stop() }
            }
        }
    }

    /// As whom the daemon is played.
    var daemon: RunAs { RunAs(uid: 10880, gid: 10880, capabilities: rules.mode.capabilities) }

    // MARK: Cgroups

    func make(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: false)
    }

    /// Removes a cgroup once its last process is gone.
    func remove(_ path: String) throws {
        let gone = BackgroundProcess.poll(seconds: 30) { unsafe rmdir("\(root)/\(path)") == 0 || errno == ENOENT }
        guard gone else {
            throw CommandFailed(command: ["rmdir", path], result: .init(status: 1, output: "", errors: ""))
        }
    }

    /// What a restart of the service does: another cgroup of the same name.
    func replace() throws {
        try remove(inner)
        try remove(agent)
        try make(agent)
    }

    /// Puts a process elsewhere, as root may.
    func move(_ process: BackgroundProcess, to path: String) throws {
        try move(process.pid, to: path)
    }

    func move(_ process: Int32, to path: String) throws {
        try Data("\(process)".utf8).write(to: URL(filePath: "\(root)/\(path)/cgroup.procs"))
    }

    // MARK: Programs

    /// Runs a Python program in a cgroup of the host, with the functions of `RulesetBed.kit` at hand.
    func run(_ program: String, _ arguments: [String] = [], in path: String, as user: RunAs = .agent) throws
        -> CommandResult
    {
        try BackgroundProcess(command(rules.kit + program, arguments, path, user)).wait()
    }

    /// The same with the functions of `DaemonWorld.kit`, beside a real daemon; what it printed.
    func askDaemon(_ program: String, _ arguments: [String] = [], in path: String) throws -> String {
        let result = try BackgroundProcess(command(DaemonWorld.kit + program, arguments, path, .agent)).wait(
            seconds: 40
        )
        return result.output + result.errors
    }

    /// Starts one; it has printed `ready`.
    @discardableResult
    func start(_ program: String, _ arguments: [String] = [], in path: String, as user: RunAs = .agent) throws
        -> BackgroundProcess
    {
        let command = command(rules.kit + program, arguments, path, user)
        let process = try BackgroundProcess(command)
        processes.append(process)
        guard process.waitForOutput("ready") else {
            throw CommandFailed(command: command, result: process.wait(seconds: 0))
        }
        return process
    }

    /// Starts `penstock-init watch` for the agent's cgroup; it has compared the rules once.
    ///
    /// Without a socket of a daemon's there is nobody to tell.
    func watch(_ flags: [String] = [], socket: String? = nil) throws -> BackgroundProcess {
        let command = [
            "watch", "--cgroup", agent, "--watch-seconds", "1", "--admin-socket", socket ?? "/run/\(net.pod.name).sock",
        ]
        let watcher = try rules.start(command + flags)
        guard watcher.waitForOutput("watching it") else {
            throw CommandFailed(command: command, result: watcher.wait(seconds: 0))
        }
        return watcher
    }

    private func command(_ program: String, _ arguments: [String], _ path: String, _ user: RunAs) -> [String] {
        let enter = "echo 0 > \"$0/cgroup.procs\"; exec \"$@\""
        return ["sh", "-ec", enter, "\(root)/\(path)", "nsenter", "--net=/run/netns/\(net.pod.name)", "--"]
            + user.prefix
            + ["python3", "-u", "-c", program] + arguments
    }
}
