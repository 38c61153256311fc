/// What somebody asks of the health port.
enum HealthRequest: Hashable {
    case get(path: String, isHead: Bool)
    /// `/readyz?format=json`: what is known of the boundary.
    case detail(isHead: Bool)
    /// Another method: 405.
    case otherMethod
    /// Not a request that this port reads: 400.
    case malformed

    /// The largest head that is read, in bytes.
    static let limit = 8192

    /// Reads a request head; `nil` while the empty line at its end has not come (RFC 9112, section 2.1).
    ///
    /// The port answers one request a connection, and reads no body: what follows the head is never looked at. In the first
    /// `examined` bytes no end was found before.
    init?(_ bytes: [UInt8], examined: Int = 0) {
        guard Self.hasEndOfHead(bytes, from: max(0, examined - 3)) else {
            guard bytes.count >= Self.limit else { return nil }
            self = .malformed
            return
        }
        let line = bytes.prefix { $0 != UInt8(ascii: "\r") }
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].elementsEqual("HTTP/1.1".utf8) || parts[2].elementsEqual("HTTP/1.0".utf8),
            parts[1].first == UInt8(ascii: "/"), line.allSatisfy({ (0x20...0x7e).contains($0) })
        else {
            self = .malformed
            return
        }
        let path = parts[1].prefix { $0 != UInt8(ascii: "?") }
        let method = String(decoding: parts[0], as: UTF8.self)
        guard method == "GET" || method == "HEAD" else {
            self = .otherMethod
            return
        }
        let isHead = method == "HEAD"
        if parts[1].elementsEqual("/readyz?format=json".utf8) {
            self = .detail(isHead: isHead)
        } else {
            self = .get(path: String(decoding: path, as: UTF8.self), isHead: isHead)
        }
    }

    /// True where the answer has no body.
    var isHead: Bool {
        switch self {
        case .get(_, let isHead), .detail(let isHead): isHead
        case .otherMethod, .malformed: false
        }
    }

    private static func hasEndOfHead(_ bytes: [UInt8], from start: Int) -> Bool {
        guard bytes.count - start >= 4 else { return false }
        return (start...(bytes.count - 4)).contains { index in
            bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10
        }
    }
}
