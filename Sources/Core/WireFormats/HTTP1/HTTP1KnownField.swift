/// The fields that the reading or the writing of a message depends on.
package enum HTTP1KnownField: UInt8, Hashable, Sendable {
    case other
    case host
    case connection
    case contentLength
    case transferEncoding
    case upgrade
    case expect
    case te
    case trailer
    case keepAlive
    /// Proxy-Connection, Proxy-Authorization, Proxy-Authenticate and Proxy-Authentication-Info.
    case proxy
    case http2Settings
    case altSvc
    /// Of routing, authentication or the meaning of the body: no trailer, and never a field of one hop.
    case endToEnd
}

extension HTTP1KnownField {
    /// Recognises a name, whatever its case.
    init(_ name: Range<Int>, in bytes: Span<UInt8>) {
        // Length and first letter pick out one candidate at most, so most names are compared with none.
        let letter = name.isEmpty ? 0 : bytes[name.lowerBound] | 0x20
        guard let (text, field) = Self.candidate(count: name.count, letter: letter), isText(text, in: name, of: bytes)
        else {
            self = .other
            return
        }
        self = field
    }

    private static func candidate(count: Int, letter: UInt8) -> (String, HTTP1KnownField)? {
        switch (count, Unicode.Scalar(letter)) {
        case (2, "t"): ("te", .te)
        case (4, "h"): ("host", .host)
        case (6, "e"): ("expect", .expect)
        case (6, "c"): ("cookie", .endToEnd)
        case (7, "u"): ("upgrade", .upgrade)
        case (7, "a"): ("alt-svc", .altSvc)
        case (7, "t"): ("trailer", .trailer)
        case (8, "l"): ("location", .endToEnd)
        case (10, "c"): ("connection", .connection)
        case (10, "k"): ("keep-alive", .keepAlive)
        case (10, "s"): ("set-cookie", .endToEnd)
        case (12, "c"): ("content-type", .endToEnd)
        case (12, "m"): ("max-forwards", .endToEnd)
        default: longCandidate(count: count, letter: letter)
        }
    }

    private static func longCandidate(count: Int, letter: UInt8) -> (String, HTTP1KnownField)? {
        switch (count, Unicode.Scalar(letter)) {
        case (13, "a"): ("authorization", .endToEnd)
        case (13, "c"): ("cache-control", .endToEnd)
        case (14, "c"): ("content-length", .contentLength)
        case (14, "h"): ("http2-settings", .http2Settings)
        case (16, "c"): ("content-encoding", .endToEnd)
        case (16, "w"): ("www-authenticate", .endToEnd)
        case (16, "p"): ("proxy-connection", .proxy)
        case (17, "t"): ("transfer-encoding", .transferEncoding)
        case (18, "p"): ("proxy-authenticate", .proxy)
        case (19, "p"): ("proxy-authorization", .proxy)
        case (25, "p"): ("proxy-authentication-info", .proxy)
        default: nil
        }
    }

    /// Fields of one hop, whether Connection names them or not (RFC 9110, section 7.6.1).
    var isOfOneHop: Bool {
        switch self {
        case .connection, .transferEncoding, .upgrade, .te, .keepAlive, .proxy, .http2Settings: true
        case .other, .host, .contentLength, .expect, .trailer, .altSvc, .endToEnd: false
        }
    }

    /// Whether Connection may name the field: not where the message would mean something else without it.
    var mayBeNominated: Bool {
        switch self {
        case .other, .upgrade, .te, .trailer, .keepAlive, .proxy, .http2Settings, .altSvc: true
        case .host, .connection, .contentLength, .transferEncoding, .expect, .endToEnd: false
        }
    }

    /// Whether the field may stand in a trailer section (RFC 9110, section 6.5.1).
    var mayBeTrailer: Bool {
        self == .other || self == .altSvc
    }
}
