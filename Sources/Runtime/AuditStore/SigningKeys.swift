import AuditSigning
import AuditTrail
import LinuxBindings
import OpenSSLBindings

/// The key that signs the chain, and the one that is to take over from it, as files of the daemon's state.
///
/// `audit.key` was published in the chain. `audit.key.new` was not yet: it is made here, or put there by the operator, and
/// takes the other's place once its record is written. `audit.pub` is the public half, for whoever verifies.
struct SigningKeys {
    private static let current = "audit.key"
    private static let next = "audit.key.new"
    private static let published = "audit.pub"
    /// What stands before the PEM of a key that was made here; OpenSSL passes over it.
    private static let madeOpening = "made "

    /// A key, and when it was made, in seconds since 1970-01-01T00:00:00Z.
    struct Key {
        var key: Ed25519PrivateKey
        var made: Int64?
    }

    private let directory: StateDirectory

    init(in directory: StateDirectory) {
        self.directory = directory
    }

    /// The key that was published last; nil before the first.
    func published() throws(AuditError) -> Key? { try read(Self.current) }

    /// The key that is to be published; nil where there is none.
    func waiting() throws(AuditError) -> Key? { try read(Self.next) }

    /// Makes the next key.
    func make(at seconds: Int64) throws(AuditError) -> Key {
        do {
            let key = try Ed25519PrivateKey()
            let text = Array("\(Self.madeOpening)\(seconds)\n".utf8) + (try key.pem())
            try directory.write(text, to: Self.next)
            return Key(key: key, made: seconds)
        } catch let error as SystemCallError {
            throw .noState(error)
        } catch {
            throw .noKey("\(error)")
        }
    }

    /// Notes that the next key is published: it is the key now, and the one before is forgotten.
    func take(_ key: Ed25519PublicKey) throws(AuditError) {
        do {
            try directory.write(try key.pem(), to: Self.published)
            try directory.replace(Self.current, with: Self.next)
        } catch let error as SystemCallError {
            throw .noState(error)
        } catch {
            throw .noKey("\(error)")
        }
    }

    private func read(_ name: String) throws(AuditError) -> Key? {
        guard let bytes = try directory.read(name, isSecret: true) else { return nil }
        do throws(SigningError) {
            return Key(key: try Ed25519PrivateKey(pem: bytes), made: Self.made(bytes))
        } catch {
            throw .noKey("\(name): \(error)")
        }
    }

    private static func made(_ bytes: [UInt8]) -> Int64? {
        guard bytes.starts(with: madeOpening.utf8) else { return nil }
        let digits = bytes.dropFirst(madeOpening.utf8.count).prefix { $0 != UInt8(ascii: "\n") }
        return Int64(String(decoding: digits, as: UTF8.self))
    }
}
