import Testing

/// Files outside Bindings in which `unsafe` may stand, each with its reason.
private let unsafeAllowed: [String: String] = [
    "Runtime/EventLoops/EventLoop.swift": "an actor names its executor by an unowned reference",
    "Runtime/EventLoops/LoopExecutor.swift": "an executor runs jobs that the runtime hands it unowned",
]

/// How many types say `@unchecked Sendable`; raised only on purpose.
private let uncheckedAtMost = 8

/// The environment, the wall clock, argv: what only an executable may ask for.
private let ambient = [
    "getenv", "secure_getenv", "setenv", "putenv", "environ", "CommandLine", "ProcessInfo", "Date", "clock_gettime",
    "gettimeofday", "CLOCK_REALTIME", "time_t", "localtime_r", "gethostname",
]

/// What is a clock or a source of randomness, too: Core takes both as arguments.
private let clocksAndChance = ["ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator"]

@Suite("Laws 1, 2 and 8: what must not stand where")
struct FenceTests {
    @Test("`unsafe` stands only in Bindings and in the files of the allow-list", arguments: SourceTree.files)
    func unsafeStandsOnlyInBindings(file: SourceFile) {
        guard file.shelf != "Bindings", unsafeAllowed[file.path] == nil else { return }
        let places = file.places(ofAny: ["unsafe", "@unsafe", "nonisolated(unsafe)"])
        #expect(places.isEmpty, "\(places)")
    }

    @Test("no file of the allow-list has lost its need")
    func allowListIsNeeded() {
        for path in unsafeAllowed.keys {
            let file = SourceTree.files.first { $0.path == path }
            #expect(file?.places(ofAny: ["unsafe", "@unsafe"]).isEmpty == false, "\(path) needs no `unsafe` any more")
        }
    }

    @Test("no binding lets a pointer out", arguments: SourceTree.files.filter { $0.shelf == "Bindings" })
    func bindingsLetNoPointerOut(file: SourceFile) {
        let leaks = file.codeLines.filter { line in
            line.contains(/\bpackage\b/) && line.contains(/Unsafe(Mutable)?(Raw)?(Buffer)?Pointer|OpaquePointer/)
        }
        #expect(leaks.isEmpty, "\(file.path): \(leaks)")
    }

    @Test("Core imports nothing but Core and the language", arguments: SourceTree.files.filter { $0.shelf == "Core" })
    func coreIsPure(file: SourceFile) {
        let outside = file.imports.filter { name in name != "Synchronization" && SourceTree.files(in: name).isEmpty }
        #expect(outside.isEmpty, "\(file.path): \(outside)")
        let places = file.places(ofAny: clocksAndChance)
        #expect(places.isEmpty, "Core takes time and randomness as arguments: \(places)")
        let dice = file.codeLines.filter { line in
            line.contains(/\.(random|randomElement|shuffled?)\(/) && !line.contains("using:")
        }
        #expect(dice.isEmpty, "\(file.path): \(dice)")
    }

    @Test("nothing imports Foundation or Dispatch", arguments: SourceTree.files)
    func nothingImportsFoundation(file: SourceFile) {
        #expect(file.imports.allSatisfy { !$0.hasPrefix("Foundation") && $0 != "Dispatch" }, "\(file.path)")
    }

    @Test("nothing below Executables reads the environment, the wall clock or argv", arguments: SourceTree.files)
    func worldIsInjected(file: SourceFile) {
        // LinuxBindings may define the wrappers that an executable calls.
        guard file.shelf != "Executables", file.module != "LinuxBindings" else { return }
        let places = file.places(ofAny: ambient)
        #expect(places.isEmpty, "\(places)")
    }

    @Test("each `@unchecked Sendable` says on the line above what protects it, and they are few")
    func uncheckedSendableSaysWhy() {
        let found = SourceTree.files.flatMap { file in uncheckedWithoutReason(file) }
        #expect(found.isEmpty, "\(found)")
        let count = SourceTree.files.map { $0.places(ofAny: ["@unchecked"]).count }.reduce(0, +)
        #expect(count <= uncheckedAtMost)
    }

    @Test(
        "words in comments and strings break no law; words in code do",
        arguments: [
            Sample("// getenv()", false), Sample("/* getenv\n */ let a = 1", false),
            Sample("let a = \"getenv \\\" getenv\"", false),
            Sample("let a = \"\"\"\n getenv \"\n \"\"\"", false), Sample("let a = #\"getenv \" getenv\"#", false),
            Sample("let a = getenv(\"x\")", true), Sample("let mygetenv = 1", false),
            Sample("/* a */ getenv(\"x\")", true),
            Sample("let a = \"x\"; getenv(a)", true),
        ]
    )
    func proseIsNoCode(sample: Sample<Bool>) {
        #expect(sample.file.places(ofAny: ["getenv"]).isEmpty != sample.finding)
    }

    @Test("an `@unchecked Sendable` without a reason is found")
    func uncheckedWithoutReasonIsFound() {
        let bare = SourceFile(path: "X/X/X.swift", text: "\nfinal class A: @unchecked Sendable {}")
        #expect(uncheckedWithoutReason(bare).count == 1)
        let why = SourceFile(
            path: "X/X/X.swift",
            text: "// Protected by the mutex.\nfinal class A: @unchecked Sendable {}"
        )
        #expect(uncheckedWithoutReason(why).isEmpty)
    }
}

/// The places of `@unchecked` with no comment that tells of a protection above or beside them.
private func uncheckedWithoutReason(_ file: SourceFile) -> [String] {
    let lines = file.lines
    return file.codeLines.indices.filter { file.codeLines[$0].contains("@unchecked") }.compactMap { index in
        let above = lines[..<index].reversed().prefix { $0.trimmed.hasPrefix("//") || $0.trimmed.hasPrefix("@") }
        let comments = (above + [lines[index]]).filter { $0.contains("//") }
        let tells = comments.contains { $0.lowercased().contains(/protect|guard|lock|mutex|immutable|confined|only/) }
        return tells ? nil : "\(file.path):\(index + 1)"
    }
}
