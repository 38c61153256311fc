import Foundation
import Glibc

/// How the program ended, and what it wrote.
struct Ending: CustomStringConvertible {
    var status: Int32
    var output: String
    var errors: String

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    var description: String { "status \(status)\n--- output\n\(output)\n--- errors\n\(errors)" }
}

/// The built `penstock`: in the folder that PENSTOCK_BIN names, else beside the tests.
let program: String = {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    let folder = ProcessInfo.processInfo.environment["PENSTOCK_BIN"] ?? package.appending(path: ".build/debug").path
    // SwiftPM calls it by its target where no product was built.
    let names = ["\(folder)/penstock", "\(folder)/PenstockCommand"]
    return names.first { FileManager.default.fileExists(atPath: $0) } ?? names[0]
}()

/// Runs `penstock` with arguments, in a folder, to its end.
///
/// Foundation's `Process` is not used: it crashes where several threads start processes at once.
func penstock(_ arguments: String..., in folder: Folder? = nil) throws -> Ending {
    try run(arguments, in: folder)
}

/// Runs `penstock` with a list of arguments.
///
/// Its standard output goes to a file, or to the terminal that `output` names.
func run(
    _ arguments: [String],
    in folder: Folder? = nil,
    output: String? = nil,
    environment variables: [String] = []
) throws -> Ending {
    try spawn([program] + arguments, in: folder, output: output, environment: variables)
}

/// Runs a program found on the usual path, with nothing in its environment but `variables`.
func spawn(
    _ words: [String],
    in folder: Folder? = nil,
    output: String? = nil,
    environment variables: [String] = []
) throws -> Ending {
    let folder = try folder ?? Folder()
    let command = ["/usr/bin/env", "-C", folder.path] + variables + words
    let streams = try Folder()
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output ?? "\(streams.path)/out", flags, 0o600)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, "\(streams.path)/err", flags, 0o600)
    var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    var environment: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
    let code = unsafe posix_spawn(&pid, command[0], &actions, nil, &arguments, &environment)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .ENOENT) }
    var word: Int32 = 0
    while unsafe waitpid(pid, &word, 0) == -1, errno == EINTR {}
    let signal = word & 0x7f
    return Ending(
        status: signal == 0 ? (word >> 8) & 0xff : 128 + signal,
        output: output == nil ? try streams.text("out") : "",
        errors: try streams.text("err")
    )
}

/// A folder of its own, gone with the value.
final class Folder {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "penstock-command-\(UUID().uuidString)")
        path = place.path
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = place.appending(path: name)
            let parent = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path).appending(path: name)), as: UTF8.self)
    }
}

/// A policy of these rules, in flow style, one a line.
func policy(_ rules: String, mode: String = "enforce", default fallback: String = "deny") -> String {
    let lines = rules.split(separator: "\n").map { "  - \($0)\n" }.joined()
    return """
        apiVersion: penstock/v1
        kind: EgressPolicy
        name: test
        mode: \(mode)
        default: \(fallback)
        rules:\(lines.isEmpty ? " []" : "\n" + lines)
        """
}
