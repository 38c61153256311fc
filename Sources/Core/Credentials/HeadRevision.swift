import PolicyEngine
import WireFormats

/// How the head of a request is changed on its way, and what its answer is searched for.
///
/// It never prints what it holds.
package struct HeadRevision: Sendable {
    /// What is written.
    package let fields: HTTP1FieldRevision
    /// The secrets that go up, each once, in the order of the rule.
    package let secrets: [SecretName]
    /// What the answer must be rid of; `nil`: nothing.
    package let needles: Needles?

    /// Carries out what a rule changes.
    ///
    /// A placeholder is replaced where its header is there once, and has it where a credential stands; everywhere else it goes
    /// up as it is, and is of no use to anybody.
    package init(_ changes: HeadChanges, of request: HTTP1Request, _ vault: CredentialVault) {
        var fields = HTTP1FieldRevision(omitted: Set(changes.headers.remove.map(\.canonical)))
        for setting in changes.headers.set { fields.write(setting.name, Array(setting.value.utf8)) }
        var used: [SecretName] = []
        for credential in changes.credentials {
            let name = credential.header.canonical
            let values = request.fields.values(of: name)
            guard !fields.omitted.contains(name), values.count == 1, let value = values.first,
                let secret = vault.secret(credential.secret),
                let replaced = substitute(secret, for: credential.placeholder, in: value)
            else { continue }
            fields.write(credential.header, replaced)
            if !used.contains(credential.secret) { used.append(credential.secret) }
        }
        if !changes.credentials.isEmpty { fields.askForPlainAnswer() }
        self.fields = fields
        secrets = used
        needles = changes.credentials.isEmpty ? nil : vault.needles
    }

    /// True where a placeholder stands in the head where none is replaced.
    ///
    /// `revision` is what was made of the head; `nil` where it goes up as it came.
    package static func misplacesPlaceholder(
        _ request: HTTP1Request,
        _ revision: HeadRevision?,
        _ vault: CredentialVault
    ) -> Bool {
        guard !vault.placeholders.isEmpty else { return false }
        let octets = request.fields.bytes
        let places = vault.placeholders.places(in: octets.span)
        guard !places.isEmpty else { return false }
        let names = Set(revision?.fields.written.map { $0.name.lowercased() } ?? [])
        let replaced = request.fields.lines.filter { line in
            names.contains(String(decoding: octets[line.name], as: UTF8.self).lowercased())
        }
        return places.contains { place in !replaced.contains { $0.value.contains(place) } }
    }
}

extension HeadRevision: CustomStringConvertible, CustomReflectable {
    package var description: String { "(revision of a head)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

extension HTTP1FieldRevision {
    /// Writes a field in the place of all of its name.
    fileprivate mutating func write(_ name: HeaderName, _ value: [UInt8]) {
        omitted.insert(name.canonical)
        written.append(Field(name: name.text, value: value))
    }

    /// Asks for an answer that can be read: whole, in characters that begin as ASCII does, and not coded; of a WebSocket, too.
    fileprivate mutating func askForPlainAnswer() {
        omitted.formUnion(headersOfScrubbing)
        written.append(Field(name: "Accept-Encoding", value: Array("identity".utf8)))
    }
}
