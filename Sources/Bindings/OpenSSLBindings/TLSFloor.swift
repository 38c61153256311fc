import COpenSSL
import Glibc

/// What a TLS session stands on: a socket, or another session on it.
enum TLSFloor {
    /// A socket that somebody else owns.
    case socket(Int32)
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
        case .socket(let number):
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
        switch self {
        case .socket(let number):
            // A peer that is gone answers EPIPE, not a signal.
            return Self.step { unsafe Glibc.send(number, octets.baseAddress, octets.count, Int32(MSG_NOSIGNAL)) }
        case .session(let session):
            let bytes = unsafe Span<UInt8>(_unsafeElements: octets.bindMemory(to: UInt8.self))
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
        // A socket that is gone has ended.
        case .socket(let number): _ = shutdown(number, Int32(SHUT_WR))
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
