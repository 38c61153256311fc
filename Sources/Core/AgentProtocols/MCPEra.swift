/// A revision of the Model Context Protocol, by the name that its messages say.
///
/// The last one is stateless: no handshake, no session, one message in each request, and headers that repeat what the body
/// says. Of the others, only 2025-03-26 has several messages in one body.
package enum MCPEra: String, Hashable, Sendable, CaseIterable {
    /// Streams of server-sent events, and an endpoint that the stream names.
    case events = "2024-11-05"
    case batches = "2025-03-26"
    /// From here on `MCP-Protocol-Version` is on every request behind the handshake.
    case versionHeader = "2025-06-18"
    case tasks = "2025-11-25"
    case stateless = "2026-07-28"
    /// Nothing in the message says; the specification has it taken for 2025-03-26.
    case undeclared

    /// The revision that a version names; `nil` for one that is not known here.
    init?(version: String) {
        guard let era = MCPEra(rawValue: version), era != .undeclared else { return nil }
        self = era
    }

    /// True where one body may hold several messages.
    var allowsBatches: Bool {
        switch self {
        case .batches, .undeclared: true
        case .events, .versionHeader, .tasks, .stateless: false
        }
    }
}
