extension HTTP1FieldSection {
    /// The same lines with other octets; their places stay, so `change` keeps the length.
    package func overwritten(_ change: (inout [UInt8]) -> Void) -> HTTP1FieldSection {
        var octets = bytes
        change(&octets)
        precondition(octets.count == bytes.count, "lines stay where they are")
        return HTTP1FieldSection(bytes: octets, lines: lines)
    }
}

extension HTTP1Response {
    /// The same response with octets of its reason and its fields overwritten.
    ///
    /// What was understood stays, whatever the octets are now: status, framing, and what is said of the connection.
    /// `change` is given all octets of the head and the index from which on it may overwrite some.
    package func overwritten(_ change: (inout [UInt8], Int) -> Void) -> HTTP1Response {
        let start = reasonRange.lowerBound
        return with(fields.overwritten { change(&$0, start) })
    }

    /// True where the body is said to be in characters that may hide ASCII: in UTF-16, for one.
    ///
    /// What begins as ASCII does hides nothing: UTF-8, and the sets of one octet and of several that Europe and East Asia use.
    package var isInWideCharacters: Bool {
        guard framing != .none, framing != .length(0) else { return false }
        return !fields.values(of: "content-type").allSatisfy { everyCharset(of: $0, beginsAsASCII) }
    }

    /// True where the body is in a coding that hides what it says (RFC 9110, section 8.4).
    package var isCoded: Bool {
        guard framing != .none, framing != .length(0) else { return false }
        let identity = "identity"
        for value in fields.values(of: "content-encoding") {
            for member in value.split(separator: UInt8(ascii: ",")) {
                let name = member.filter { !isBlank($0) }.map(lowerCased)
                if !name.isEmpty, text(of: name.span) != identity { return true }
            }
        }
        return false
    }
}

/// True for no name at all, too.
private func beginsAsASCII(_ name: String) -> Bool {
    let plain = ["", "utf-8", "utf8", "us-ascii", "ascii", "gbk", "gb2312", "gb18030", "shift_jis", "sjis"]
    let families = ["iso-8859-", "latin", "windows-125", "windows-874", "windows-31j", "koi8-", "euc-", "big5"]
    return plain.contains(name) || families.contains { name.hasPrefix($0) }
}
