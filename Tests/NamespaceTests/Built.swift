import Foundation

/// The built programs that the tests run: in the folder that PENSTOCK_BIN names, else in `.build/debug` of the package.
enum Built {
    /// The package's folder.
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The full path of a built program, such as `penstock-init`.
    static func path(_ program: String) -> String {
        let folder = ProcessInfo.processInfo.environment["PENSTOCK_BIN"] ?? package.appending(path: ".build/debug").path
        let name = FileManager.default.fileExists(atPath: "\(folder)/\(program)") ? program : Self.targets[program]
        return "\(folder)/\(name ?? program)"
    }

    /// What SwiftPM calls a program where no product of its own name was built.
    private static let targets = [
        "penstock-init": "PenstockInit", "penstockd": "PenstockDaemon", "penstock": "PenstockCommand",
    ]
}
