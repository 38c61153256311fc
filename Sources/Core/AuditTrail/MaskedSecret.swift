/// A secret that stood in a message, as records tell of it: where it stood, and by what an equal one is known.
package struct MaskedSecret: Hashable, Sendable {
    /// Where a secret stands.
    package enum Place: String, CaseIterable, Sendable {
        case query
        case header
        case cookie
    }

    package var place: Place
    /// The name of the header, the cookie or the parameter; nil where what stood there may be part of the secret.
    package var name: String?
    /// 16 hexadecimal digits of a hash under a key that only the daemon has.
    package var hash: String

    package init(place: Place, name: String?, hash: String) {
        self.place = place
        self.name = name
        self.hash = hash
    }
}

/// Hashes secrets under a key, so that equal ones are known to be equal by whoever has only the hashes.
package protocol SecretHashing: Sendable {
    /// 16 hexadecimal digits.
    func hash(of secret: borrowing Span<UInt8>) -> String
}

extension [MaskedSecret] {
    /// Masks the values of a query, which is what stands behind the question mark, up to so many.
    package mutating func add(query: ArraySlice<UInt8>, hashing: some SecretHashing, limits: RecordLimits = .standard) {
        add(pairs: query, between: UInt8(ascii: "&"), in: .query, hashing, limits)
    }

    /// Masks the values of a query that is a text.
    package mutating func add(query: String, hashing: some SecretHashing, limits: RecordLimits = .standard) {
        add(query: ArraySlice(query.utf8), hashing: hashing, limits: limits)
    }

    /// Masks the values of a Cookie field, up to so many in all.
    package mutating func add(cookies: ArraySlice<UInt8>, hashing: some SecretHashing, limits: RecordLimits = .standard)
    {
        add(pairs: cookies, between: UInt8(ascii: ";"), in: .cookie, hashing, limits)
    }

    /// Masks the value of a field that authorizes, which is known by its name.
    ///
    /// A scheme in front, as in `Bearer abc`, is left out: the same token has the same hash wherever it stands.
    package mutating func add(
        field name: String,
        value: ArraySlice<UInt8>,
        hashing: some SecretHashing,
        limits: RecordLimits = .standard
    ) {
        guard count < limits.listItems else { return }
        let scheme = value.prefix { $0 != UInt8(ascii: " ") }
        let rest = value[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
        let secret = rest.isEmpty || !scheme.allSatisfy(\.isSchemeCharacter) ? value : rest
        append(MaskedSecret(place: .header, name: name, hash: hashing.hash(of: secret.span)))
    }

    private mutating func add(
        pairs: ArraySlice<UInt8>,
        between separator: UInt8,
        in place: MaskedSecret.Place,
        _ hashing: some SecretHashing,
        _ limits: RecordLimits
    ) {
        var rest = pairs
        while count < limits.listItems, !rest.isEmpty {
            let pair = rest.prefix { $0 != separator }
            rest = rest[pair.endIndex...].dropFirst()
            let text = pair.drop { $0 == UInt8(ascii: " ") }
            guard !text.isEmpty else { continue }
            let name = text.plainName
            let secret = name.map { text.dropFirst($0.utf8.count + 1) } ?? text
            append(MaskedSecret(place: place, name: name, hash: hashing.hash(of: secret.span)))
        }
    }
}

/// The longest name that is kept; what is longer may be a secret itself.
private let nameLimit = 40

extension ArraySlice<UInt8> {
    /// The name in front of `=`, where it can be nothing else.
    ///
    /// Behind the `=` of padded base 64 stands nothing but another: such a text is a value without a name.
    fileprivate var plainName: String? {
        let name = prefix { $0.isNameCharacter }
        guard !name.isEmpty, name.count <= nameLimit, name.endIndex < endIndex,
            self[name.endIndex] == UInt8(ascii: "="),
            self[(name.endIndex + 1)...].contains(where: { $0 != UInt8(ascii: "=") })
        else { return nil }
        return String(decoding: name, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isSchemeCharacter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "-")
    }

    fileprivate var isNameCharacter: Bool {
        isSchemeCharacter || isDigit || self == UInt8(ascii: "_") || self == UInt8(ascii: ".")
            || self == UInt8(ascii: "[") || self == UInt8(ascii: "]")
    }
}

extension JSONMembers {
    /// Adds what was masked, where anything was.
    mutating func masked(_ secrets: [MaskedSecret]) {
        guard !secrets.isEmpty else { return }
        objects("masked", secrets) { secret, members in
            members.text("in", secret.place.rawValue)
            members.text("name", orNull: secret.name)
            members.text("hash", secret.hash)
        }
    }
}
