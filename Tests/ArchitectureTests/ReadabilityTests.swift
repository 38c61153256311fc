import Testing

/// Beyond these a file or a function is no longer read, it is searched.
private let linesOfAFile = 600
private let linesOfTheJourney = 80

@Suite("How the source reads")
struct ReadabilityTests {
    @Test("no file is over 600 lines", arguments: SourceTree.files)
    func filesAreShort(file: SourceFile) {
        #expect(file.lines.count <= linesOfAFile, "\(file.path)")
    }

    @Test("the journey is one page: each function of Journey.swift is under 80 lines")
    func journeyIsOnePage() throws {
        let files = SourceTree.files(in: "ConnectionJourney")
        guard files.contains(where: { $0.code.contains(/\bfunc\b/) }) else { return }
        let journey = try #require(files.first { $0.path.hasSuffix("/Journey.swift") }, "there is no Journey.swift")
        let functions = functionLengths(in: journey.code)
        #expect(!functions.isEmpty)
        for (name, lines) in functions {
            #expect(lines < linesOfTheJourney, "\(name) has \(lines) lines")
        }
    }

    @Test(
        "what other modules see is explained: each package type, and each package function that throws, waits or acts",
        arguments: SourceTree.files
    )
    func packageDeclarationsAreExplained(file: SourceFile) {
        let bare = unexplainedDeclarations(in: file)
        #expect(bare.isEmpty, "\(bare)")
    }

    @Test("nothing is called Utils, Helpers, Extras or Common", arguments: SourceTree.files)
    func namesSayWhat(file: SourceFile) {
        #expect(!file.path.contains(/Utils|Helpers|Extras|Common/))
    }

    @Test("a switch over states or verdicts names every case", arguments: SourceTree.files)
    func switchesNameEveryCase(file: SourceFile) {
        let open = file.code.matches(of: /switch (?:consume )?(?:self\.)?(?:state|verdict|decision)\b[^{]*\{/).filter {
            switchHasDefault(file.code[$0.range.upperBound...])
        }
        #expect(open.isEmpty, "\(file.path): \(open.map { String($0.0) })")
    }

    @Test(
        "inside a closure no expectation holds a closure of its own: it might run another",
        arguments: SourceTree.tests
    )
    func expectationsHoldNoClosures(file: SourceFile) {
        let risky = expectationsWithClosures(in: file)
        #expect(risky.isEmpty, "\(risky)")
    }

    @Test(
        "an expectation with a closure is found inside a closure, and nowhere else",
        arguments: [
            Sample("            #expect(all.allSatisfy { $0 })", 1),
            Sample("        #expect(all.allSatisfy { $0 })", 0),
            Sample("            #expect(all == \"{}\")", 0),
        ]
    )
    func theRuleForExpectations(sample: Sample<Int>) {
        #expect(expectationsWithClosures(in: sample.file).count == sample.finding)
    }

    @Test(
        "an unexplained declaration is found, an explained one is not",
        arguments: [
            Sample("package struct A {}", 1), Sample("/// What it is.\npackage struct A {}", 0),
            Sample("/// What it is.\n@frozen\npackage struct A {}", 0), Sample("package func a() throws {}", 1),
            Sample("package func a() {}", 1), Sample("package func a() -> Int { 1 }", 0),
            Sample("package let a: Int", 0), Sample("package let a: Int\nstruct B {}", 0),
            Sample("package func a() async -> Int { 1 }", 1), Sample("struct A {}", 0),
            Sample("// package struct A {}", 0),
            Sample("package func hash(into hasher: inout Hasher) {}", 0),
        ]
    )
    func theRuleItself(sample: Sample<Int>) {
        #expect(unexplainedDeclarations(in: sample.file).count == sample.finding)
    }
}

/// Package declarations that need a doc comment and have none.
///
/// A type needs one, and so does a function that throws, suspends, or returns nothing: its name cannot say all of it. A
/// stored property and a pure question (`contains(_:) -> Bool`) may explain themselves.
private func unexplainedDeclarations(in file: SourceFile) -> [String] {
    let lines = file.lines
    return zip(file.codeLines.indices, file.codeLines).compactMap { index, line in
        guard line.contains("package"), line.contains(/^\s*(@\S+\s+)*package\b/),
            needsExplanation(declaration(from: index, in: file.codeLines))
        else { return nil }
        let above = lines[..<index].last { !$0.trimmed.hasPrefix("@") } ?? ""
        return above.trimmed.hasPrefix("///") ? nil : "\(file.path):\(index + 1): \(line.trimmed)"
    }
}

/// Expectations that hold a closure, where they stand deeper than a test's own body (docs/workarounds.md).
private func expectationsWithClosures(in file: SourceFile) -> [String] {
    zip(1..., file.codeLines).compactMap { number, line in
        line.hasPrefix("            ") && line.contains("#") && line.contains(/#(?:expect|require)\((?!throws:).*\{/)
            ? "\(file.path):\(number): \(line.trimmed)" : nil
    }
}

/// A declaration's head: its line, and of a function all up to the brace that opens its body.
private func declaration(from index: Int, in lines: [Substring]) -> String {
    guard lines[index].contains(/\bfunc\s/) else { return String(lines[index]) }
    var head = ""
    for line in lines[index...].prefix(12) {
        head += line + " "
        if line.contains("{") { break }
    }
    return String(head.prefix { $0 != "{" })
}

private func needsExplanation(_ head: String) -> Bool {
    if head.contains(/\b(struct|class|enum|protocol|actor|typealias)\s+\w/), !head.contains(/\b(let|var|func)\s/) {
        return true
    }
    guard head.contains(/\bfunc\s/), !head.contains(/func hash\(into/) else { return false }
    return head.contains(/\b(throws|async)\b/) || !head.contains("->")
}

/// The functions of a file with their lengths in lines, signature and closing brace included.
private func functionLengths(in code: String) -> [(String, Int)] {
    let lines = code.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.indices.compactMap { start in
        guard let head = lines[start].firstMatch(of: /^(\s*)(?:[\w@()]+ )*func (\w+)/) else { return nil }
        // The formatter puts the closing brace of a function below its first column.
        let end = lines[start...].firstIndex { $0 == "\(head.1)}" } ?? start
        return (String(head.2), end - start + 1)
    }
}

private func switchHasDefault(_ rest: Substring) -> Bool {
    var depth = 1
    for line in rest.split(separator: "\n") {
        if depth == 1, line.trimmed.hasPrefix("default:") { return true }
        depth += line.filter { $0 == "{" }.count - line.filter { $0 == "}" }.count
        if depth <= 0 { return false }
    }
    return false
}
