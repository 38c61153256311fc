/// Why a request line cannot hold a query (RFC 9112, section 3): the data path answers such a request with 400.
package enum QueryViolation: String, Error, Hashable, Sendable, CaseIterable {
    /// A space or a control character.
    case controlOctet = "control_octet"
    /// `#`.
    case fragment
    /// An octet outside ASCII that is not percent-encoded.
    case notASCII = "not_ascii"

    /// Looks for what no target holds as it is; `nil` where there is nothing of the kind.
    package init?(in query: some Sequence<UInt8>) {
        for octet in query {
            switch octet {
            case 0...0x20, 0x7f: self = .controlOctet
            case UInt8(ascii: "#"): self = .fragment
            case 0x80...0xff: self = .notASCII
            default: continue
            }
            return
        }
        return nil
    }
}

extension QueryViolation {
    /// Behind "the query".
    package var explanation: String {
        switch self {
        case .controlOctet: "has a space or a control character"
        case .fragment: "has a `#`"
        case .notASCII: "has characters outside ASCII"
        }
    }
}
