/// A variable by which a runtime is told whom to trust.
package struct TrustVariable: Hashable, Sendable {
    package var name: String
    /// Who reads it.
    package var readers: String
    package var kind: Kind

    /// What it does to the roots that the runtime has of its own.
    package enum Kind: Hashable, Sendable {
        case adds
        case replaces
        case java
    }

    /// Every one that is known, in the order in which they are printed.
    package static let all = [
        TrustVariable("SSL_CERT_FILE", "OpenSSL, Go, Python's ssl and httpx, Ruby", .replaces),
        TrustVariable("REQUESTS_CA_BUNDLE", "Python requests", .replaces),
        TrustVariable("CURL_CA_BUNDLE", "curl", .replaces),
        TrustVariable("GIT_SSL_CAINFO", "git over https", .replaces),
        TrustVariable("NODE_EXTRA_CA_CERTS", "Node.js", .adds),
        TrustVariable("DENO_CERT", "Deno", .adds),
        TrustVariable("AWS_CA_BUNDLE", "AWS SDKs and CLI", .replaces),
        TrustVariable("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "gRPC", .replaces),
        TrustVariable("CARGO_HTTP_CAINFO", "cargo", .replaces),
        TrustVariable("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "gcloud", .replaces),
        TrustVariable("PIP_CERT", "pip", .replaces),
        TrustVariable("JAVA_TOOL_OPTIONS", "every Java VM", .java),
    ]

    private init(_ name: String, _ readers: String, _ kind: Kind) {
        self.name = name
        self.readers = readers
        self.kind = kind
    }

    /// The value, for the files of a bundle in this folder, as the agent sees it.
    package func value(folder: String) -> String {
        switch kind {
        case .adds: "\(folder)/\(TrustBundle.added)"
        case .replaces: "\(folder)/\(TrustBundle.whole)"
        case .java:
            ["=\(folder)/\(TrustBundle.java)", "Type=PKCS12", "Password=\(TrustBundle.javaPassword)"]
                .map { Self.javaWord("-Djavax.net.ssl.trustStore\($0)") }.joined(separator: " ")
        }
    }

    /// A Java VM cuts its options at blanks, unless they are in quotes.
    private static func javaWord(_ word: String) -> String { word.contains(" ") ? "\"\(word)\"" : word }
}
