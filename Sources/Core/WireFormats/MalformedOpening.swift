/// Why an opening is broken; the raw values are the audit's detail.
package enum MalformedOpening: String, Error, Hashable, Sendable, CaseIterable {
    /// An SSL 2.0 hello, or a later one in its clothes (RFC 6176 forbids both).
    case sslv2Hello = "sslv2_hello"
    /// A record without content: illegal for handshake records (RFC 8446, section 5.1).
    case recordEmpty = "record_empty"
    /// A record over 2^14 octets (RFC 8446, section 5.1).
    case recordTooLong = "record_too_long"
    /// A record of another type, or of no TLS version, in the middle of the ClientHello.
    case recordInterleaved = "record_interleaved"
    /// The first handshake message is no ClientHello.
    case notClientHello = "not_client_hello"
    /// The ClientHello does not end within the limit.
    case helloTooLong = "hello_too_long"
    /// The record that ends the ClientHello goes on behind it.
    case helloTrailingBytes = "hello_trailing_bytes"
    /// The lengths inside the ClientHello do not fit each other or their bounds.
    case helloLength = "hello_length"
    /// The ClientHello's version is not 3.x.
    case helloVersion = "hello_version"
    case extensionDuplicated = "extension_duplicated"
    case extensionsTooMany = "extensions_too_many"
    /// A pre_shared_key extension that is not the last (RFC 8446, section 4.2.11).
    case preSharedKeyNotLast = "pre_shared_key_not_last"
    /// The lengths inside server_name do not fit (RFC 6066, section 3).
    case serverNameLength = "server_name_length"
    /// The lengths inside the ALPN list do not fit, or a protocol name is empty (RFC 7301, section 3.1).
    case protocolNamesLength = "protocol_names_length"
    case protocolNamesTooMany = "protocol_names_too_many"
    /// The lengths inside supported_versions do not fit (RFC 8446, section 4.2.1).
    case supportedVersionsLength = "supported_versions_length"
    /// An early_data extension with content (RFC 8446, section 4.2.10).
    case earlyDataLength = "early_data_length"

    /// An HTTP request behind empty lines or other white space: some servers skip it, so it could hide the request.
    case leadingEmptyLine = "leading_empty_line"
    case requestLine = "request_line"
    case requestTarget = "request_target"
    /// HTTP, but neither 1.0 nor 1.1.
    case httpVersion = "http_version"
    /// A line of the head ends without a carriage return (RFC 9112, section 2.2).
    case bareLineFeed = "bare_line_feed"
    /// NUL, a lone carriage return or another control octet in the head.
    case controlOctet = "control_octet"
    /// A folded header line (RFC 9112, section 5.2).
    case obsFold = "obs_fold"
    /// A header line without a proper name and colon (RFC 9112, section 5.1).
    case fieldLine = "field_line"
    case fieldsTooMany = "fields_too_many"
    case headTooLong = "head_too_long"
    /// HTTP/1.1 without Host (RFC 9112, section 3.2).
    case hostMissing = "host_missing"
    case hostDuplicated = "host_duplicated"
    /// What stands behind the colon of Host is no port.
    case hostPort = "host_port"
}

extension MalformedOpening {
    /// The client speaks HTTP, and can be told in HTTP that it is refused.
    package var isOfHTTP: Bool {
        switch self {
        case .leadingEmptyLine, .requestLine, .requestTarget, .httpVersion, .bareLineFeed, .controlOctet, .obsFold,
            .fieldLine, .fieldsTooMany, .headTooLong, .hostMissing, .hostDuplicated, .hostPort:
            true
        case .sslv2Hello, .recordEmpty, .recordTooLong, .recordInterleaved, .notClientHello, .helloTooLong,
            .helloTrailingBytes, .helloLength, .helloVersion, .extensionDuplicated, .extensionsTooMany,
            .preSharedKeyNotLast, .serverNameLength, .protocolNamesLength, .protocolNamesTooMany,
            .supportedVersionsLength, .earlyDataLength:
            false
        }
    }
}
