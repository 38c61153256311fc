/// Writes the framing of a chunked body around payload that the caller moves (RFC 9112, section 7.1).
package enum HTTP1ChunkWriting {
    /// Appends the line before a chunk of `size` octets, which is not 0.
    package static func appendStart(of size: Int, to buffer: inout [UInt8]) {
        precondition(size > 0, "a chunk of no octets is the last one")
        buffer.append(String(size, radix: 16))
        buffer.append("\r\n")
    }

    /// Appends the line end behind the octets of a chunk.
    package static func appendEnd(to buffer: inout [UInt8]) {
        buffer.append("\r\n")
    }

    /// Appends the last chunk and the trailers that are forwarded: the end of the message.
    package static func appendLast(trailers: HTTP1FieldSection?, to buffer: inout [UInt8]) {
        buffer.append("0\r\n")
        if let trailers { buffer.appendForwarded(trailers) }
        buffer.append("\r\n")
    }
}
