/// True where each `charset` of a content type is followed by `=` and a name, quoted or not, that the caller takes (RFC 9110, section 8.3.2).
///
/// One that is not spelled so could name any, and is not taken. Names come in lower case.
package func everyCharset(of type: some Sequence<UInt8>, _ isTaken: (String) -> Bool) -> Bool {
    var rest = Array(String(decoding: Array(type), as: UTF8.self).lowercased().utf8)[...]
    let word = Array("charset".utf8)
    while !rest.isEmpty {
        guard rest.starts(with: word) else {
            rest = rest.dropFirst()
            continue
        }
        rest = rest.dropFirst(word.count)
        guard rest.popFirst() == UInt8(ascii: "=") else { return false }
        let isQuoted = rest.first == quote
        if isQuoted { rest = rest.dropFirst() }
        let name = rest.prefix { $0 != quote && !isParameterEnd($0) }
        rest = rest[name.endIndex...]
        guard isTaken(String(decoding: name, as: UTF8.self)) else { return false }
        guard isQuoted == (rest.first == quote) else { return false }
    }
    return true
}

private let quote = UInt8(ascii: "\"")

private func isParameterEnd(_ octet: UInt8) -> Bool {
    [UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "\t")].contains(octet)
}
