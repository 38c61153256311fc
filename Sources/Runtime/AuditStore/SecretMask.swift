import AuditTrail
import LinuxBindings
import OpenSSLBindings

/// Hashes what records do not tell, under a key of this installation.
///
/// The key is `mask.key` in the directory of the daemon's state: 64 hexadecimal digits. Whoever takes it away breaks the tie
/// between the hashes before and those after, and nothing else. Where there is no such directory it lives as long as the
/// daemon. It is never written anywhere else.
package struct SecretMask: SecretHashing {
    static let fileName = "mask.key"
    private static let keyBytes = 32
    /// Of the hash, in bytes: enough that two secrets of one trail never share it by chance.
    private static let shownBytes = 8

    private let keyed: KeyedHash

    /// Reads the key, or makes it.
    ///
    /// - Throws: `.noMaskKey` for a key that cannot be read: nothing is recorded under a key that nobody will know again.
    init(in directory: StateDirectory?) throws(AuditError) {
        if let text = try directory?.read(Self.fileName, isSecret: true) {
            guard let key = Self.key(text) else { throw .noMaskKey }
            keyed = KeyedHash(key: key)
            return
        }
        var random = KernelRandomness()
        let key = (0..<Self.keyBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let text = (SHA256Digest(bytes: key)?.hexadecimal ?? []) + [UInt8(ascii: "\n")]
        do throws(SystemCallError) {
            try directory?.write(text, to: Self.fileName)
        } catch {
            throw .noState(error)
        }
        keyed = KeyedHash(key: key)
    }

    /// 16 hexadecimal digits.
    package func hash(of secret: borrowing Span<UInt8>) -> String {
        String(decoding: keyed.digest(of: secret).hexadecimal.prefix(2 * Self.shownBytes), as: UTF8.self)
    }

    private static func key(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.filter { $0 != UInt8(ascii: "\n") }
        guard digits.count == 2 * keyBytes, text.count <= digits.count + 1 else { return nil }
        let nibbles = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard nibbles.count == digits.count else { return nil }
        return (0..<keyBytes).map { UInt8(nibbles[2 * $0] << 4 | nibbles[2 * $0 + 1]) }
    }
}
