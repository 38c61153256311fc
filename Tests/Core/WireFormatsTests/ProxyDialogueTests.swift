import NetworkTypes
import TestSupport
import Testing
import WireFormats

@Suite("Asking a proxy for a connection")
struct ProxyDialogueTests {
    /// What a dialogue came to: all that was sent behind the opening, its end, and what was left for the tunnel.
    private struct Outcome: Equatable {
        var sent: [[UInt8]] = []
        var next = ProxyDialogueStep.Next.needMore
        var left: [UInt8] = []
        var violation: ProxyDialogueViolation?
    }

    /// Lends what the proxy says in pieces that end at `ends`, and then whole.
    private func converse(_ dialogue: ProxyDialogue, _ said: [UInt8], ends: [Int] = []) -> Outcome {
        var dialogue = dialogue
        var outcome = Outcome()
        var start = 0
        do throws(ProxyDialogueViolation) {
            for end in ends + [said.count] {
                reading: while true {
                    let step = try dialogue.read(said.span.extracting(start..<end))
                    start += step.consumed
                    outcome.next = step.next
                    switch step.next {
                    case .send(let octets): outcome.sent.append(octets)
                    case .needMore: break reading
                    case .open, .refused:
                        outcome.left = Array(said[start...])
                        return outcome
                    }
                }
            }
        } catch {
            outcome.violation = error
        }
        return outcome
    }

    /// The outcome of the whole, after it was found to be that of every way in which it can be cut.
    private func outcome(_ dialogue: ProxyDialogue, _ said: [UInt8]) -> Outcome {
        let whole = converse(dialogue, said)
        for ends in splits(said.count) {
            let cut = converse(dialogue, said, ends: ends)
            #expect(cut == whole, "cut at \(ends)")
        }
        return whole
    }

    private static func destination(_ text: String, port: UInt16 = 443) throws -> ProxyDestination {
        if let address = IPAddress(text) { return ProxyDestination(.address(address), port: port) }
        return ProxyDestination(.name(try HostName(text)), port: port)
    }

    private static let credentials = SOCKS5Credentials(user: Array("me".utf8), password: Array("word".utf8))

    @Test(
        "SOCKS 5 is asked by name and by address of either family",
        arguments: [
            ("api.example", "05010003 0b 6170692e6578616d706c65 01bb"),
            ("203.0.113.7", "05010001 cb007107 01bb"),
            ("2001:db8::7", "05010004 20010db8000000000000000000000007 01bb"),
        ]
    )
    func socks5(host: String, request: String) throws {
        let dialogue = ProxyDialogue.socks5(SOCKS5Asking(to: try Self.destination(host)))
        #expect(dialogue.opening == [5, 1, 0])
        let result = outcome(dialogue, octets("0500 050000 01 00000000 0000 474554"))
        #expect(result == Outcome(sent: [octets(request)], next: .open, left: Array("GET".utf8)))
    }

    @Test("SOCKS 5 with user and password, wanted by the server and not")
    func credentials() throws {
        let asking = SOCKS5Asking(to: try Self.destination("a.example"), credentials: Self.credentials)
        let dialogue = ProxyDialogue.socks5(asking)
        #expect(dialogue.opening == [5, 2, 0, 2])
        let request = octets("05010003 09 612e6578616d706c65 01bb")
        let wanted = outcome(dialogue, octets("0502 0100 0500000300 0000"))
        #expect(wanted == Outcome(sent: [octets("01 02 6d65 04 776f7264"), request], next: .open))
        let unwanted = outcome(dialogue, octets("0500 05000004 00000000000000000000000000000000 0000"))
        #expect(unwanted == Outcome(sent: [request], next: .open))
        #expect(outcome(dialogue, octets("0502 0101")).next == .refused(.credentials))
        #expect(!"\(asking) \(dialogue)".contains("119"), "the password does not print")
    }

    @Test(
        "credentials that RFC 1929 cannot say are none",
        arguments: [(0, 1, false), (1, 0, false), (1, 1, true), (255, 255, true), (256, 1, false), (1, 256, false)]
    )
    func credentialLengths(user: Int, password: Int, isSound: Bool) {
        let credentials = SOCKS5Credentials(
            user: [UInt8](repeating: 97, count: user),
            password: [UInt8](repeating: 97, count: password)
        )
        #expect((credentials != nil) == isSound)
    }

    @Test("every reply code is told apart, and is a refusal without the rest of the reply", arguments: 1...255)
    func replies(code: Int) throws {
        let dialogue = ProxyDialogue.socks5(SOCKS5Asking(to: try Self.destination("a.example")))
        let code = try #require(UInt8(exactly: code))
        let refusal = SOCKS5Reply(rawValue: code).map(ProxyRefusal.socks5) ?? .unassignedReply(code)
        #expect((code <= 8) == (SOCKS5Reply(rawValue: code) != nil))
        #expect(outcome(dialogue, [5, 0, 5, code]).next == .refused(refusal))
        #expect(outcome(dialogue, [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]).next == .refused(refusal))
    }

    @Test(
        "what a SOCKS 5 server must not say is refused by name",
        arguments: [
            ("0400", SOCKS5Violation.version), ("4854", .version), ("0502", .methodNotOffered),
            ("0501", .methodNotOffered), ("0500 0400", .version), ("0500 050001", .reservedOctet),
            ("0500 05000002", .addressType), ("0500 05000000", .addressType),
        ]
    )
    func violations(hex: String, violation: SOCKS5Violation) throws {
        let dialogue = ProxyDialogue.socks5(SOCKS5Asking(to: try Self.destination("a.example")))
        #expect(outcome(dialogue, octets(hex)).violation == .socks5(violation))
    }

    @Test("a status of user and password has the version of its own")
    func statusVersion() throws {
        let asking = SOCKS5Asking(to: try Self.destination("a.example"), credentials: Self.credentials)
        #expect(outcome(.socks5(asking), octets("0502 0500")).violation == .socks5(.credentialsVersion))
    }

    @Test("a server that takes no method refuses, one that stops short leaves us waiting")
    func ends() throws {
        let dialogue = ProxyDialogue.socks5(SOCKS5Asking(to: try Self.destination("a.example")))
        #expect(outcome(dialogue, [5, 0xff]).next == .refused(.authenticationMethod))
        let short = outcome(dialogue, octets("0500 05000003 ff"))
        #expect(short.next == .needMore)
        #expect(short.violation == nil)
        var longest = octets("0500 05000003 ff") + [UInt8](repeating: 97, count: 257)
        #expect(longest.count - 2 == dialogue.unreadLimit)
        #expect(outcome(dialogue, longest).next == .open)
        longest.removeLast()
        #expect(outcome(dialogue, longest).next == .needMore)
    }

    @Test(
        "CONNECT says whom it is for, twice",
        arguments: [
            ("api.example", "api.example:443"), ("203.0.113.7", "203.0.113.7:443"),
            ("2001:db8::7", "[2001:db8::7]:443"),
        ]
    )
    func connect(host: String, authority: String) throws {
        let asking = try #require(HTTPConnectAsking(to: try Self.destination(host)))
        #expect(
            String(decoding: asking.opening, as: UTF8.self)
                == "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\r\n"
        )
        #expect(try readRequest(asking.opening).get()?.form == .authority)
    }

    @Test("CONNECT carries the credentials that it is given, if they can stand in a field")
    func authorization() throws {
        let destination = try Self.destination("a.example")
        let asking = try #require(HTTPConnectAsking(to: destination, authorization: Array("Basic bWU6d29yZA==".utf8)))
        #expect(
            String(decoding: asking.opening, as: UTF8.self).hasSuffix(
                "\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n\r\n"
            )
        )
        #expect(!"\(asking) \(ProxyDialogue.httpConnect(asking))".contains("66, 97, 115"), "they do not print")
        for value in ["", " a", "a ", "a  b", "a\r\nX: y", "a\u{0}", "a\tb", "\u{e9}"] {
            #expect(HTTPConnectAsking(to: destination, authorization: Array(value.utf8)) == nil, "\(value)")
        }
    }

    @Test(
        "2xx opens, and what stands behind its head is the tunnel's",
        arguments: [
            "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nVia: x\r\n\r\n",
            "HTTP/1.1 204 x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ]
    )
    func opens(answer: String) throws {
        let asking = try #require(HTTPConnectAsking(to: try Self.destination("a.example")))
        let result = outcome(.httpConnect(asking), Array("\(answer)SSH-2.0".utf8))
        #expect(result == Outcome(next: .open, left: Array("SSH-2.0".utf8)))
    }

    @Test("any other status is a refusal that carries it", arguments: [300, 304, 400, 403, 407, 502, 503, 599])
    func refusals(status: Int) throws {
        let asking = try #require(HTTPConnectAsking(to: try Self.destination("a.example")))
        let result = outcome(.httpConnect(asking), Array("HTTP/1.1 \(status) x\r\nContent-Length: 1\r\n\r\nx".utf8))
        #expect(result.next == .refused(.status(status)))
    }

    @Test(
        "what could be read in two ways opens nothing",
        arguments: [
            ("HTTP/1.1 200 OK\n\n", HTTP1Violation.bareLineFeed),
            ("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", .unexpectedSwitch),
            ("HTTP/2 200 OK\r\n\r\n", .httpVersion), ("SSH-2.0\r\n", .statusLine),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                .contentLengthWithTransferEncoding
            ),
        ]
    )
    func broken(answer: String, violation: HTTP1Violation) throws {
        let asking = try #require(HTTPConnectAsking(to: try Self.destination("a.example")))
        #expect(outcome(.httpConnect(asking), Array(answer.utf8)).violation == .http(violation))
    }

    @Test("heads of 1xx, and the head, are read up to their limits")
    func limits() throws {
        let early = "HTTP/1.1 100 x\r\n\r\n"
        let answer = "HTTP/1.1 200 x\r\n\r\n"
        let destination = try Self.destination("a.example")
        var limits = HTTP1Limits()
        limits.headBytes = answer.utf8.count
        let asking = try #require(HTTPConnectAsking(to: destination, limits: limits, informational: 2))
        #expect(ProxyDialogue.httpConnect(asking).unreadLimit == answer.utf8.count)
        #expect(outcome(.httpConnect(asking), Array("\(early)\(early)\(answer)".utf8)).next == .open)
        let many = outcome(.httpConnect(asking), Array("\(early)\(early)\(early)\(answer)".utf8))
        #expect(many.violation == .informationalTooMany)
        limits.headBytes -= 1
        let short = try #require(HTTPConnectAsking(to: destination, limits: limits))
        #expect(outcome(.httpConnect(short), Array(answer.utf8)).violation == .http(.headTooLong))
    }
}
