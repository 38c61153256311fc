import Foundation
import Testing

@Suite("Law 7: what the built programs link")
struct LinkedLibrariesTests {
    /// The release programs, where the test run was told about them: `make test` does.
    private static let programs = ProcessInfo.processInfo.environment["PENSTOCK_BIN"]

    @Test(
        "a program links what it needs and no more",
        arguments: [
            ("penstock-init", ["libssl", "libcrypto", "libsqlite3", "libFoundation", "lib_Foundation", "libdispatch"]),
            ("penstockd", ["libFoundation", "lib_Foundation", "libdispatch", "libicu", "libnftnl"]),
            ("penstock", ["libFoundation", "lib_Foundation", "libdispatch", "libicu"]),
        ]
    )
    func linksNoMoreThanItNeeds(program: String, forbidden: [String]) throws {
        let folder = try #require(
            Self.programs,
            "PENSTOCK_BIN names the folder of the release programs: use `make test`"
        )
        let path = URL(filePath: folder).appending(path: program).path
        let libraries = try sharedLibraries(of: path)
        #expect(libraries.contains { $0.hasPrefix("libc.so") }, "ldd says nothing about \(path): \(libraries)")
        for name in forbidden {
            let isLinked = libraries.contains { $0.hasPrefix(name) }
            #expect(!isLinked, "\(program) links \(name)")
        }
        // A Swift library beside the program would mean that it was not linked statically.
        #expect(!libraries.contains { $0.hasPrefix("libswift") })
    }

    @Test(
        "no program carries Foundation inside",
        arguments: [
            "penstock-init", "penstockd", "penstock",
        ]
    )
    func carriesNoFoundation(program: String) throws {
        let folder = try #require(
            Self.programs,
            "PENSTOCK_BIN names the folder of the release programs: use `make test`"
        )
        let bytes = try Data(contentsOf: URL(filePath: folder).appending(path: program))
        // Symbols of FoundationEssentials and of ICU, as they stand in the string table of a static link.
        for symbol in ["$s20FoundationEssentials", "$s10Foundation", "ucal_open"] {
            #expect(bytes.range(of: Data(symbol.utf8)) == nil, "\(program) holds \(symbol)")
        }
    }
}

/// The names of the shared libraries that the loader would take for a program.
private func sharedLibraries(of path: String) throws -> [String] {
    let ldd = Process()
    ldd.executableURL = URL(filePath: "/usr/bin/ldd")
    ldd.arguments = [path]
    let output = Pipe()
    ldd.standardOutput = output
    ldd.standardError = output
    try ldd.run()
    let said = output.fileHandleForReading.readDataToEndOfFile()
    ldd.waitUntilExit()
    return String(decoding: said, as: UTF8.self).split(separator: "\n").compactMap { line in
        line.split(whereSeparator: \.isWhitespace).first.map { String($0.split(separator: "/").last ?? "") }
    }
}
