import AuditReading
import AuditSigning
import AuditTrail
import LinuxBindings
import OpenSSLBindings
import Telemetry

/// What `penstock audit keys` is asked.
struct KeysRequest: Hashable {
    var files: [String]
    var isJSON: Bool

    /// Reads the words after `audit keys`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.flag("--json")], .keys)
        guard !options.wantsHelp else { return nil }
        files = AuditCommand.files(options.operands)
        isJSON = options.has("--json")
    }
}

extension KeysRequest {
    /// Prints the keys, in the form that `verify --key` reads.
    func run() throws(AuditReadingError) -> ExitCode {
        var keys: [String: Ed25519PublicKey] = [:]
        var text = ""
        let foreign = try readRecords(files) { record, line, place throws(AuditReadingError) in
            guard record.frame.isKind(.key, in: line) else { return }
            let shown = ShownKey(record, line, place, known: keys)
            // Each file names the key again: what is known already, and true, is not told twice.
            guard !shown.repeats(keys) else { return }
            if let key = shown.key { keys[key.identifier] = key }
            text += isJSON ? shown.json + "\n" : shown.pem
        }
        deliver(text)
        sayForeign(foreign)
        if text.isEmpty { say("no keys are published in \(files.joined(separator: ", "))") }
        return text.isEmpty ? .problems : .done
    }
}

/// A key that the chain publishes, and who vouches for it.
struct ShownKey {
    /// Nil where the record holds none.
    let key: Ed25519PublicKey?
    private let sequence: UInt64
    private let time: String
    private let place: LinePlace
    private let record: KeyRecord?
    private let voucher: Voucher

    private enum Voucher: String {
        /// The first one: whoever pins it.
        case nobody
        /// The key before signed it.
        case keyBefore = "valid"
        /// It has signed its own record, as each file but the first names it again.
        case itself = "self"
        /// It names a key before, whose signature this is not.
        case invalid
        /// It names a key that is not in these files.
        case unknown
    }

    init(
        _ record: StoredRecord,
        _ line: borrowing Span<UInt8>,
        _ place: LinePlace,
        known: [String: Ed25519PublicKey]
    ) {
        sequence = record.frame.sequence
        time = line.storedCharacters(record.frame.time)
        self.place = place
        let stored = KeyRecord(record, in: line)
        self.record = stored
        key = stored?.published
        let previous = "sha256:" + line.storedCharacters(record.frame.previous)
        let own = key.flatMap { $0.identifier == stored?.signedBy ? $0 : nil }
        voucher =
            if let own {
                stored?.isSigned(by: own, sequence: record.frame.sequence, previous: previous) == true
                    ? .itself : .invalid
            } else if let signer = stored?.signedBy, let before = known[signer] {
                stored?.isSigned(by: before, sequence: record.frame.sequence, previous: previous) == true
                    ? .keyBefore : .invalid
            } else {
                stored?.signedBy == nil ? .nobody : .unknown
            }
    }

    /// Whether it tells nothing but a key that is known.
    func repeats(_ known: [String: Ed25519PublicKey]) -> Bool {
        guard let key, known[key.identifier] != nil else { return false }
        return switch voucher {
        case .itself, .keyBefore: true
        case .nobody, .invalid, .unknown: false
        }
    }

    /// A PEM block below comments, as OpenSSL passes them over.
    var pem: String {
        guard let key, let pem = try? key.pem() else {
            return "# record \(sequence) at \(printable("\(place)")) holds no key\n"
        }
        let since = "# \(key.identifier)\n# since record \(sequence), \(printable(time)); \(signature)\n"
        return since + String(decoding: pem, as: UTF8.self)
    }

    private var signature: String {
        switch voucher {
        case .nobody: "the first key: nothing vouches for it but who pins it"
        case .keyBefore: "signed by \(printable(record?.signedBy ?? ""))"
        case .itself: "signed by itself, as each file names its key again: what vouches for it is in a file before"
        case .invalid: "NOT signed by \(printable(record?.signedBy ?? "")), although it says so"
        case .unknown: "signed by \(printable(record?.signedBy ?? "")), which is not in these files"
        }
    }

    var json: String {
        jsonObject { members in
            members.text("key", orNull: key?.identifier)
            members.text("public_key", orNull: key.map { String(base64: $0.subjectPublicKeyInfo) })
            members.text("time", time)
            members.number("sequence", sequence)
            members.text("signed_by", orNull: record?.signedBy)
            members.text("signature", voucher.rawValue)
        }
    }
}
