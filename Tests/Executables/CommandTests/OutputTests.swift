import AuditSigning
import AuditTrail
import OpenSSLBindings
import Testing

@Suite("penstock where standard output takes nothing")
struct OutputTests {
    /// A trail, and two policies that differ.
    private func filled() throws -> Folder {
        let folder = try Trail.sample()
        for (name, text) in [("policy.yaml", policy("")), ("other.yaml", policy("", default: "allow"))] {
            try folder.put(text, as: name)
        }
        return folder
    }

    @Test(
        "every command ends with 73 and says why, whatever it would have ended with",
        arguments: [
            ["help"], ["help", "audit", "query"], ["version"], ["policy", "check", "policy.yaml"],
            ["policy", "explain", "policy.yaml", "--host", "a.example", "--port", "443"],
            ["policy", "diff", "policy.yaml", "other.yaml"], ["policy", "learn", "audit.jsonl"],
            ["audit", "verify", "audit.jsonl"], ["audit", "tail", "audit.jsonl"], ["audit", "stats", "audit.jsonl"],
            ["audit", "query", "audit.jsonl", "--format", "csv"], ["audit", "reindex", "audit.jsonl"],
        ]
    )
    func full(words: [String]) throws {
        let folder = try filled()
        let said = try run(words, in: folder, output: "/dev/full")
        #expect(said.status == 73, "\(said)")
        #expect(
            said.errors
                == "penstock: cannot write to standard output: write: No space left on device (28); what was written to it is not "
                + "whole\n"
        )
    }

    @Test("keys that are lost are an error, as they are written to a file")
    func keys() throws {
        let folder = try Trail.sample()
        let key = try Ed25519PrivateKey()
        try Trail.append(to: folder) { _, _, _ in KeyRecord(first: key.publicKey) }
        let said = try run(["audit", "keys", "audit.jsonl"], in: folder, output: "/dev/full")
        #expect(said.status == 73 && said.errors.contains("cannot write to standard output: "), "\(said)")
        let whole = try run(["audit", "keys", "audit.jsonl"], in: folder)
        #expect(whole.status == 0 && whole.output.contains("BEGIN PUBLIC KEY"), "\(whole)")
    }

    @Test("a new authority is there, and what is said of its key too, where the line about it cannot be written")
    func authority() throws {
        let folder = try Folder()
        let said = try run(["ca", "create", "--out", "ca"], in: folder, output: "/dev/full")
        #expect(said.status == 73 && said.errors.contains("ca/ca.key can speak for every host"), "\(said)")
        #expect(try penstock("ca", "show", "ca", in: folder).status == 0)
    }

    @Test("without a standard output it is an error as well, and no file of the program's takes its place")
    func closed() throws {
        let folder = try Trail.sample()
        let said = try spawn(["sh", "-c", "exec '\(program)' audit query audit.jsonl --format csv >&-"], in: folder)
        #expect(said.status == 73 && said.errors.contains("write: Bad file descriptor"), "\(said)")
        #expect(try penstock("audit", "query", "audit.jsonl", "--no-update", in: folder).status == 0)
    }

    @Test(
        "a reader that has gone is no fault: nothing is said, and the status is the command's own",
        arguments: [
            ("audit verify audit.jsonl", "0\n"), ("audit query audit.jsonl --limit all", "0\n"),
            ("policy diff policy.yaml other.yaml", "1\n"), ("audit tail -f audit.jsonl", "0\n"),
        ]
    )
    func reader(words: String, status: String) throws {
        let folder = try filled()
        // SIGPIPE is ignored, as under some that start programs: the write fails then.
        let line = "trap '' PIPE; { sleep 0.3; timeout 20 '\(program)' \(words); echo $? >&2; } | true"
        let said = try spawn(["sh", "-c", line], in: folder)
        #expect(said.errors == status, "\(said)")
    }
}
