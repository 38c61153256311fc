import Foundation
import NetworkTypes

/// A real dnsmasq on 127.0.0.1 and ::1, with a log of every question; stopped when it is let go.
final class NameServer {
    let port: UInt16
    private let process: pid_t
    private let folder: URL

    init(_ records: [String], hosts: String = "") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "penstock-dns-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(hosts.utf8).write(to: folder.appending(path: "hosts"))
        let folder = self.folder
        let isUp = {
            let log = try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)
            return log?.contains("read \(folder.path)/hosts") == true
        }
        // Between the choice of a port and its use another test may take it: dnsmasq then ends, and the next one is tried.
        var port = freePort()
        var process = try Self.dnsmasq(port, records, folder)
        for _ in 0..<3000 where !isUp() {
            usleep(10_000)
            guard waitpid(process, nil, WNOHANG) == process else { continue }
            port = freePort()
            process = try Self.dnsmasq(port, records, folder)
        }
        self.port = port
        self.process = process
    }

    private static func dnsmasq(_ port: UInt16, _ records: [String], _ folder: URL) throws -> pid_t {
        try start(
            [
                "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv",
                "--bind-interfaces", "--user=root", "--pid-file=", "--port=\(port)",
                "--listen-address=127.0.0.1,::1", "--local=/test/", "--log-queries",
                "--log-facility=\(folder.path)/log", "--addn-hosts=\(folder.path)/hosts",
            ] + records
        )
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        try? FileManager.default.removeItem(at: folder)
    }

    var address: SocketAddress { SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: port) }
    var addressSix: SocketAddress { SocketAddress(.v6(IPv6Address(high: 0, low: 1)), port: port) }

    private var log: String { (try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)) ?? "" }

    /// The questions so far, as `A name`, in their order.
    var questions: [String] {
        log.split(separator: "\n").compactMap { line -> String? in
            guard let start = line.range(of: "query["), let end = line.range(of: " from ") else { return nil }
            return String(line[start.upperBound..<end.lowerBound].replacing("] ", with: " "))
        }
    }
}

/// Where no server is, and none comes: a port of 127.0.0.1 that is free now may be another test's in a moment.
let nobody = SocketAddress(.v4(IPv4Address(127, 77, 5, 3)), port: 9)

/// A port that nobody has at the moment, on UDP and TCP alike as far as one can tell.
func freePort() -> UInt16 {
    let server = ScriptedServer { _ in nil }
    return server.address.port
}

/// Starts a program.
///
/// Not with Foundation's `Process`: it takes the end of a socket that the child inherits for the end of the child, and
/// dnsmasq closes what it inherits.
private func start(_ command: [String]) throws -> pid_t {
    var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var process = pid_t()
    let code = unsafe posix_spawn(&process, command[0], nil, nil, &arguments, environ)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
    return process
}
