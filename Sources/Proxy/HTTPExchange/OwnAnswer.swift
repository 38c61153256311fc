/// An answer that we give ourselves, whole in memory.
package struct OwnAnswer: Hashable, Sendable {
    package var status: Int
    /// Further fields, names and values as they are written: ours, or checked before.
    package var fields: [Field]
    package var body: [UInt8]

    /// A field of an answer.
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(_ status: Int, fields: [Field] = [], contentType: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        if let contentType { self.fields.append(Field("Content-Type", contentType)) }
        self.body = body
    }

    /// The message as it is sent.
    ///
    /// - Parameters:
    ///   - closes: the connection ends behind it, and it says so.
    ///   - isToHead: it answers HEAD, and has no body.
    ///   - requestMinorVersion: 0 where the request was of HTTP/1.0, which is told that the connection stays.
    /// - Returns: status line, fields and body.
    package func octets(closes: Bool, isToHead: Bool = false, requestMinorVersion: Int = 1) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(256 + body.count)
        octets += "HTTP/1.1 \(status) \(Self.reason(status))\r\n".utf8
        for field in fields { octets += "\(field.name): \(field.value)\r\n".utf8 }
        octets += "Content-Length: \(body.count)\r\n".utf8
        if closes {
            octets += "Connection: close\r\n".utf8
        } else if requestMinorVersion == 0 {
            octets += "Connection: keep-alive\r\n".utf8
        }
        octets += "\r\n".utf8
        if !isToHead { octets += body }
        return octets
    }

    /// RFC 9110, section 15: for those who read it, no program does.
    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 307: "Temporary Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Status"
        }
    }
}
