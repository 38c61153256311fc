import COpenSSL

/// The oldest version of TLS that a session may come to.
package enum OldestTLS: Hashable, Sendable {
    case tls12
    case tls13

    var number: Int32 {
        switch self {
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}
