/// What a SOCKS 5 server is asked to do (RFC 1928, section 4).
package enum SOCKS5Command: UInt8, Hashable, Sendable, CaseIterable {
    case connect = 1
    case bind = 2
    case udpAssociate = 3
}

/// What a SOCKS 5 server replies to a request (RFC 1928, section 6).
package enum SOCKS5Reply: UInt8, Hashable, Sendable, CaseIterable {
    case succeeded = 0
    case generalFailure = 1
    /// The connection is not allowed by the ruleset.
    case notAllowed = 2
    case networkUnreachable = 3
    case hostUnreachable = 4
    case connectionRefused = 5
    case timeToLiveExpired = 6
    case commandNotSupported = 7
    case addressTypeNotSupported = 8
}

extension SOCKS5Reply {
    /// A word for the record.
    package var text: String {
        switch self {
        case .succeeded: "succeeded"
        case .generalFailure: "general_failure"
        case .notAllowed: "not_allowed"
        case .networkUnreachable: "network_unreachable"
        case .hostUnreachable: "host_unreachable"
        case .connectionRefused: "connection_refused"
        case .timeToLiveExpired: "ttl_expired"
        case .commandNotSupported: "command_not_supported"
        case .addressTypeNotSupported: "address_type_not_supported"
        }
    }

    /// The whole reply; the address that we bound is nobody's business, and left as zero.
    package var octets: [UInt8] { [5, rawValue, 0, SOCKS5AddressType.ipv4.rawValue, 0, 0, 0, 0, 0, 0] }
}

/// Why octets are no SOCKS 5; the raw values are the audit's detail.
package enum SOCKS5Violation: String, Error, Hashable, Sendable, CaseIterable {
    /// A message begins with another version than 5.
    case version = "socks5_version"
    /// A greeting without a method, or with 0xff, which is the server's word for none.
    case methods = "socks5_methods"
    /// The server chose a method that was not offered.
    case methodNotOffered = "socks5_method_not_offered"
    /// User and password, or the answer to them, begin with another version than 1 (RFC 1929).
    case credentialsVersion = "socks5_credentials_version"
    /// The reserved octet is not 0.
    case reservedOctet = "socks5_reserved_octet"
    /// An address that is no IPv4 address, no name and no IPv6 address.
    case addressType = "socks5_address_type"
}
