import NetworkTypes
import OpenSSLBindings
import Testing

@Suite("A TLS session over a socket")
struct TLSSessionTests {
    let authority: TestAuthority
    let serving: TLSServerContext

    init() throws {
        authority = try TestAuthority()
        serving = try TLSServerContext()
    }

    @Test("both sides agree, and what one sends the other receives")
    func exchanges() throws {
        let pair = try TLSPair(authority, serving: serving)
        let progress = pair.shakeHands()
        #expect(progress.client == .done)
        #expect(progress.server == .done)
        #expect(pair.client.version == "1.3")
        #expect(try pair.client.send(Array("ping".utf8)) == 4)
        #expect(try pair.server.receive() == Array("ping".utf8))
        #expect(try pair.server.send(Array("pong".utf8)) == 4)
        #expect(try pair.client.receive() == Array("pong".utf8))
        #expect(try pair.client.receive() == nil)
    }

    @Test("what the socket does not take is kept, in order, and no more is taken before it is gone")
    func backPressure() throws {
        let pair = try TLSPair(authority, serving: serving)
        _ = pair.shakeHands()
        let octets = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var sent = try pair.client.send(octets)
        #expect(sent < octets.count)
        #expect(pair.client.hasUnsent)
        #expect(try pair.client.send([1]) == 0)
        var received: [UInt8] = []
        while received.count < octets.count {
            let before = received.count
            while let piece = try pair.server.receive() { received += piece }
            try #require(received.count > before)
            try pair.client.flush()
            if sent < octets.count { sent += try pair.client.send(Array(octets[sent...])) }
        }
        #expect(sent == octets.count)
        #expect(received == octets)
        #expect(!pair.client.hasUnsent)
    }

    @Test("B20: a session that has taken a part of a record says so until the rest has come")
    func parts() throws {
        let pair = try TLSPair(authority, serving: serving)
        #expect(pair.shakeHands() == (.done, .done))
        #expect(try pair.server.receive() == nil)
        #expect(!pair.server.holdsPart)
        for cut in [1, 4, 5, 6, 20] {
            #expect(try pair.client.send([1, 2, 3]) == 3)
            let record = pair.takeFromWire()
            pair.putOnWire(record.prefix(cut))
            #expect(try pair.server.receive() == nil)
            #expect(pair.server.holdsPart, "\(cut)")
            pair.putOnWire(record.dropFirst(cut))
            #expect(try pair.server.receive() == [1, 2, 3])
            #expect(!pair.server.holdsPart, "\(cut)")
        }
    }

    @Test("what a peer said before it went can be read, also by who has met its absence first")
    func lastWords() throws {
        let pair = try TLSPair(authority, serving: serving)
        #expect(pair.shakeHands() == (.done, .done))
        _ = try pair.client.receive()
        #expect(try pair.server.send([4, 1, 3]) == 3)
        pair.closeServer()
        #expect(throws: TLSFailure.self) { try pair.client.send([1]) }
        #expect(!pair.client.hasUnsent)
        #expect(try pair.client.receive() == [4, 1, 3])
        #expect(try pair.client.receive() == [])
    }

    @Test("an end that is said is told from one that only happens")
    func endings() throws {
        let said = try TLSPair(authority, serving: serving)
        _ = said.shakeHands()
        said.client.endSending(inOrder: true)
        #expect(try said.server.receive() == [])
        #expect(said.server.endedInOrder)
        let cut = try TLSPair(authority, serving: serving)
        _ = cut.shakeHands()
        cut.cutClient()
        #expect(try cut.server.receive() == [])
        #expect(!cut.server.endedInOrder)
    }

    @Test(
        "G09: a server that is not whom it should be is named for what is wrong, and told so",
        arguments: [
            ("other.example", Int64(3600), true, CertificateFault.wrongHost),
            ("api.example", -60, true, .expired),
            ("api.example", 3600, false, .unknownIssuer),
        ]
    )
    func untrusted(certified: String, life: Int64, isKnown: Bool, fault: CertificateFault) throws {
        let stranger = try TestAuthority()
        let pair = try TLSPair(
            authority,
            certifiedFor: certified,
            notAfter: TestAuthority.now + life,
            trusting: isKnown ? nil : [stranger.root],
            serving: serving
        )
        let progress = pair.shakeHands()
        #expect(progress.client == .failed(.untrusted(fault)))
        guard case .failed(.alert) = progress.server else {
            Issue.record("the server was not told: \(progress.server)")
            return
        }
    }

    @Test("G16: a client that goes away with our certificate in its hands is told from one that never had it")
    func closedBehindCertificate() throws {
        let pair = try TLSPair(authority, serving: serving)
        #expect(pair.client.shakeHands() == .waiting)
        pair.server.becomesReadable(isEnding: false)
        #expect(pair.server.shakeHands() == .waiting)
        pair.cutClient()
        pair.server.becomesReadable(isEnding: true)
        #expect(pair.server.shakeHands() == .failed(.closed(behindCertificate: true)))
        let early = try TLSPair(authority, serving: serving)
        early.cutClient()
        early.server.becomesReadable(isEnding: true)
        #expect(early.server.shakeHands() == .failed(.closed(behindCertificate: false)))
    }

    @Test("the key of another certificate is told from a text without a key")
    func foreignKey() throws {
        let key = try P256PrivateKey()
        let leaf = try authority.leaf("partner.example", notAfter: TestAuthority.now + 60, key: key)
        _ = try TLSIdentity(chain: [leaf], key: key.pem())
        let other = try P256PrivateKey().pem()
        #expect(throws: CertificateError.otherKey) { try TLSIdentity(chain: [leaf], key: other) }
        #expect(throws: CertificateError.noKey) { try TLSIdentity(chain: [leaf], key: Array("none".utf8)) }
        #expect("\(CertificateError.otherKey)" == "the key is not the certificate's")
    }

    @Test("B20: a ticket goes on with its session, and with no session of another scope")
    func resumption() throws {
        let first = try TLSPair(authority, serving: serving)
        _ = first.shakeHands()
        _ = try first.server.send([1])
        #expect(try first.client.receive() == [1])
        let ticket = try #require(first.client.ticket())
        let again = try TLSPair(authority, serving: serving, ticket: ticket)
        #expect(again.shakeHands().client == .done)
        #expect(again.client.isResumed)
        #expect(again.server.isResumed)
        let other = try TLSPair(authority, serving: serving, scope: [2], ticket: ticket)
        #expect(other.shakeHands().client == .done)
        #expect(!other.client.isResumed)
    }

    @Test("a ticket outlives its session, however that ends", arguments: [false, true])
    func ticketsLast(isCut: Bool) throws {
        let ticket = try firstTicket(isCut: isCut)
        let again = try TLSPair(authority, serving: serving, ticket: ticket)
        #expect(again.shakeHands().client == .done)
        #expect(again.client.isResumed && again.server.isResumed)
    }

    private func firstTicket(isCut: Bool) throws -> TLSTicket {
        let pair = try TLSPair(authority, serving: serving)
        _ = pair.shakeHands()
        _ = try pair.server.send([1])
        #expect(try pair.client.receive() == [1])
        let ticket = try #require(pair.client.ticket())
        if isCut {
            pair.closeServer()
            #expect(try pair.client.receive() == [])
        }
        return ticket
    }

    @Test(
        "buffers are given back only by a libssl that frees none which is still read from",
        arguments: [
            (0x3000_00d0 as UInt, false), (0x3000_00e0, true), (0x3000_0160, true), (0x3010_0050, false),
            (0x3010_0060, true), (0x3020_0010, false), (0x3020_0020, true), (0x3030_0000, false),
            (0x3030_0010, true), (0x3040_0000, true), (0x1010_115f, false), (0x4000_0000, true),
        ]
    )
    func resting(version: UInt, mayRest: Bool) {
        #expect(TLSSession.canRest(version: version) == mayRest)
    }
}
