import Foundation
import NetworkTypes
import Testing
import WireFormats

/// The first bytes of a real client, and what they say.
struct Vector: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    /// How many of the bytes belong to the ClientHello's records.
    var helloBytes: Int
    var hello: ClientHello

    var testDescription: String { name }
}

/// Every vector of the folder; one without expectations, or expectations without a file, stop the tests.
let vectors: [Vector] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    precondition(Set(files) == Set(expectations.map { $0.name + ".hex" }), "vectors and expectations differ: \(files)")
    return expectations.map { expectation in
        let text = try? String(contentsOf: folder.appending(path: expectation.name + ".hex"), encoding: .utf8)
        let bytes = octets(text ?? "")
        return Vector(
            name: expectation.name,
            bytes: bytes,
            helloBytes: expectation.helloBytes ?? bytes.count,
            hello: expectation.hello
        )
    }
}()

private struct Expectation {
    var name: String
    var hello: ClientHello
    var helloBytes: Int?

    init(
        _ name: String,
        _ serverName: String?,
        alpn: [String] = [],
        version: UInt16? = 0x0304,
        lowest: UInt16? = 0x0303,
        legacy: UInt16 = 0x0303,
        ech: Bool = false
    ) {
        self.name = name
        hello = ClientHello(
            legacyVersion: TLSVersion(rawValue: legacy),
            highestSupportedVersion: version.map(TLSVersion.init(rawValue:))
        )
        if let serverName {
            // A malformed name is set by the line of the table that expects it.
            hello.serverName = (try? HostName(serverName)).map(ServerName.name) ?? .absent
        }
        hello.lowestSupportedVersion = version == nil ? nil : lowest.map(TLSVersion.init(rawValue:))
        hello.protocolNames = alpn
        hello.offersEncryptedClientHello = ech
    }

    func with(_ change: (inout Expectation) -> Void) -> Expectation {
        var copy = self
        change(&copy)
        return copy
    }
}

private let expectations: [Expectation] = [
    Expectation("chrome_impersonated", "www.example.org", alpn: ["h2", "http/1.1"], ech: true),
    Expectation("curl_openssl3_alpn", "example.com", alpn: ["h2", "http/1.1"], lowest: 0x0301),
    Expectation("curl_openssl3_ip_literal", nil, alpn: ["h2", "http/1.1"], lowest: 0x0301),
    Expectation("firefox_impersonated", "www.example.org", alpn: ["h2", "http/1.1"], ech: true),
    Expectation("gnutls", "deb.debian.org", lowest: 0x0301),
    Expectation("go_no_sni", nil),
    Expectation("go_post_quantum", "proxy.golang.org", alpn: ["h2", "http/1.1"]),
    Expectation("java_17_http_client", "localhost", alpn: ["h2", "http/1.1"]),
    Expectation("node_20", "registry.npmjs.org", alpn: ["h2", "http/1.1"]),
    Expectation("openssl_early_data", "early.example.com", lowest: 0x0304).with {
        $0.hello.offersEarlyData = true
        $0.helloBytes = 350
    },
    Expectation(
        "openssl_fragmented",
        "frag.example.com",
        alpn: (0..<100).map { "p" + "00\($0)".suffix(3) },
        lowest: 0x0301
    ),
    Expectation("openssl_ip_sni", nil, lowest: 0x0301).with {
        $0.hello.serverName = .malformed(.addressLiteral, octets: 9)
    },
    Expectation("openssl_tls10", "old.example.com", version: nil, legacy: 0x0301),
    Expectation("openssl_tls12_no_sni", nil, version: nil),
    Expectation("openssl_tls13_sni", "api.example.com", alpn: ["h2", "http/1.1"], lowest: 0x0301),
    Expectation("openssl_trailing_dot", "example.com", lowest: 0x0301),
    Expectation("openssl_underscore", nil, lowest: 0x0301).with {
        $0.hello.serverName = .malformed(.notLDH, octets: 22)
    },
    Expectation("openssl_upper_case", "api.example.com", lowest: 0x0301),
    Expectation("python_ssl", "pypi.org"),
    Expectation("safari_impersonated", "www.example.org", alpn: ["h2", "http/1.1"]),
]
