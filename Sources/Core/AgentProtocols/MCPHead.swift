import WireFormats

/// What the head of a request says that matters to MCP; each header with all its occurrences.
package struct MCPHead: Hashable, Sendable {
    /// True where the method of the HTTP request is POST.
    package var isPost: Bool
    package var contentTypes: [[UInt8]]
    /// The values of `MCP-Protocol-Version`.
    package var versions: [[UInt8]]
    /// The values of `Mcp-Method`.
    package var methods: [[UInt8]]
    /// The values of `Mcp-Name`.
    package var names: [[UInt8]]
    /// The values of `Mcp-Session-Id`.
    package var sessions: [[UInt8]]

    package init(
        isPost: Bool = true,
        contentTypes: [[UInt8]] = [],
        versions: [[UInt8]] = [],
        methods: [[UInt8]] = [],
        names: [[UInt8]] = [],
        sessions: [[UInt8]] = []
    ) {
        self.isPost = isPost
        self.contentTypes = contentTypes
        self.versions = versions
        self.methods = methods
        self.names = names
        self.sessions = sessions
    }

    /// Takes what is forwarded of a request's head.
    package init(_ request: HTTP1Request) {
        let values = { (name: String) in request.fields.values(of: name).map { Array($0) } }
        self.init(
            isPost: request.method == "POST",
            contentTypes: values("content-type"),
            versions: values("mcp-protocol-version"),
            methods: values("mcp-method"),
            names: values("mcp-name"),
            sessions: values("mcp-session-id")
        )
    }

    /// True where a message must stand in the body: whoever reads the headers alone takes it for one.
    var claimsMessage: Bool {
        isPost && !(versions.isEmpty && methods.isEmpty && names.isEmpty && sessions.isEmpty)
    }

    /// True where any content type speaks of JSON.
    var claimsJSON: Bool {
        contentTypes.contains { type in
            String(decoding: type, as: UTF8.self).lowercased().contains("json")
        }
    }

    /// True where no content type names another encoding than UTF-8, or one that reads the characters of JSON as UTF-8 does.
    ///
    /// A parameter that is not spelled plainly (RFC 9110, section 8.3.2) could name any.
    var isInUTF8: Bool { contentTypes.allSatisfy { everyCharset(of: $0, isPlainEncoding) } }
}

/// What `charset` may say: UTF-8, and what has one octet a character, those of ASCII where ASCII has them.
private func isPlainEncoding(_ name: String) -> Bool {
    ["utf-8", "utf8", "us-ascii", "ascii", "latin1"].contains(name) || name.hasPrefix("iso-8859-")
        || name.hasPrefix("windows-125")
}
