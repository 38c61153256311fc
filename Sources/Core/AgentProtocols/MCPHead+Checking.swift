import AuditTrail

extension MCPHead {
    /// The revision that head and body agree on.
    func era(_ declared: MCPDeclaration) throws(MCPFault) -> MCPEra {
        guard versions.count <= 1, methods.count <= 1, names.count <= 1, sessions.count <= 1 else {
            throw .headerRepeated
        }
        guard let header = versions.first.map({ String(decoding: $0, as: UTF8.self) }) else {
            guard declared.version == nil else { throw .headerMissing }
            // What a client offers in its handshake is not yet in force; the last revision has none.
            guard let era = declared.offer.flatMap({ MCPEra(version: $0) }), era != .stateless else {
                return .undeclared
            }
            return era
        }
        if let version = declared.version, version != header { throw .headerMismatch }
        guard let era = MCPEra(version: header) else { throw .versionUnknown }
        return era
    }

    /// Compares the headers that repeat the body with the one message in it; `nil` for several, which no header repeats.
    func check(
        against declared: MCPDeclaration?,
        of calls: [MCPCall],
        _ era: MCPEra
    ) throws(MCPFault) {
        let method = try methods.first.map { header throws(MCPFault) in try headerText(header) }
        let name = try names.first.map { header throws(MCPFault) in try headerText(header) }
        guard let declared, let call = calls.first else {
            guard method == nil, name == nil else { throw .headerMismatch }
            return
        }
        if let method, !isSame(method, call.method) { throw .headerMismatch }
        if let name, !declared.says(name) { throw .headerMismatch }
        guard era == .stateless else { return }
        guard method != nil else { throw .headerMissing }
        guard name != nil || declared.name == nil else { throw .headerMissing }
        // A notification need not repeat the version.
        if call.id != nil, declared.version == nil { throw .headerMismatch }
    }
}

/// What a header says: visible ASCII as it stands, anything else between `=?base64?` and `?=`.
private func headerText(_ value: [UInt8]) throws(MCPFault) -> String {
    guard value.allSatisfy({ (0x20...0x7e).contains($0) }) else { throw .headerEncoding }
    let text = String(decoding: value, as: UTF8.self)
    guard caseFolded(text).hasPrefix("=?base64?") else { return text }
    guard text.hasPrefix("=?base64?"), text.hasSuffix("?="), text.utf8.count >= 11 else { throw .headerEncoding }
    guard let octets = [UInt8](base64: String(text.dropFirst(9).dropLast(2))),
        let decoded = try? UTF8Span(validating: octets.span)
    else { throw .headerEncoding }
    return String(copying: decoded)
}

/// Compares octet by octet: a string of the language equals others that only look the same.
private func isSame(_ one: String, _ other: String?) -> Bool {
    other.map { one.utf8.elementsEqual($0.utf8) } ?? false
}

extension MCPDeclaration {
    /// True where `Mcp-Name` may say this: what is meant, where the method has a place for it, else anything in `params`.
    fileprivate func says(_ name: String) -> Bool {
        hasNamedMethod ? isSame(name, self.name) : texts.contains { isSame(name, $0) }
    }
}
