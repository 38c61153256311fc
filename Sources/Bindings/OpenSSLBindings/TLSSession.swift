import COpenSSL
import NetworkTypes

/// One TLS session over a socket that somebody else owns (RFC 8446, RFC 5246).
///
/// Lives on one loop. What OpenSSL wants to send goes to the socket's outlet at once; what that does not take waits here, at most one
/// record and what belongs to a handshake, until `flush`.
///
/// OpenSSL's queue of errors is the thread's, and calls that succeed may leave something in it: it is emptied before each call
/// whose answer is read from it.
@safe package final class TLSSession {
    let session: OpaquePointer
    private let wire: TLSWire
    /// What reading the socket has failed with, as `errno`.
    var wireFailure: Int32? { wire.failure }
    /// The peer is a client.
    let isServing: Bool
    /// The peer has said that it sends no more.
    ///
    /// A stream that ends without that may have been cut by anybody.
    package private(set) var endedInOrder = false
    private var hasSentEnd = false
    /// The last look gave nothing, and there is more: it went through as much that holds no data as one look may.
    package var isMidway: Bool { wire.isSpent }
    /// The last look stopped at an answer that could not be kept; it goes on when nothing is unsent.
    package var hadToStop: Bool { wire.hadToStop }
    /// How many octets the last look took from the wire beyond the data that it gave.
    package var overhead: Int { wire.overhead }
    /// A part of a record has been taken, and the rest has not come: the peer is about to say something.
    package var holdsPart: Bool {
        unsafe wire.holdsPart || SSL_has_pending(session) == 1 || copenssl_is_within_record(session) != 0
    }

    /// A session with a client, on a socket of which `unread` has been read already.
    ///
    /// It shows `certificate`, whose key is `key`. Tickets of sessions of another `scope`, at most 32 octets, are not taken.
    ///
    /// - Throws: `.failed`.
    package init(
        serving context: TLSServerContext,
        showing certificate: Certificate,
        key: P256PrivateKey,
        scope: [UInt8],
        socket number: Int32,
        sending outlet: any TLSOutlet,
        unread: [UInt8]
    ) throws(TLSFailure) {
        guard let session = unsafe SSL_new(context.context) else { throw Self.outOfMeans() }
        unsafe self.session = session
        isServing = true
        wire = TLSWire(on: .socket(number, outlet), unread: unread)
        try unsafe wire.connect(session)
        guard unsafe SSL_use_certificate(session, certificate.handle.certificate) == 1,
            unsafe SSL_use_PrivateKey(session, key.handle.key) == 1,
            unsafe SSL_set_session_id_context(session, scope, UInt32(scope.count)) == 1
        else { throw Self.outOfMeans() }
        unsafe SSL_set_accept_state(session)
    }

    /// A session with the server `name`, whose certificate has to stand for that.
    ///
    /// It comes to no version before `oldest`, shows `identity` where the server asks for a certificate, and goes on with the
    /// session of `ticket` if the server does. It stands on the socket, or on the session `outer` that the socket has already.
    ///
    /// - Throws: `.failed`.
    package init(
        asking context: TLSClientContext,
        _ name: CertifiedName,
        oldest: OldestTLS,
        identity: TLSIdentity?,
        ticket: TLSTicket?,
        socket number: Int32,
        sending outlet: any TLSOutlet,
        inside outer: TLSSession? = nil
    ) throws(TLSFailure) {
        guard let session = unsafe SSL_new(context.context) else { throw Self.outOfMeans() }
        unsafe self.session = session
        isServing = false
        wire = TLSWire(on: outer.map(TLSFloor.session) ?? .socket(number, outlet), unread: [])
        try unsafe wire.connect(session)
        guard unsafe copenssl_set_oldest_of(session, oldest.number) == 1, unsafe Self.expect(name, session) else {
            throw Self.outOfMeans()
        }
        if let identity { try unsafe identity.show(in: session) }
        if let ticket, unsafe SSL_set_session(session, ticket.session) != 1 { ERR_clear_error() }
        unsafe SSL_set_connect_state(session)
    }

    deinit { unsafe SSL_free(session) }

    private static func outOfMeans() -> TLSFailure {
        ERR_clear_error()
        return .failed
    }

    private static func expect(_ name: CertifiedName, _ session: OpaquePointer) -> Bool {
        switch name {
        case .host(let host):
            // The subject is for people: only alternative names count (RFC 9525, section 6.3).
            let flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
            unsafe SSL_set_hostflags(session, UInt32(flags))
            return unsafe copenssl_set_server_name(session, host.text) == 1 && SSL_set1_host(session, host.text) == 1
        case .address(let address):
            // An address is not sent as a name (RFC 6066, section 3).
            return unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), address.description) == 1
        }
    }
}

/// What a step of a handshake came to.
package enum TLSProgress: Hashable, Sendable {
    case done
    /// The peer's next word is awaited.
    case waiting
    case failed(TLSFailure)
}

extension TLSSession {
    /// Goes on with the handshake.
    package func shakeHands() -> TLSProgress {
        emptyErrors()
        let result = unsafe SSL_do_handshake(session)
        if result == 1 {
            rest()
            return .done
        }
        let failure = unsafe failure(SSL_get_error(session, result))
        return failure.map(TLSProgress.failed) ?? .waiting
    }

    /// Where a client, or a server, has agreed to a session that it had before.
    package var isResumed: Bool { unsafe SSL_session_reused(session) == 1 }

    /// The version that was agreed on, as people write it: `1.3`.
    package var version: String {
        switch unsafe SSL_version(session) {
        case TLS1_3_VERSION: "1.3"
        case TLS1_2_VERSION: "1.2"
        default: "unknown"
        }
    }

    /// What this session can be gone on with later; `nil` where the server has given nothing for that.
    package func ticket() -> TLSTicket? {
        guard let found = unsafe SSL_get_session(session), unsafe SSL_SESSION_is_resumable(found) == 1 else {
            return nil
        }
        // A copy: OpenSSL spoils its own where the connection ends without close_notify, as most do (RFC 8446, section 6.1).
        return unsafe SSL_SESSION_dup(found).map { unsafe TLSTicket(adopting: $0) }
    }

    /// Gives the buffers back, some 34 KiB, where nothing is in them; they are taken again when they are needed.
    package func rest() {
        if Self.canRest { unsafe SSL_free_buffers(session) }
        wire.rest()
    }

    /// False with a libssl that frees buffers which are still read from (CVE-2024-4741).
    ///
    /// It keeps them then: 34 KiB for each session.
    package static let canRest = canRest(version: OpenSSL_version_num())

    /// Whether a libssl of this number, as `OpenSSL_version_num` gives it, frees only buffers that nobody reads from.
    package static func canRest(version: UInt) -> Bool { copenssl_can_free_buffers(version) != 0 }

    // MARK: Octets

    /// Something can be read from the socket again; `isEnding`: nobody will say so once more.
    package func becomesReadable(isEnding: Bool) { wire.becomesReadable(isEnding: isEnding) }

    /// True while octets wait that the socket has not taken.
    package var hasUnsent: Bool { wire.hasUnsent }

    /// False where nothing can be read until `becomesReadable` says otherwise: asking would only tell so.
    package var mayHaveMore: Bool { unsafe wire.mayHaveMore || SSL_has_pending(session) == 1 }

    /// Sends what is unsent, as much as the socket takes.
    package func flush() throws(TLSFailure) {
        wire.flush()
        if let code = wire.sendFailure ?? wire.failure { throw .socket(code) }
    }

    /// Reads into `place`: how many octets, 0 at the end of the stream; `nil` where there are none now.
    ///
    /// A peer may say ever so much that is no data, new keys for one (RFC 8446, section 4.6.3): see `isMidway`.
    package func receive(into place: inout MutableSpan<UInt8>) throws(TLSFailure) -> Int? {
        var count = 0
        emptyErrors()
        wire.beginLook()
        let result = unsafe place.withUnsafeMutableBytes { bytes in
            unsafe SSL_read_ex(session, bytes.baseAddress, bytes.count, &count)
        }
        wire.endLook(given: count)
        return result == 1 ? count : try end(of: result)
    }

    /// Whether an octet waits to be read: 1, or 0 at the end of the stream; `nil` where neither is so now.
    package func peek() throws(TLSFailure) -> Int? {
        var octet: UInt8 = 0
        var count = 0
        emptyErrors()
        wire.beginLook()
        let result = unsafe SSL_peek_ex(session, &octet, 1, &count)
        wire.endLook(given: count)
        return result == 1 ? count : try end(of: result)
    }

    private func end(of result: Int32) throws(TLSFailure) -> Int? {
        let code = unsafe SSL_get_error(session, result)
        if code == SSL_ERROR_ZERO_RETURN {
            endedInOrder = true
            return 0
        }
        // Cut off, by the peer or by anybody: who passes it on is to let it look so.
        if wire.hasEnded { return 0 }
        if let failure = failure(code) { throw failure }
        return nil
    }

    /// Sends octets: how many were taken; `nil` where the socket takes none now.
    package func send(_ octets: Span<UInt8>) throws(TLSFailure) -> Int? {
        var sent = 0
        while sent < octets.count {
            if wire.hasUnsent {
                try flush()
                guard !wire.hasUnsent else { break }
            }
            sent += try write(octets.extracting(sent...))
        }
        return sent == 0 && !octets.isEmpty ? nil : sent
    }

    private func write(_ octets: Span<UInt8>) throws(TLSFailure) -> Int {
        var count = 0
        emptyErrors()
        let result = unsafe octets.withUnsafeBytes { bytes in
            unsafe SSL_write_ex(session, bytes.baseAddress, bytes.count, &count)
        }
        if let code = wire.sendFailure ?? wire.failure { throw .socket(code) }
        if result == 1 { return count }
        throw failure(unsafe SSL_get_error(session, result)) ?? .protocolViolation
    }

    /// Ends the sending side of the socket behind what was sent, once: with close_notify (RFC 8446, section 6.1) only if
    /// `inOrder`.
    package func endSending(inOrder: Bool) {
        guard !hasSentEnd else { return }
        hasSentEnd = true
        emptyErrors()
        if inOrder, unsafe SSL_in_init(session) == 0 { unsafe SSL_shutdown(session) }
        emptyErrors()
        wire.end()
    }
}

/// Empties the thread's queue of errors.
///
/// It nearly always is empty: to look costs a tenth of what OpenSSL does to empty it.
func emptyErrors() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
}
