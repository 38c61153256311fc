import Foundation
import OpenSSLBindings

/// A line as a reader from outside sees it.
struct ReadLine {
    let object: [String: Any]

    var kind: String { object["kind"] as? String ?? "" }
    var id: String { object["id"] as? String ?? "" }
    var event: String { object["event"] as? String ?? "" }
    var outcome: String { object["outcome"] as? String ?? "" }
    var sequence: Int { object["sequence"] as? Int ?? -1 }
    /// What tells this line from the others in short.
    var summary: String { kind + (event.isEmpty ? "" : " " + event) + (outcome.isEmpty ? "" : " " + outcome) }
}

/// Reads a file as docs/audit.md tells an auditor to, and throws at the first thing that is not as it says.
///
/// A line that is no JSON may only stand before a `repaired`, which ties in the last whole line by `after`.
func readChain(_ content: [UInt8]) throws -> [ReadLine] {
    var lines: [ReadLine] = []
    var previous = "sha256:" + String(repeating: "0", count: 64)
    var lastWhole = previous
    var cutOff = 0
    try hold(content.isEmpty || content.last == UInt8(ascii: "\n"), "the last line has no newline", lines)
    for bytes in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
        let line = Array(bytes)
        let hash = SHA256Digest(of: line.span).description
        guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
            cutOff += 1
            previous = hash
            continue
        }
        let read = ReadLine(object: object)
        try hold(object["v"] as? Int == 1, "the version is another", lines)
        try hold(object["previous"] as? String == previous, "the chain breaks", lines)
        try hold(read.sequence == lines.count + 1, "the numbers break", lines)
        if cutOff > 0 {
            try hold(read.event == "repaired", "a line that is no JSON, and no repair after it", lines)
            try hold(object["after"] as? String == lastWhole, "the repair ties in another line", lines)
        }
        cutOff = 0
        previous = hash
        lastWhole = hash
        lines.append(read)
    }
    try hold(cutOff == 0, "a line that is no JSON, and nothing after it", lines)
    return lines
}

/// What is not as docs/audit.md says, and behind how many lines that are.
struct ChainFault: Error, Equatable {
    let what: String
    let linesBefore: Int
}

private func hold(_ condition: Bool, _ fault: String, _ lines: [ReadLine]) throws(ChainFault) {
    guard condition else { throw ChainFault(what: fault, linesBefore: lines.count) }
}

/// The hash of bytes, as 64 digits.
func hexadecimalHash(_ bytes: [UInt8]) -> String {
    String(decoding: SHA256Digest(of: bytes.span).hexadecimal, as: UTF8.self)
}
