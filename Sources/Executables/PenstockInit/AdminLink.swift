import LinuxBindings
import Posture
import Telemetry

/// The way to the daemon's admin socket: opened when it is needed, and again after it broke.
final class AdminLink {
    private let path: String
    private let say: (String) -> Void
    private var socket: Connection?
    /// What was said of it last: the same is not said again.
    private var trouble: String?
    /// The daemon is of a version that knows fewer members.
    private var isOfBefore = false

    /// A descriptor that may be absent is kept by reference: docs/workarounds.md.
    private final class Connection {
        let descriptor: OwnedDescriptor

        init(_ descriptor: consuming OwnedDescriptor) {
            self.descriptor = descriptor
        }
    }

    /// How long the daemon may take to answer, in milliseconds.
    private static let patience: UInt64 = 1000

    init(path: String, say: @escaping (String) -> Void) {
        self.path = path
        self.say = say
    }

    /// The number of the socket; nil where the daemon is not reached.
    var number: Int32? { socket?.descriptor.number }

    /// Tells the daemon what was found; true where it took it.
    func send(_ report: RulesetReport) -> Bool {
        // One that broke since may have been replaced by another daemon: twice, then later.
        for _ in 0..<2 where socket != nil || connect() {
            guard let problem = exchange(isOfBefore ? report.plain : report) else {
                if trouble != nil { say("admin socket \(path): the daemon listens") }
                trouble = nil
                return true
            }
            socket = nil
            note(problem)
        }
        return false
    }

    /// Gives the socket up where the daemon has ended it.
    func heard() {
        socket = nil
        isOfBefore = false
    }

    private func connect() -> Bool {
        do throws(SystemCallError) {
            socket = Connection(try connectLocally(to: path))
            return true
        } catch {
            note("\(error)")
            return false
        }
    }

    /// What went wrong; nil where the daemon took the report.
    private func exchange(_ report: RulesetReport) -> String? {
        do throws(SystemCallError) {
            guard let socket else { return "not connected" }
            let answer = try exchangeLine(
                AdminRequest.ruleset(report).line,
                over: socket.descriptor,
                milliseconds: Self.patience,
                limit: AdminRequest.limit
            )
            if answer == AdminAnswer.done { return nil }
            isOfBefore = AdminAnswer.refusesMember(answer)
            return printable(String(decoding: answer, as: UTF8.self))
        } catch {
            return "\(error)"
        }
    }

    private func note(_ problem: String) {
        guard problem != trouble else { return }
        trouble = problem
        say("warning: admin socket \(path): \(problem); the daemon is not told, trying again")
    }
}
