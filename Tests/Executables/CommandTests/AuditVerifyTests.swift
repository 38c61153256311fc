import AuditSigning
import AuditTrail
import Foundation
import OpenSSLBindings
import Testing

@Suite("penstock audit verify")
struct AuditVerifyTests {
    private static func lines(_ folder: Folder) throws -> [String] {
        try folder.text("audit.jsonl").split(separator: "\n").map(String.init)
    }

    @Test("a whole chain: 0, its extent, that nothing was pinned, and its tail")
    func whole() throws {
        let folder = try Trail.sample()
        let said = try penstock("audit", "verify", "audit.jsonl", in: folder)
        #expect(said.status == 0)
        #expect(said.errors == "")
        #expect(said.lines.count == 3)
        #expect(said.lines.first == "whole: 9 records, 1 to 9, since 2026-11-21T10:15:04.123456Z")
        #expect(said.lines[1].hasPrefix("signatures: 0 checkpoints, 0 keys published; not pinned: "))
        let last = try #require(Self.lines(folder).last)
        #expect(said.lines[2] == "tail: \(SHA256Digest(of: Array(last.utf8).span))")
    }

    @Test(
        "G06: each class of fault: 1, with file, line, record and the word for it",
        arguments: [
            ("changed", 4, 4), ("removed", 4, 4), ("reordered", 4, 5), ("inserted", 4, nil), ("replayed", 7, 3),
            ("missing_head", 1, 2), ("missing_tail", 8, nil), ("rewritten", nil, nil),
        ] as [(String, Int?, Int?)]
    )
    func tampering(kind: String, line: Int?, sequence: Int?) throws {
        let folder = try Trail.sample()
        var lines = try Self.lines(folder)
        let tail = SHA256Digest(of: Array(lines[8].utf8).span).description
        var arguments = ["audit", "verify", "audit.jsonl"]
        switch kind {
        case "changed": lines[3] = lines[3].replacing("\"status\":200", with: "\"status\":500")
        case "removed": lines.remove(at: 3)
        case "reordered": lines.swapAt(3, 4)
        case "inserted": lines.insert("{\"v\":0}", at: 3)
        case "replayed": lines.insert(lines[2], at: 6)
        case "missing_head": lines.removeFirst()
        case "missing_tail":
            lines.removeLast()
            arguments += ["--tail", "tail: \(tail)"]
        default:
            // Another chain, all of it sound, where a line of this one was shipped.
            try folder.put(lines[3] + "\n", as: "shipped")
            arguments += ["--checkpoint", "shipped"]
            lines = try Self.lines(Trail.folder((1...8).map { Trail.connection($0, "other.example", .deny) }))
        }
        try folder.put(lines.map { $0 + "\n" }.joined(), as: "audit.jsonl")
        let said = try run(arguments, in: folder)
        #expect(said.status == 1)
        let place = kind == "rewritten" ? "audit.jsonl:4: " : line.map { "audit.jsonl:\($0): " } ?? ""
        let record = kind == "rewritten" ? " (record 4)" : sequence.map { " (record \($0))" } ?? ""
        #expect(said.lines.first?.hasPrefix("\(place)\(kind)\(record): ") == true, "\(said)")
        #expect(said.lines.dropFirst().first?.hasPrefix("not whole: ") == true)
        let json = try run(arguments + ["--json"], in: folder)
        #expect(json.status == 1)
        let object = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(object["result"] as? String == "broken")
        #expect((object["fault"] as? [String: Any])?["class"] as? String == kind)
    }

    @Test("a torn tail has a word of its own and 1; after the writer's next start the chain is whole")
    func tornTail() throws {
        let folder = try Trail.sample()
        try folder.put(String(folder.text("audit.jsonl").dropLast(50)), as: "audit.jsonl")
        let torn = try penstock("audit", "verify", "audit.jsonl", in: folder)
        #expect(torn.status == 1)
        #expect(torn.lines.first?.hasPrefix("audit.jsonl:9: torn_tail: ") == true, "\(torn)")
        #expect(torn.lines.first?.contains("or a daemon that runs waits for room (see /readyz)") == true, "\(torn)")
        try Trail.write([], to: folder, from: 60_000_000)
        let said = try penstock("audit", "verify", "audit.jsonl", in: folder)
        #expect(said.status == 0, "\(said)")
        #expect(said.lines.contains("repairs: 1, each of lines that a crash cut off"))
    }

    @Test("a trail whose line ends were converted to CR LF is no torn one: 1, with the first line and the way back")
    func carriageReturns() throws {
        let folder = try Trail.sample()
        let text = try folder.text("audit.jsonl")
        try folder.put(text.replacing("\n", with: "\r\n"), as: "copy.jsonl")
        let said = try penstock("audit", "verify", "copy.jsonl", in: folder)
        #expect(said.status == 1)
        #expect(said.lines.first?.hasPrefix("copy.jsonl:1: changed (record 1): it ends in a carriage return") == true)
        #expect(said.lines.first?.contains("tr -d '\\r' < FILE") == true, "\(said)")
        #expect(system("tr -d '\\r' < \(folder.path)/copy.jsonl > \(folder.path)/back.jsonl") == 0)
        #expect(try penstock("audit", "verify", "back.jsonl", in: folder).status == 0)
    }

    @Test(
        "a fault that comes through a pipe ends with 1, is given no class that nobody can know, and keeps nobody waiting",
        arguments: [
            "cat bad | penstock audit verify /dev/stdin", "penstock audit verify <(cat bad)",
            "mkfifo p; cat bad >p & penstock audit verify p", "mkfifo p; cat whole bad >p & penstock audit verify p",
        ]
    )
    func throughPipe(line: String) throws {
        let folder = try Trail.sample()
        let lines = try Self.lines(folder).map { $0 + "\n" }
        try folder.put(lines[..<3].joined(), as: "whole")
        try folder.put((line.contains("whole") ? lines[4...] : lines[..<3] + lines[4...]).joined(), as: "bad")
        // Signals to end are blocked on threads of tests, and so in what they start.
        let command = line.replacing("penstock", with: "timeout -s KILL 20 \(program)")
        let said = try spawn(["bash", "-c", command], in: folder)
        #expect(said.status == 1, "\(said)")
        let first = try #require(said.lines.first)
        #expect(first.contains(":4: unclassed (record 5): the chain breaks here; "), "\(first)")
        #expect(first.contains(" is no regular file: "), "\(first)")
        #expect(said.lines.dropFirst().first?.hasPrefix("not whole: up to there 3 records") == true, "\(said)")
        // What standard input is a file for can be read again.
        let redirection = "cat whole bad >all; exec \(program) audit verify /dev/stdin <all"
        let again = try spawn(["bash", "-c", redirection], in: folder)
        #expect(again.status == 1 && !again.output.contains("unclassed"), "\(again)")
    }

    @Test("segments are one chain, plain or compressed; a head that is known lets later ones stand alone")
    func segments() throws {
        let folder = try Trail.sample()
        let lines = try Self.lines(folder).map { $0 + "\n" }
        try folder.put(lines[..<5].joined(), as: "1.jsonl")
        try folder.put(lines[5...].joined(), as: "2.jsonl")
        #expect(system("zstd -q \(folder.path)/1.jsonl") == 0)
        #expect(try penstock("audit", "verify", "1.jsonl.zst", "2.jsonl", in: folder).status == 0)
        let wrong = try penstock("audit", "verify", "2.jsonl", "1.jsonl.zst", in: folder)
        #expect(wrong.lines.first?.hasPrefix("2.jsonl:1: reordered (record 6): ") == true, "\(wrong)")
        let first = try penstock("audit", "verify", "1.jsonl", in: folder)
        let tail = try #require(first.lines.last?.split(separator: " ").last.map(String.init))
        #expect(try penstock("audit", "verify", "2.jsonl", "--head", tail, in: folder).status == 0)
        #expect(try penstock("audit", "verify", "2.jsonl", "--head=\(tail.dropFirst(7))", in: folder).status == 0)
        #expect(try penstock("audit", "verify", "2.jsonl", in: folder).lines.first?.contains("missing_head") == true)
        #expect(system("truncate -s -3 \(folder.path)/1.jsonl.zst") == 0)
        let cut = try penstock("audit", "verify", "1.jsonl.zst", "2.jsonl", in: folder)
        #expect(cut.status == 1)
        #expect(cut.errors.contains("1.jsonl.zst: its zstd data ends in the middle"))
    }

    @Test("keys are published, printed as PEM, and pinned; a chain of another key is unsigned")
    func keys() throws {
        let folder = try Trail.sample()
        let key = try Ed25519PrivateKey()
        try Trail.append(to: folder) { _, _, _ in KeyRecord(first: key.publicKey) }
        try Trail.checkpoint(folder, key)
        let printed = try penstock("audit", "keys", "audit.jsonl", in: folder)
        #expect(printed.status == 0)
        #expect(printed.lines.first == "# \(key.publicKey.identifier)")
        #expect(printed.lines[1].hasPrefix("# since record 10, 2026-11-21T10:16:40.000000Z; the first key"))
        try folder.put(printed.output, as: "pinned.pem")
        let said = try penstock("audit", "verify", "audit.jsonl", "--key", "pinned.pem", in: folder)
        #expect(said.status == 0, "\(said)")
        #expect(said.lines.contains("signatures: 1 checkpoint, 1 key published; 1 trusted by --key"))
        #expect(!said.output.contains("not signed yet"), "a checkpoint at the end signs everything")
        // OpenSSL's own program reads it, and agrees on what it is called.
        #expect(system("openssl pkey -pubin -in \(folder.path)/pinned.pem -outform DER -out \(folder.path)/der") == 0)
        let der = try [UInt8](Data(contentsOf: URL(filePath: folder.path + "/der")))
        #expect(key.publicKey.identifier == "ed25519:" + SHA256Digest(of: der.span).description.dropFirst(7))
        try folder.put(Ed25519PrivateKey().publicKey.pem(), as: "other.pem")
        let other = try penstock("audit", "verify", "audit.jsonl", "--key", "other.pem", in: folder)
        #expect(other.status == 1)
        #expect(other.lines.first?.hasPrefix("unsigned: ") == true)
        let json = try penstock("audit", "keys", "--json", "audit.jsonl", in: folder)
        #expect(json.output.contains("\"signature\":\"nobody\""))
    }

    @Test("a rotation of keys is shown with who signed it, and whether")
    func rotation() throws {
        let folder = try Trail.sample()
        let keys = try (1...2).map { _ in try Ed25519PrivateKey() }
        try Trail.append(to: folder) { _, _, _ in KeyRecord(first: keys[0].publicKey) }
        try Trail.append(to: folder) { sequence, previous, _ in
            try KeyRecord(keys[1].publicKey, after: keys[0], sequence: sequence, previous: previous)
        }
        let whole = try penstock("audit", "keys", "audit.jsonl", in: folder)
        #expect(whole.output.contains("signed by \(keys[0].publicKey.identifier)\n"))
        try Trail.append(to: folder) { sequence, previous, _ in
            try KeyRecord(keys[0].publicKey, after: keys[1], sequence: sequence + 1, previous: previous)
        }
        let forged = try penstock("audit", "keys", "audit.jsonl", in: folder)
        #expect(forged.output.contains("NOT signed by \(keys[1].publicKey.identifier), although it says so"))
        #expect(try penstock("audit", "verify", "audit.jsonl", in: folder).status == 1)
    }

    @Test("a key that each file names again is listed and counted once; alone it says that it vouches for itself")
    func again() throws {
        let folder = try Trail.sample()
        let key = try Ed25519PrivateKey()
        try Trail.append(to: folder) { _, _, _ in KeyRecord(first: key.publicKey) }
        for _ in 0..<2 {
            try Trail.append(to: folder) { sequence, previous, _ in
                try KeyRecord(key.publicKey, after: key, sequence: sequence, previous: previous)
            }
        }
        let printed = try penstock("audit", "keys", "audit.jsonl", in: folder)
        #expect(printed.lines.count { $0.contains("BEGIN PUBLIC KEY") } == 1, "\(printed)")
        #expect(try penstock("audit", "keys", "--json", "audit.jsonl", in: folder).lines.count == 1)
        let said = try penstock("audit", "verify", "audit.jsonl", in: folder)
        #expect(said.status == 0 && said.lines[1].contains("1 key published"), "\(said)")
        let last = try folder.text("audit.jsonl").split(separator: "\n").suffix(1).joined()
        try folder.put(last + "\n", as: "later.jsonl")
        let alone = try penstock("audit", "keys", "later.jsonl", in: folder)
        #expect(
            alone.lines[1].hasSuffix(
                "signed by itself, as each file names its key again: what vouches for it is in a file before"
            )
        )
        let json = try penstock("audit", "keys", "--json", "later.jsonl", in: folder)
        #expect(json.output.contains("\"signature\":\"self\""))
    }

    @Test("no keys are said to be none, with 1")
    func noKeys() throws {
        let said = try penstock("audit", "keys", "audit.jsonl", in: Trail.sample())
        #expect(said.status == 1)
        #expect(said.errors == "penstock: no keys are published in audit.jsonl\n")
    }

    @Test("--progress shows how far it is, and takes it away again; without it a file sees nothing of it")
    func progress() throws {
        let folder = try Trail.folder((1...5000).map { Trail.connection($0, "a.example", .deny) })
        let said = try penstock("audit", "verify", "audit.jsonl", "--progress", in: folder)
        #expect(said.status == 0)
        #expect(said.errors.contains("%"))
        #expect(said.errors.hasSuffix("\r\u{1b}[K"))
        #expect(try penstock("audit", "verify", "audit.jsonl", in: folder).errors == "")
    }

    @Test(
        "what cannot be read is 66, what is asked wrongly 64",
        arguments: [
            (["nowhere.jsonl"], 66, "nowhere.jsonl: open: No such file or directory"),
            (["audit.jsonl", "--key", "nowhere.pem"], 66, "nowhere.pem: open: No such file"),
            (["audit.jsonl", "--key", "audit.jsonl"], 66, "audit.jsonl: no key in PEM"),
            (["audit.jsonl", "--checkpoint", "/dev/null"], 66, "/dev/null: a checkpoint as the chain has it"),
            (["audit.jsonl", "--head", "12"], 64, "--head '12' is no hash"),
            (["audit.jsonl", "--tail", String(repeating: "G", count: 64)], 64, "is no hash"),
            (["audit.jsonl", "--heda", "12"], 64, "did you mean '--head'?"),
            ([], 66, "/var/log/penstock/audit.jsonl: "),
        ] as [([String], Int32, String)]
    )
    func misuse(words: [String], status: Int32, complaint: String) throws {
        // The machine that the tests run on has no trail of its own.
        guard !words.isEmpty || !FileManager.default.fileExists(atPath: "/var/log/penstock/audit.jsonl") else { return }
        let said = try run(["audit", "verify"] + words, in: Trail.sample())
        #expect(said.status == status)
        #expect(said.errors.contains(complaint), "\(said)")
        #expect(said.output.isEmpty)
    }

    private func system(_ command: String) -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command]
        do { try process.run() } catch { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
