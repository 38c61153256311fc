import NetworkTypes
import Testing
import WireFormats

@Suite("What a SOCKS 5 client asks")
struct SOCKS5AnsweringTests {
    private func outcome(_ said: [UInt8]) -> DialogueOutcome<SOCKS5AnsweringStep.Next, SOCKS5Violation> {
        SOCKS5Answering().outcome(of: said)
    }

    private func request(_ said: [UInt8]) throws -> SOCKS5Request {
        let result = outcome(said)
        guard case .request(let request) = result.end else {
            throw try #require(result.violation, "no request: \(result)")
        }
        return request
    }

    /// A request for what a client writes as a name.
    private func named(_ name: [UInt8], command: UInt8 = 1) -> [UInt8] {
        [5, 1, 0, 5, command, 0, 3, UInt8(name.count)] + name + [1, 0xbb]
    }

    @Test(
        "a client is let through without authentication where it offers that, else with whatever user it says",
        arguments: [
            ("05 01 00", ["0500"]), ("05 02 02 00", ["0500"]), ("05 03 01 80 00", ["0500"]),
            ("05 03 00 00 00", ["0500"]),
            ("05 01 02 01 02 6d65 04 776f7264", ["0502", "0100"]), ("05 02 01 02 01 00 00", ["0502", "0100"]),
        ]
    )
    func methods(hex: String, answers: [String]) throws {
        let result = outcome(octets(hex) + octets("05 01 00 01 cb007107 01bb 474554"))
        #expect(result.sent == answers.map { octets($0) })
        #expect(result.left == Array("GET".utf8), "what stands behind the request is the tunnel's")
        guard case .request(let request) = result.end else { return #expect(Bool(false), "\(result)") }
        #expect(request.command == .connect)
        #expect(request.host == .address(.v4(IPv4Address(203, 0, 113, 7))))
        #expect(request.port == 443)
    }

    @Test("who offers nothing that is taken is told so", arguments: ["05 01 01", "05 02 01 80", "05 01 03"])
    func noMethod(hex: String) {
        #expect(outcome(octets(hex)).end == .noMethod)
        #expect(SOCKS5Reply.noMethod == [5, 0xff])
    }

    @Test(
        "what is no SOCKS 5 is refused by name",
        arguments: [
            ("04 01", SOCKS5Violation.version), ("47455420", .version), ("05 00", .methods), ("05 01 ff", .methods),
            ("05 02 00 ff", .methods), ("05 01 00 04", .version), ("05 01 00 05 01 01", .reservedOctet),
            ("05 01 00 05 01 00 00", .addressType), ("05 01 00 05 01 00 02", .addressType),
            ("05 01 00 05 01 00 05", .addressType), ("05 01 02 05", .credentialsVersion),
            ("05 01 00 47455420 2f20", .version),
        ]
    )
    func violations(hex: String, violation: SOCKS5Violation) {
        #expect(outcome(octets(hex)).violation == violation)
    }

    @Test("commands are told apart, unknown ones too", arguments: [0, 1, 2, 3, 4, 0xf0, 0xff])
    func commands(code: UInt8) throws {
        let found = try request(named(Array("a.example".utf8), command: code))
        #expect(found.commandCode == code)
        #expect((found.command != nil) == (1...3).contains(code))
    }

    @Test(
        "B03: a name is a host name in its one form, or it is malformed",
        arguments: [
            ("A.Example", "a.example"), ("a.example.", "a.example"), ("xn--bcher-kva.example", nil),
            (String(repeating: "a", count: 63) + ".example", nil),
        ]
    )
    func names(said: String, name: String?) throws {
        #expect(try request(named(Array(said.utf8))).host == .name(try HostName(name ?? said)))
    }

    @Test(
        "B03: what is no host name is told by its fault, and not repaired",
        arguments: [
            ("", HostName.Malformed.empty), (".", .empty), ("a..example", .badLabel), (".a.example", .badLabel),
            ("a.example..", .badLabel), ("-a.example", .badLabel), ("a\u{0}.example", .controlOctet),
            ("a.example\u{0}", .controlOctet), ("a\r\n.example", .controlOctet), ("a_b.example", .notLDH),
            ("b\u{fc}cher.example", .notLDH), ("a b.example", .notLDH), ("user@a.example", .notLDH),
            ("a.example:443", .addressLiteral), ("*.example", .notLDH), ("a%2eexample", .notLDH),
            (String(repeating: "a", count: 64) + ".example", .badLabel), ("127.1", .addressLiteral),
            ("0x7f.0.0.1", .addressLiteral), ("0177.0.0.1", .addressLiteral), ("2130706433", .addressLiteral),
            ("127.0.0.1.", .addressLiteral), ("1.2.3.4.5", .addressLiteral), ("[::1]", .addressLiteral),
            ("fe80::1%eth0", .addressLiteral), ("127.0.0.01", .addressLiteral), ("256.0.0.1", .addressLiteral),
        ]
    )
    func malformedNames(said: String, fault: HostName.Malformed) throws {
        #expect(try request(named(Array(said.utf8))).host == .malformed(fault))
    }

    @Test("B03: octets that are no text are no host name, wherever they stand", arguments: [0x80, 0xc3, 0xff])
    func noText(octet: UInt8) throws {
        #expect(try request(named([97, octet, 46, 97])).host == .malformed(.notLDH))
    }

    @Test(
        "the one usual text of an address is that address, since some clients send nothing but names",
        arguments: ["127.0.0.1", "203.0.113.7", "::1", "2001:db8::7", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
    )
    func addressTexts(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(try request(named(Array(text.utf8))).host == .address(address))
        let type: UInt8 = address.family == .ipv4 ? 1 : 4
        let said = [5, 1, 0, 5, 1, 0, type] + address.octets + [0, 80]
        #expect(try request(said).host == .address(address))
        #expect(try request(said).port == 80)
    }

    @Test("the longest of everything is read, and no more of it is held than is said")
    func longest() throws {
        let text = [UInt8](repeating: 97, count: 255)
        let greeting = [5, 255] + [UInt8](repeating: 2, count: 255)
        let credentials = [1, 255] + text + [255] + text
        #expect(credentials.count == SOCKS5Answering.unreadLimit)
        let result = outcome(greeting + credentials + named(text)[3...])
        #expect(result.sent == [[5, 2], [1, 0]])
        guard case .request(let request) = result.end else { return #expect(Bool(false), "\(result)") }
        #expect(request.host == .malformed(.tooLong))
        let name253 = (String(repeating: "a", count: 61) + ".").utf8.map { $0 }
        let most = name253 + name253 + name253 + name253 + [97, 97, 97, 97, 97]
        #expect(most.count == 253)
        guard case .name = try self.request(named(most)).host else { return #expect(Bool(false)) }
        #expect(try self.request(named(most + [97])).host == .malformed(.tooLong))
    }

    @Test(
        "what our own client's side asks, our server's side reads",
        arguments: ["a.example", "203.0.113.7", "2001:db8::7"]
    )
    func bothSides(host: String) throws {
        let asked: ProxyDestination.Host =
            if let address = IPAddress(host) { .address(address) } else { .name(try HostName(host)) }
        let credentials = SOCKS5Credentials(user: [97], password: [98])
        for credentials in [nil, credentials] {
            var asking = SOCKS5Asking(to: ProxyDestination(asked, port: 8443), credentials: credentials)
            var answering = SOCKS5Answering()
            var said = asking.opening
            while true {
                let step = try answering.read(said.span)
                #expect(step.consumed == said.count)
                if case .request(let request) = step.next {
                    #expect(request.command == .connect && request.port == 8443)
                    switch (request.host, asked) {
                    case (.name(let found), .name(let name)): #expect(found == name)
                    case (.address(let found), .address(let address)): #expect(found == address)
                    case (.name, _), (.address, _), (.malformed, _): #expect(Bool(false), "\(request)")
                    }
                    break
                }
                guard case .send(let answer) = step.next, case .send(let next) = try asking.read(answer.span).next
                else { return #expect(Bool(false), "\(step)") }
                said = next
            }
            for reply in SOCKS5Reply.allCases {
                var asking = asking
                let end = try asking.read(reply.octets.span)
                #expect(end.next == (reply == .succeeded ? .open : .refused(.socks5(reply))))
                if reply == .succeeded { #expect(end.consumed == reply.octets.count) }
            }
        }
    }

    @Test("the words for the record are each their own, and can stand there")
    func words() {
        let replies = SOCKS5Reply.allCases.map(\.text)
        let commands = SOCKS5Command.allCases.map(\.text)
        let violations = SOCKS5Violation.allCases.map(\.rawValue)
        let all = replies + commands + violations
        #expect(Set(all).count == all.count)
        let strange = all.filter { $0.contains { !$0.isLowercase && $0 != "_" && $0 != "5" } }
        #expect(strange.isEmpty)
    }
}
