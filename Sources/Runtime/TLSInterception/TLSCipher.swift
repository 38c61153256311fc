import EventLoops
import LinuxBindings
import OpenSSLBindings

/// A TLS session as the cipher of its socket.
///
/// Lives on the socket's loop.
package final class TLSCipher: SocketCipher {
    /// The session itself, for those who shake hands.
    package let session: TLSSession
    /// What the session has failed with in use, where that was not the socket.
    package private(set) var failure: TLSFailure?

    /// The cipher of the socket that `session` was made for.
    package init(_ session: TLSSession) {
        self.session = session
    }

    package var hasUnsent: Bool { session.hasUnsent }
    package var mayHaveMore: Bool { session.mayHaveMore }
    package var endedInOrder: Bool { session.endedInOrder }
    package var isMidway: Bool { session.isMidway }
    package var hadToStop: Bool { session.hadToStop }
    package var overhead: Int { session.overhead }
    package var holdsPart: Bool { session.holdsPart }

    /// Something can be read from the socket again.
    package func becomesReadable(isEnding: Bool) { session.becomesReadable(isEnding: isEnding) }

    /// Ends the sending side behind what was sent, with close_notify only if `inOrder`.
    package func endSending(inOrder: Bool) { session.endSending(inOrder: inOrder) }

    /// Gives back the buffers of a session that is idle.
    package func rest() { session.rest() }

    /// Sends what the socket has not taken yet.
    package func flush() throws(SystemCallError) {
        do throws(TLSFailure) {
            try session.flush()
        } catch {
            throw systemCall("send", error)
        }
    }

    /// Receives and decrypts at most `count` octets.
    package func receive(into buffer: TransferBuffer, atMost count: Int) throws(SystemCallError) -> Completion<Int> {
        do throws(TLSFailure) {
            return try buffer.fill(atMost: count) { place throws(TLSFailure) in try session.receive(into: &place) }
        } catch {
            throw systemCall("recv", error)
        }
    }

    /// Whether a decrypted octet waits.
    package func peek() throws(SystemCallError) -> Completion<Int> {
        do throws(TLSFailure) {
            return try session.peek().map(Completion.done) ?? .wouldBlock
        } catch {
            throw systemCall("recv", error)
        }
    }

    /// Encrypts octets and sends them.
    package func send(_ octets: Span<UInt8>) throws(SystemCallError) -> Completion<Int> {
        do throws(TLSFailure) {
            return try session.send(octets).map(Completion.done) ?? .wouldBlock
        } catch {
            throw systemCall("send", error)
        }
    }

    /// The failure of a session in use, as one of the socket's: those who relay know no other.
    private func systemCall(_ call: String, _ error: TLSFailure) -> SystemCallError {
        switch error {
        case .socket(let code): return SystemCallError(call: call, code: code)
        case .alert, .closed, .untrusted, .wantsCertificate, .version, .parameters, .applicationProtocol,
            .protocolViolation, .failed:
            failure = error
            return .brokenProtocol(call: "tls")
        }
    }
}

/// What a session says goes the way of all that its socket sends.
extension SocketOutlet: TLSOutlet {
    /// Takes octets: how many; `nil` where there is no room now.
    package func take(_ octets: Span<UInt8>) throws(TLSFailure) -> Int? {
        do throws(SystemCallError) {
            guard case .done(let count) = try send(octets) else { return nil }
            return count
        } catch {
            throw .socket(error.code)
        }
    }

    /// Ends the sending side behind what was taken; a socket that is gone has ended.
    package func endSending() { try? end() }
}
