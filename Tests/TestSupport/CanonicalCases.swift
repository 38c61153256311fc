/// One way to write a host, a path, a method or an address, and what it must be to everything that reads it.
///
/// The data path, the API and the text of policies go through the same table: none may read what another refuses, or read it
/// differently.
package struct CanonicalCase: Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case host
        case path
        case method
        case address
    }

    /// Of the list of threats.
    package let id: String
    package let kind: Kind
    package let text: String
    /// The one form; `nil` for what is refused by all.
    package let canonical: String?

    package init(_ id: String, _ kind: Kind, _ text: String, _ canonical: String?) {
        self.id = id
        self.kind = kind
        self.text = text
        self.canonical = canonical
    }

    package var description: String { "\(id) \(kind.rawValue) \(text.debugDescription)" }

    /// Those of one kind.
    package static func all(_ kind: Kind) -> [CanonicalCase] { all.filter { $0.kind == kind } }

    package static let all: [CanonicalCase] = hosts + paths + methods + addresses

    private static let hosts: [CanonicalCase] = [
        CanonicalCase("B03", .host, "api.example", "api.example"),
        CanonicalCase("B03", .host, "API.Example", "api.example"),
        CanonicalCase("B03", .host, "api.example.", "api.example"),
        CanonicalCase("B03", .host, "xn--bcher-kva.example", "xn--bcher-kva.example"),
        CanonicalCase("B03", .host, "XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        CanonicalCase("B03", .host, "b\u{fc}cher.example", nil),
        CanonicalCase("B03", .host, "\u{430}pi.example", nil),
        CanonicalCase("B03", .host, "api.example..", nil),
        CanonicalCase("B03", .host, "api..example", nil),
        CanonicalCase("B03", .host, ".api.example", nil),
        CanonicalCase("B03", .host, "attacker\u{0}.api.example", nil),
        CanonicalCase("B03", .host, "api.example\u{0}", nil),
        CanonicalCase("B03", .host, "api_x.example", nil),
        CanonicalCase("B03", .host, "-api.example", nil),
        CanonicalCase("B03", .host, "api%2eexample", nil),
        CanonicalCase("B03", .host, String(repeating: "a", count: 64) + ".example", nil),
        CanonicalCase("B03", .host, String(repeating: "abcdefg.", count: 32) + "example", nil),
        CanonicalCase("B07", .host, "user@api.example", nil),
        CanonicalCase("B07", .host, "api.example/x", nil),
        CanonicalCase("B07", .host, "api .example", nil),
        CanonicalCase("B07", .host, "api\u{9}.example", nil),
        CanonicalCase("B07", .host, "a.example,b.example", nil),
        CanonicalCase("B16", .host, "api.example\nevil.example", nil),
        CanonicalCase("B16", .host, "api.example\"", nil),
        CanonicalCase("B16", .host, "api.example' acl", nil),
        CanonicalCase("C02", .host, "2130706433", nil),
        CanonicalCase("C02", .host, "0x7f000001", nil),
        CanonicalCase("C02", .host, "0177.0.0.1", nil),
        CanonicalCase("C02", .host, "127.1", nil),
        CanonicalCase("C02", .host, "x.0x7f", nil),
    ]

    private static let paths: [CanonicalCase] = [
        CanonicalCase("B09", .path, "/v1/messages", "/v1/messages"),
        CanonicalCase("B09", .path, "/v1/%6dessages", "/v1/messages"),
        CanonicalCase("B09", .path, "/v1/%6Dessages", "/v1/messages"),
        CanonicalCase("B09", .path, "/caf%c3%a9", "/caf%C3%A9"),
        CanonicalCase("B09", .path, "/a;v=1/b", "/a;v=1/b"),
        CanonicalCase("B09", .path, "/A", "/A"),
        CanonicalCase("B09", .path, "/v1/%2e%2e/x", nil),
        CanonicalCase("B09", .path, "/v1/../x", nil),
        CanonicalCase("B09", .path, "/v1/..;/x", nil),
        CanonicalCase("B09", .path, "/v1%2Fx", nil),
        CanonicalCase("B09", .path, "/v1%252Fx", nil),
        CanonicalCase("B09", .path, "/v1%5Cx", nil),
        CanonicalCase("B09", .path, "/v1/%c0%ae", nil),
        CanonicalCase("B09", .path, "/v1/%zz", nil),
        CanonicalCase("B09", .path, "/v1/%00", nil),
        CanonicalCase("B09", .path, "/v1//x", nil),
    ]

    private static let methods: [CanonicalCase] = [
        CanonicalCase("B10", .method, "GET", "GET"),
        CanonicalCase("B10", .method, "PURGE", "PURGE"),
        CanonicalCase("B10", .method, "G T", nil),
        CanonicalCase("B10", .method, "GE\u{0}T", nil),
        CanonicalCase("B10", .method, "GET(", nil),
    ]

    private static let addresses: [CanonicalCase] = [
        CanonicalCase("C02", .address, "203.0.113.7", "203.0.113.7"),
        CanonicalCase("C02", .address, "[2001:DB8:0::7]", "2001:db8::7"),
        CanonicalCase("C02", .address, "203.0.113", nil),
        CanonicalCase("C02", .address, "0313.0.113.7", nil),
        CanonicalCase("C02", .address, "3405803783", nil),
        CanonicalCase("C02", .address, "[fe80::1%eth0]", nil),
        CanonicalCase("C03", .address, "[::ffff:203.0.113.7]", "::ffff:203.0.113.7"),
        CanonicalCase("C03", .address, "[64:ff9b::cb00:7107]", "64:ff9b::cb00:7107"),
        CanonicalCase("C03", .address, "[2002:cb00:7107::1]", "2002:cb00:7107::1"),
    ]
}
