import AuditTrail
import LinuxBindings

/// Where the chain has come to, as it is kept beside the trail: what a later start finds cut away is then known to be missing.
struct KeptChain: Hashable, Sendable {
    var position: ChainPosition
    /// The number of the last checkpoint; 0: there is none.
    var checkpoint: UInt64
    /// The name of the audit file that it is of, as `fileName(of:)` has it; nil where an older daemon kept it.
    var file: String?
    /// False while it is not known whether the lines up to there went out.
    var isSettled = true

    static let fileName = "audit.chain"

    init(position: ChainPosition, checkpoint: UInt64, file: String? = nil) {
        self.position = position
        self.checkpoint = checkpoint
        self.file = file
    }

    /// Reads what `text` writes; nil for anything else.
    ///
    /// What stands behind its line is of a longer one that was overwritten.
    init?(_ content: [UInt8]) {
        guard let end = content.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let bytes = Array(content[...end])
        let parts = bytes.split(separator: UInt8(ascii: "\""))
        guard parts.count == 11 || parts.count == 15, parts[9].count == 71, parts[9].starts(with: "sha256:".utf8),
            let sequence = Self.number(parts[4]), let checkpoint = Self.number(parts[6])
        else { return nil }
        let hash = Array(parts[9].dropFirst("sha256:".utf8.count))
        self.init(position: ChainPosition(sequence: sequence, hash: hash), checkpoint: checkpoint)
        isSettled = bytes.first == UInt8(ascii: "{")
        if parts.count == 15 { file = String(decoding: parts[13], as: UTF8.self) }
        guard text == bytes else { return nil }
    }

    /// The name of an audit file with everything but letters, digits, `.`, `_` and `-` replaced.
    static func fileName(of name: String) -> String {
        String(
            name.map { letter in
                letter.isASCII && (letter.isLetter || letter.isNumber || "._-".contains(letter)) ? letter : "?"
            }
        )
    }

    /// `{"v":1,"sequence":41,"checkpoint":40,"hash":"sha256:…","file":"audit.jsonl"}`, with a question mark first where it is not settled; always as long, so that it can be overwritten in place.
    var text: [UInt8] {
        func padded(_ number: UInt64) -> String {
            let digits = String(number)
            return String(repeating: " ", count: 20 - digits.utf8.count) + digits
        }
        let name = file.map { ",\"file\":\"\($0)\"" } ?? ""
        let line =
            "\(isSettled ? "{" : "?")\"v\":1,\"sequence\":\(padded(position.sequence)),\"checkpoint\":\(padded(checkpoint)),\"hash\":\"\(position.hashText)\"\(name)}"
        return Array((line + "\n").utf8)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        UInt64(String(decoding: bytes.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }, as: UTF8.self))
    }
}
