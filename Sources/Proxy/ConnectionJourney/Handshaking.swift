import EventLoops
import OpenSSLBindings

/// What beginning TLS on a socket came to.
enum Handshake {
    case done
    case failed(TLSFailure)
    case timedOut
    /// Somebody else ended the wait.
    case interrupted
}

extension StreamSocket {
    /// Begins TLS: `session` is the one of this socket's cipher; `deadline` is in nanoseconds of the loop's clock.
    func shakeHands(_ session: TLSSession, until deadline: UInt64, on loop: isolated EventLoop) async -> Handshake {
        while true {
            let progress = session.shakeHands()
            noteUnsent()
            switch progress {
            case .done:
                isReadable = true
                return .done
            case .failed(let failure): return .failed(failure)
            case .waiting:
                // The session has read all that there is.
                isReadable = false
                switch await wait(for: .reading, until: deadline, on: loop) {
                case .ready: continue
                case .timedOut: return .timedOut
                case .interrupted: return .interrupted
                }
            }
        }
    }
}

extension TLSFailure {
    /// What went wrong, as records have it.
    var text: String {
        switch self {
        case .alert(let number): "tls_alert_\(Self.alertName(number))"
        case .closed: "tls_closed"
        case .socket(let code): isReset ? "tls_reset" : "tls_socket_error_\(code)"
        case .untrusted(let fault): "certificate_\(fault.rawValue)"
        case .wantsCertificate: "wants_client_certificate"
        case .version: "tls_version"
        case .parameters: "tls_parameters"
        case .applicationProtocol: "tls_application_protocol"
        case .protocolViolation: "tls_malformed"
        case .failed: "tls_failed"
        }
    }

    /// RFC 8446, section 6; the number where there is no name.
    private static func alertName(_ number: UInt8) -> String {
        switch number {
        case 0: "close_notify"
        case 10: "unexpected_message"
        case 20: "bad_record_mac"
        case 40: "handshake_failure"
        case 42: "bad_certificate"
        case 43: "unsupported_certificate"
        case 44: "certificate_revoked"
        case 45: "certificate_expired"
        case 46: "certificate_unknown"
        case 47: "illegal_parameter"
        case 48: "unknown_ca"
        case 49: "access_denied"
        case 50: "decode_error"
        case 51: "decrypt_error"
        case 70: "protocol_version"
        case 71: "insufficient_security"
        case 80: "internal_error"
        case 90: "user_canceled"
        case 109: "missing_extension"
        case 112: "unrecognized_name"
        case 116: "certificate_required"
        case 120: "no_application_protocol"
        default: "\(number)"
        }
    }
}
