import LinuxBindings
import Telemetry

/// The operator's command: reads the command line, and does the one thing that it asks for.
@main
enum PenstockCommand {
    static func main() {
        holdStandardStreams()
        let command: Command
        do throws(Misuse) {
            command = try Command(CommandLine.arguments.dropFirst())
        } catch {
            say("\(error.text); see \(error.topic.invocation)")
            exitProcess(ExitCode.usage.rawValue)
        }
        do throws(Complaint) {
            exitProcess(try command.run().rawValue)
        } catch {
            say(error.text)
            exitProcess(error.code.rawValue)
        }
    }
}

extension Command {
    fileprivate func run() throws(Complaint) -> ExitCode {
        switch self {
        case .help(let topic):
            deliver(topic.text + "\n")
            return .done
        case .version:
            deliver("penstock \(productVersion)\n")
            return .done
        case .policy(let command): return try command.run()
        case .audit(let command): return try command.run()
        case .doctor(let request): return try request.run()
        case .inject(let request): return try request.run()
        case .authority(let command): return try command.run()
        }
    }
}
