import AuditReading
import LinuxBindings
import OpenSSLBindings
import Telemetry

/// What `penstock audit verify` is asked.
struct VerifyRequest: Hashable {
    var files: [String]
    /// 32 bytes; nil: the files begin with the chain's first record.
    var head: [UInt8]?
    /// 32 bytes each.
    var tails: [[UInt8]]
    /// Files that hold lines which have to be in the chain.
    var checkpoints: [String]
    /// Files that hold public keys.
    var keys: [String]
    var isJSON: Bool
    var wantsProgress: Bool

    /// Reads the words after `audit verify`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, Self.forms, .verify)
        guard !options.wantsHelp else { return nil }
        files = AuditCommand.files(options.operands)
        head = try options.value("--head").map { text throws(Misuse) in try Self.hash("--head", text, options) }
        tails = try options.all("--tail").map { text throws(Misuse) in try Self.hash("--tail", text, options) }
        checkpoints = options.all("--checkpoint")
        keys = options.all("--key")
        isJSON = options.has("--json")
        wantsProgress = options.has("--progress")
    }

    private static let forms: [Options.Form] = [
        .value("--head"), .values("--tail"), .values("--checkpoint"), .values("--key"), .flag("--json"),
        .flag("--progress"),
    ]

    private static func hash(_ name: String, _ text: String, _ options: Options) throws(Misuse) -> [UInt8] {
        // Or the whole line that `verify` prints.
        let line = "tail: "
        guard let hash = readHash(text.hasPrefix(line) ? String(text.dropFirst(line.count)) : text) else {
            throw options.misuse("\(name) '\(text)' is no hash; write sha256: and 64 digits")
        }
        return hash
    }
}

extension VerifyRequest {
    /// Checks the chain, and says what came of it.
    func run() throws(AuditReadingError) -> ExitCode {
        let expectations: ChainExpectations
        do throws(Complaint) {
            expectations = try self.expectations()
        } catch {
            say(error.text)
            return error.code
        }
        var progress = Progress(isWanted: wantsProgress, of: files)
        defer { progress.finish() }
        var verification = ChainVerification(files, expectations)
        let report = try verification.run { progress.reached($0) }
        progress.finish()
        deliver(isJSON ? report.json + "\n" : report.lines.map { printable($0) + "\n" }.joined())
        return report.fault == nil ? .done : .problems
    }

    private func expectations() throws(Complaint) -> ChainExpectations {
        var expectations = ChainExpectations(head: head, required: tails.map { RequiredLine(hash: $0) })
        for path in checkpoints { expectations.required += try Self.requiredLines(path) }
        for path in keys { expectations.keys += try Self.publicKeys(path) }
        return expectations
    }

    /// Every line of a file that was kept elsewhere has to be in the chain.
    private static func requiredLines(_ path: String) throws(Complaint) -> [RequiredLine] {
        let lines = try content(path).split(separator: UInt8(ascii: "\n"))
        let required = lines.compactMap { RequiredLine(line: Array($0)) }
        guard !lines.isEmpty, required.count == lines.count else {
            throw Complaint("\(path): a checkpoint as the chain has it, one a line, is needed", .unreadable)
        }
        return required
    }

    private static func publicKeys(_ path: String) throws(Complaint) -> [Ed25519PublicKey] {
        let text = try content(path)
        do throws(SigningError) {
            return try Ed25519PublicKey.all(pem: text)
        } catch {
            throw Complaint("\(path): \(error)", .unreadable)
        }
    }

    private static func content(_ path: String) throws(Complaint) -> [UInt8] {
        do throws(SystemCallError) {
            return try readFile(path, limit: 16 << 20)
        } catch {
            throw Complaint("\(path): \(error)", .unreadable)
        }
    }
}
