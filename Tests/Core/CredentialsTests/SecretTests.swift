import Credentials
import PolicyEngine
import Testing
import WireFormats

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite("Secrets and where they go")
struct SecretTests {
    @Test("a file holds one line of printable ASCII; the line end is not part of it")
    func reading() throws {
        #expect(try Secret(fileContent: octets("sk-12345\n")).octets == octets("sk-12345"))
        #expect(try Secret(fileContent: octets("sk-12345\r\n")).octets == octets("sk-12345"))
        #expect(try Secret(fileContent: octets("pass word")).octets == octets("pass word"))
        let longest = [UInt8](repeating: UInt8(ascii: "a"), count: 8192)
        #expect(try Secret(fileContent: longest + [UInt8(ascii: "\n")]).octets.count == 8192)
    }

    @Test(
        "what is no secret is refused, and the fault says nothing of it",
        arguments: [
            ("", .tooShort), ("sk-1234\n", .tooShort), ("sk-12345\n\n", .controlOctet),
            ("one-line\ntwo", .controlOctet),
            ("sk-1234\u{7f}5", .controlOctet), ("sk-1234é5", .notASCII), (" sk-12345", .spaceAround),
            ("sk-12345 \n", .spaceAround),
            (String(repeating: "a", count: 8193), .tooLong),
        ] as [(String, SecretFault)]
    )
    func refusing(content: String, fault: SecretFault) {
        #expect(throws: fault) { try Secret(fileContent: octets(content)) }
    }

    @Test("G13: a secret, and whatever holds it, never prints")
    func printing() throws {
        let text = "sk-live-0123456789"
        let secret = try Secret(fileContent: octets(text))
        let name = try #require(SecretName("openai"))
        let vault = CredentialVault([name: secret], placeholders: [])
        let revision = try revision(of: "Authorization: Bearer PENSTOCK-OPENAI", vault)
        let forwarding = HTTP1RequestForwarding(revision: revision.fields)
        for holder in [secret, vault, revision, revision.fields, forwarding, [name: secret], [secret]] as [Any] {
            var dumped = ""
            dump(holder, to: &dumped)
            for shown in ["\(holder)", String(reflecting: holder), dumped] {
                #expect(!shown.contains("0123456789"), "\(shown)")
                #expect(!shown.contains("115, 107, 45"), "\(shown)")
            }
        }
    }

    static let replaced: [(String, String)] = [
        ("Authorization: PENSTOCK-OPENAI", "Authorization: sk-live-0123456789"),
        ("authorization: Bearer PENSTOCK-OPENAI", "Authorization: Bearer sk-live-0123456789"),
        ("Authorization: token  PENSTOCK-OPENAI", "Authorization: token  sk-live-0123456789"),
        // agent:PENSTOCK-OPENAI, and agent:sk-live-0123456789.
        ("Authorization: Basic YWdlbnQ6UEVOU1RPQ0stT1BFTkFJ", "Authorization: Basic YWdlbnQ6c2stbGl2ZS0wMTIzNDU2Nzg5"),
        // PENSTOCK-OPENAI:x, and sk-live-0123456789:x.
        ("Authorization: basic UEVOU1RPQ0stT1BFTkFJOng=", "Authorization: basic c2stbGl2ZS0wMTIzNDU2Nzg5Ong="),
    ]

    @Test("F04: a placeholder is replaced where a credential stands in its header", arguments: replaced)
    func replacing(sent: String, written: String) throws {
        let vault = try vault()
        let revision = try revision(of: sent, vault)
        #expect(revision.secrets.map(\.text) == ["openai"])
        #expect(try lines(sent, revision).contains(written))
        let asked = try request(sent)
        #expect(!HeadRevision.misplacesPlaceholder(asked, revision, vault))
    }

    @Test(
        "F04: anywhere else a placeholder goes up as it is, and is noted",
        arguments: [
            "Authorization: Bearer PENSTOCK-OPENAI-2", "Authorization: Bearer xPENSTOCK-OPENAI",
            "X-Api-Key: PENSTOCK-OPENAI",
            "Authorization: Bearer PENSTOCK-OPENAI, Bearer x", "Referer: https://a.example/PENSTOCK-OPENAI",
            "Authorization: Bearer PENSTOCK-OPENAI\r\nAuthorization: Bearer PENSTOCK-OPENAI",
            "Authorization: Bearer PENSTOCK-OPENAI\r\nauthorization: x", "Authorization: BearerPENSTOCK-OPENAI",
            "Authorization: Bearer\tPENSTOCK-OPENAI",
        ]
    )
    func misplaced(sent: String) throws {
        let vault = try vault()
        let revision = try revision(of: sent, vault)
        #expect(revision.secrets.isEmpty)
        let head = try lines(sent, revision).joined(separator: "\r\n")
        #expect(head.contains("PENSTOCK-OPENAI") && !head.contains("0123456789"))
        #expect(HeadRevision.misplacesPlaceholder(try request(sent), revision, vault))
    }

    @Test("F04: a placeholder in the target stays and is noted, though another was replaced")
    func inTarget() throws {
        let vault = try vault()
        let sent = "Authorization: Bearer PENSTOCK-OPENAI"
        let asked = try request(sent, target: "/v1?key=PENSTOCK-OPENAI")
        let revision = HeadRevision(try changes(), of: asked, vault)
        #expect(revision.secrets.count == 1)
        #expect(HeadRevision.misplacesPlaceholder(asked, revision, vault))
        #expect(HeadRevision.misplacesPlaceholder(asked, nil, vault))
    }

    @Test("F04: a misplaced placeholder is noted however it is spelled")
    func spelled() throws {
        for target in ["/v1?key=%50ENSTOCK-OPENAI", "/PENSTOCK%2dOPENAI", "/v1"] {
            let asked = try request("Accept: */*", target: target)
            #expect(HeadRevision.misplacesPlaceholder(asked, nil, try vault()) == (target != "/v1"), "\(target)")
        }
    }

    @Test("F04, B17: where no credential is allowed, nothing is replaced, and the answer is not touched")
    func withoutCredentials() throws {
        let vault = try vault()
        let sent = try request("Authorization: Bearer PENSTOCK-OPENAI\r\nAccept-Encoding: gzip")
        let revision = HeadRevision(HeadChanges(), of: sent, vault)
        #expect(revision.secrets.isEmpty)
        #expect(revision.needles == nil)
        #expect(try lines(sent, revision).contains("Authorization: Bearer PENSTOCK-OPENAI"))
        #expect(try lines(sent, revision).contains("Accept-Encoding: gzip"))
    }

    @Test("F04: the answer is asked for whole and uncoded, that of a WebSocket too, whether or not a placeholder came")
    func plainAnswer() throws {
        let sent = """
            Accept-Encoding: gzip, br\r\nRange: bytes=0-3\r\nIf-Range: "a"\r\nUpgrade: websocket\r\nConnection: Upgrade\r
            Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Key: x
            """
        let revision = try revision(of: sent, try vault())
        #expect(revision.needles != nil)
        let request = try request(sent)
        var octets: [UInt8] = []
        request.append(to: &octets, forwarding: HTTP1RequestForwarding(upgrades: true, revision: revision.fields))
        let head = String(decoding: octets, as: UTF8.self)
        let expected = """
            GET /v1 HTTP/1.1\r\nHost: api.example.com\r\nSec-WebSocket-Key: x\r\nAccept-Encoding: identity\r\nUpgrade: websocket\r
            Connection: upgrade\r\n\r\n
            """
        #expect(head == expected)
    }

    @Test("headers are set in the place of all of their name, and removed")
    func headers() throws {
        let sent = try request("X-Team: a\r\nCookie: a=1\r\nx-team: b\r\nAccept: */*")
        let changes = HeadChanges(
            headers: HeaderChanges(
                set: [HeaderSetting(name: try name("X-Team"), value: "research")],
                remove: [try name("cookie")]
            )
        )
        let revision = HeadRevision(changes, of: sent, .empty)
        #expect(
            try lines(sent, revision) == [
                "GET /v1 HTTP/1.1", "Host: api.example.com", "Accept: */*", "X-Team: research",
            ]
        )
    }

    // MARK: Makers

    private func vault() throws -> CredentialVault {
        CredentialVault(
            [try #require(SecretName("openai")): try Secret(fileContent: octets("sk-live-0123456789"))],
            placeholders: [try #require(Placeholder("PENSTOCK-OPENAI"))]
        )
    }

    private func changes() throws -> HeadChanges {
        HeadChanges(credentials: [
            Credential(
                placeholder: try #require(Placeholder("PENSTOCK-OPENAI")),
                secret: try #require(SecretName("openai")),
                header: try name("Authorization")
            )
        ])
    }

    private func name(_ text: String) throws -> HeaderName { try #require(HeaderName(text)) }

    private func request(_ fields: String, target: String = "/v1") throws -> HTTP1Request {
        var reader = HTTP1RequestReader()
        let head = octets("GET \(target) HTTP/1.1\r\nHost: api.example.com\r\n\(fields)\r\n\r\n")
        return try #require(try reader.read(head.span))
    }

    private func revision(of fields: String, _ vault: CredentialVault) throws -> HeadRevision {
        HeadRevision(try changes(), of: try request(fields), vault)
    }

    private func lines(_ fields: String, _ revision: HeadRevision) throws -> [String] {
        try lines(try request(fields), revision)
    }

    /// The lines of the head as it is sent.
    private func lines(_ request: HTTP1Request, _ revision: HeadRevision) throws -> [String] {
        var head: [UInt8] = []
        request.append(to: &head, forwarding: HTTP1RequestForwarding(revision: revision.fields))
        return String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n").filter { !$0.isEmpty }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
