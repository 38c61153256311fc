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

    /// The field that says how the body is framed.
    mutating func appendFraming(_ framing: HTTP1Framing) {
        switch framing {
        case .none, .untilClose: break
        case .length(let length): appendField("Content-Length", String(length))
        case .chunked: appendField("Transfer-Encoding", "chunked")
        }
    }

    /// The lines that are forwarded, in order, but for those that every head has anew.
    mutating func appendForwarded(_ section: HTTP1FieldSection) {
        for line in section.lines
        where line.isForwarded && line.known != .host && line.known != .contentLength {
            appendLine(line, of: section)
        }
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
