import Testing

@Suite("Laws 3, 4 and 5: nothing goes out unjudged or unrecorded")
struct PermitTests {
    /// Every file that has code, as one text a module.
    private static func code(of module: String) -> String {
        SourceTree.files(in: module).map(\.code).joined(separator: "\n")
    }

    private static func isBuilt(_ module: String) -> Bool {
        SourceTree.files(in: module).contains { $0.code.contains(/\b(func|struct|class|enum)\b/) }
    }

    @Test("a Permit cannot be copied, and only the policy engine can make one")
    func permitIsUnforgeable() throws {
        guard Self.isBuilt("PolicyEngine") else { return }
        let engine = Self.code(of: "PolicyEngine")
        let found = engine.firstMatch(of: /struct Permit\b([^{]*)\{/)
        let declaration = try #require(found, "PolicyEngine has no Permit")
        #expect(declaration.1.contains("~Copyable"))
        #expect(!declaration.1.contains("Codable") && !declaration.1.contains("Decodable"))
        let body = bodyOfDeclaration(in: engine, from: declaration.range.upperBound)
        let open = body.matches(of: /\b(package|public|open)\s+init\b/).map { String($0.0) }
        #expect(open.isEmpty, "an initializer of Permit is open to other modules")
        // The memberwise initializer is internal at most; outside the module only an extension could add one.
        #expect(extensionsOfPermit(outside: "PolicyEngine").isEmpty)
    }

    @Test("an ErrandPermit cannot be copied, only a Permit gives one, and only what opens an errand takes it")
    func errandsComeOfPermits() throws {
        guard Self.isBuilt("ConnectionJourney") else { return }
        let engine = Self.code(of: "PolicyEngine")
        let found = engine.firstMatch(of: /struct ErrandPermit\b([^{]*)\{/)
        let declaration = try #require(found, "PolicyEngine has no ErrandPermit")
        #expect(declaration.1.contains("~Copyable"))
        let body = bodyOfDeclaration(in: engine, from: declaration.range.upperBound)
        let makers = body.matches(of: /(\w+)\s+init\b/).map { String($0.1) }
        #expect(makers == ["fileprivate"])
        let racing = SourceTree.files.filter { $0.code.contains(/\bDialRace\(/) }
        #expect(racing.count == 1, "\(racing.map(\.path))")
        let takers = SourceTree.files.filter { $0.shelf == "Proxy" && $0.code.contains(/\bconsuming ErrandPermit\b/) }
        #expect(!takers.isEmpty)
    }

    @Test("whoever opens or borrows an upstream socket consumes a Permit")
    func upstreamTakesAPermit() throws {
        guard Self.isBuilt("ConnectionJourney") else { return }
        let openers = SourceTree.files.filter { $0.shelf == "Proxy" }.flatMap { file in
            file.code.matches(of: /func (open|borrow)Upstream\w*\s*(\([^{]*)\{/).map { (file.path, String($0.2)) }
        }
        try #require(!openers.isEmpty, "nothing opens an upstream socket")
        for (path, parameters) in openers {
            #expect(parameters.contains(/\bconsuming Permit\b/), "\(path): \(parameters)")
        }
    }

    @Test("nothing in Proxy or Executables dials but the one opener")
    func nothingElseDials() {
        let dialling = SourceTree.files.filter { ["Proxy", "Executables"].contains($0.shelf) }.filter { file in
            file.code.contains(/\b(streamSocket|startConnecting)\(/)
        }
        let openers = dialling.filter { $0.code.contains(/consuming Permit\b/) }
        #expect(dialling.count == openers.count, "\(dialling.map(\.path))")
        if Self.isBuilt("ConnectionJourney") {
            #expect(!dialling.isEmpty, "the opener is not found: this law sees nothing")
        }
    }

    @Test("only the operator's command talks to strangers without a permit")
    func onlyTheCommandAsksAround() {
        let asking = SourceTree.files.filter { $0.shelf != "Bindings" }.filter { file in
            file.code.contains(/\b(exchangeBytes|sendDatagram)\(/)
        }
        #expect(!asking.isEmpty, "nobody does: this law sees nothing")
        let modules = Set(asking.map(\.module))
        #expect(modules == ["PenstockCommand"])
    }

    @Test("the audit entry cannot be copied, and its deinit records who never finished it")
    func entryWritesAtItsEnd() throws {
        guard Self.isBuilt("ConnectionJourney") else { return }
        let code = SourceTree.files.map(\.code).joined(separator: "\n")
        let found = code.firstMatch(of: /struct \w*AuditEntry\b([^{]*)\{/)
        let declaration = try #require(found, "there is no AuditEntry")
        #expect(declaration.1.contains("~Copyable"))
        let hasDeinit = bodyOfDeclaration(in: code, from: declaration.range.upperBound).contains(/\bdeinit\b/)
        #expect(hasDeinit)
        #expect(SourceTree.files.contains { $0.text.contains(/\babandoned\b/) })
    }

    @Test("decide(_:) is declared once, in the policy engine, and everybody calls that")
    func oneDecision() {
        guard Self.isBuilt("PolicyEngine") else { return }
        let declaring = SourceTree.files.filter { $0.code.contains(/\bfunc decide\(/) }
        #expect(declaring.map(\.module) == ["PolicyEngine"], "\(declaring.map(\.path))")
        for module in ["ConnectionJourney", "GovernanceAPI"] where Self.isBuilt(module) {
            #expect(decides(module), "\(module) judges by something else")
        }
        if Self.code(of: "PenstockCommand").contains(/\b[Ee]xplain/) {
            #expect(decides("PenstockCommand"), "`explain` judges by something else")
        }
    }

    private func decides(_ module: String) -> Bool {
        // A word boundary is none of Unicode's between a letter, a full stop and a letter: `policy.decide(`.
        SourceTree.files(in: module).contains { $0.code.contains(".decide(") }
    }

    private func extensionsOfPermit(outside module: String) -> [String] {
        SourceTree.files.filter { $0.module != module && $0.code.contains(/\bextension (PolicyEngine\.)?Permit\b/) }
            .map(\.path)
    }
}

/// What stands between the brace before `start` and the one that closes it.
private func bodyOfDeclaration(in code: String, from start: String.Index) -> Substring {
    var depth = 1
    var end = start
    while end < code.endIndex, depth > 0 {
        if code[end] == "{" { depth += 1 }
        if code[end] == "}" { depth -= 1 }
        end = code.index(after: end)
    }
    return code[start..<end]
}
