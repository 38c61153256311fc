import NetworkTypes

/// Writes the parts of heads that requests and responses share.
extension [UInt8] {
    mutating func append(_ text: String) {
        append(contentsOf: text.utf8)
    }

    mutating func appendField(_ name: String, _ value: String) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    /// Host in its one form.
    mutating func appendHost(_ host: HTTPHost) {
        append("Host: ")
        if case .name(let name, nil) = host { append(name.text) } else { append(host.authority) }
        append("\r\n")
    }

    /// The field that says how the body is framed.
    mutating func appendFraming(_ framing: HTTP1Framing) {
        switch framing {
        case .none, .untilClose: break
        case .length(let length):
            append("Content-Length: ")
            append(String(length))
            append("\r\n")
        case .chunked: append("Transfer-Encoding: chunked\r\n")
        }
    }

    /// The lines that are forwarded, in order, but for those that every head has anew.
    ///
    /// `start` is where the octets of the section's head stand that go before them, as they are; none, if it is empty.
    mutating func appendForwarded(_ section: HTTP1FieldSection, behind start: Range<Int> = 0..<0) {
        // Lines that stand as they would be written go in one piece, with their neighbours.
        var run = start
        for line in section.lines
        where line.isForwarded && line.known != .host && line.known != .contentLength {
            let octets = line.octetsIfCanonical(in: section)
            if let octets, octets.lowerBound == run.upperBound {
                run = run.lowerBound..<octets.upperBound
                continue
            }
            append(contentsOf: section.bytes[run])
            run = octets ?? 0..<0
            if octets == nil { appendLine(line, of: section) }
        }
        append(contentsOf: section.bytes[run])
    }

    mutating func appendLine(_ line: HTTP1FieldLine, of section: HTTP1FieldSection) {
        append(contentsOf: section.bytes[line.name])
        append(": ")
        append(contentsOf: section.bytes[line.value])
        append("\r\n")
    }

    /// Upgrade as it was received.
    mutating func appendUpgrade(_ section: HTTP1FieldSection) {
        for line in section.lines where line.known == .upgrade { appendLine(line, of: section) }
    }
}

extension HTTP1FieldLine {
    /// The octets of the line, with its end, where they are as `appendLine` writes them.
    fileprivate func octetsIfCanonical(in section: HTTP1FieldSection) -> Range<Int>? {
        let bytes = section.bytes
        // Behind a name stands a colon, and behind a value that ends its line a carriage return with its line feed.
        guard value.lowerBound == name.upperBound + 2, bytes[name.upperBound + 1] == UInt8(ascii: " "),
            bytes[value.upperBound] == UInt8(ascii: "\r")
        else { return nil }
        return name.lowerBound..<value.upperBound + 2
    }
}
