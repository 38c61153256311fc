import COpenSSL
import Glibc

/// Who takes what a session has to send, and sees to it that it goes to the socket in order.
package protocol TLSOutlet: AnyObject {
    /// Takes octets: how many; `nil` where there is no room now.
    func take(_ octets: Span<UInt8>) throws(TLSFailure) -> Int?
    /// Ends the sending side of the socket behind what was taken.
    func endSending()
}

/// What a TLS session stands on: a socket, or another session on it.
enum TLSFloor {
    /// A socket that somebody else owns, and who takes what is sent there.
    case socket(Int32, any TLSOutlet)
    /// TLS inside TLS: a server behind a proxy that is itself spoken to in TLS.
    case session(TLSSession)

    /// What came of reading or writing.
    enum Step {
        case moved(Int)
        /// Nothing now.
        case blocked
        /// Nothing yet, and there is more: a session below has gone through as much as one look may.
        case midway
        /// As `errno`.
        case failed(Int32)
    }

    /// Receives into `place`; 0 octets is the end.
    ///
    /// Where whoever asks is not patient, a session below is looked into until it has something, or nothing more.
    func receive(into place: UnsafeMutableRawBufferPointer, isPatient: Bool) -> Step {
        switch self {
        case .socket(let number, _):
            return Self.step { unsafe recv(number, place.baseAddress, place.count, 0) }
        case .session(let session):
            var bytes = unsafe MutableSpan<UInt8>(_unsafeElements: place.bindMemory(to: UInt8.self))
            // The session above reads the thread's queue of errors when this is over.
            defer { ERR_clear_error() }
            do throws(TLSFailure) {
                repeat {
                    if let count = try session.receive(into: &bytes) { return .moved(count) }
                } while session.isMidway && !isPatient
                return session.isMidway ? .midway : .blocked
            } catch {
                return .failed(error.number)
            }
        }
    }

    /// Sends octets, as many as are taken.
    func send(_ octets: UnsafeRawBufferPointer) -> Step {
        let bytes = unsafe Span<UInt8>(_unsafeElements: octets.bindMemory(to: UInt8.self))
        switch self {
        case .socket(_, let outlet):
            do throws(TLSFailure) {
                return try outlet.take(bytes).map(Step.moved) ?? .blocked
            } catch {
                return .failed(error.number)
            }
        case .session(let session):
            defer { ERR_clear_error() }
            do throws(TLSFailure) {
                return try session.send(bytes).map(Step.moved) ?? .blocked
            } catch {
                return .failed(error.number)
            }
        }
    }

    /// What a call of the kernel's comes to.
    @inline(__always)
    private static func step(_ call: () -> Int) -> Step {
        while true {
            let count = call()
            if count >= 0 { return .moved(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .blocked
            case let code: return .failed(code)
            }
        }
    }

    /// Ends the sending side.
    func endSending() {
        switch self {
        case .socket(_, let outlet): outlet.endSending()
        case .session(let session): session.endSending(inOrder: true)
        }
    }

    /// The session below, if there is one.
    var session: TLSSession? {
        switch self {
        case .socket: nil
        case .session(let session): session
        }
    }
}

extension TLSFailure {
    /// As those know it who stand above: a socket that failed, or a protocol that was broken.
    var number: Int32 {
        switch self {
        case .socket(let code): code
        case .alert, .closed, .untrusted, .wantsCertificate, .version, .parameters, .applicationProtocol,
            .protocolViolation, .failed:
            EPROTO
        }
    }
}
