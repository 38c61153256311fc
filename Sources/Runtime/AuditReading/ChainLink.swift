import AuditTrail
import OpenSSLBindings

/// What ties a line into the chain, and where it stands.
struct ChainLink: Hashable, Sendable {
    /// The hash in the first line of all: zeros.
    static let noLine = [UInt8](repeating: 0, count: SHA256Digest.byteCount)

    /// Counts the lines of all files.
    let ordinal: Int
    let place: LinePlace
    /// Nil where the line is none of ours.
    let sequence: UInt64?
    /// The hash that the line has for the one before, in 32 bytes; empty where it is none of ours.
    let previous: [UInt8]
    /// That of the line itself.
    let hash: [UInt8]
    /// It is a repair, and ties in the last line in its place by `after`: that one was not changed.
    var isTiedRepair = false
    /// It is none of ours because it has another version of the schema.
    var isOtherVersion = false
}

/// What the next line has to be.
struct ChainExpectation: Hashable, Sendable {
    /// Nil is any number: the chain was entered in the middle.
    var sequence: UInt64?
    /// 32 bytes.
    var previous: [UInt8]

    /// Whether a line is the one.
    func fits(_ frame: StoredFrame, in line: borrowing Span<UInt8>) -> Bool {
        guard sequence == nil || sequence == frame.sequence else { return false }
        return line.isHash(previous.span, at: frame.previous)
    }
}

/// A hash as members have it: `sha256:` and 64 digits.
func prefixed(_ hash: [UInt8]) -> String { SHA256Digest(bytes: hash)?.description ?? "" }

/// Reads a hash as a command line has it: `sha256:` and 64 digits, or the digits alone; nil where it is none.
///
/// It is given back in 32 bytes.
package func readHash(_ text: String) -> [UInt8]? {
    let opening = "sha256:"
    let digits = Array((text.hasPrefix(opening) ? text.dropFirst(opening.count) : text[...]).utf8)
    guard digits.count == 2 * SHA256Digest.byteCount else { return nil }
    let hash = digits.span.hash(at: digits.indices)
    return String(decoding: digits, as: UTF8.self) == prefixed(hash).dropFirst(opening.count) ? hash : nil
}

extension Span<UInt8> {
    /// The hash that these 64 digits write, in 32 bytes.
    func hash(at digits: Range<Int>) -> [UInt8] {
        stride(from: digits.lowerBound, to: digits.upperBound, by: 2).map { index in
            nibble(self[index]) << 4 | nibble(self[index + 1])
        }
    }

    /// Whether these 64 digits write this hash.
    func isHash(_ hash: borrowing Span<UInt8>, at digits: Range<Int>) -> Bool {
        guard digits.count == 2 * hash.count else { return false }
        var isSame = true
        for index in hash.indices {
            let digit = digits.lowerBound + 2 * index
            if nibble(self[digit]) << 4 | nibble(self[digit + 1]) != hash[index] { isSame = false }
        }
        return isSame
    }
}

/// What a lower-case hexadecimal digit stands for.
private func nibble(_ digit: UInt8) -> UInt8 {
    digit < UInt8(ascii: "a") ? digit &- UInt8(ascii: "0") : digit &- UInt8(ascii: "a") &+ 10
}
