import WireFormats

/// How much of a message is read before it is refused.
package struct MCPLimits: Hashable, Sendable {
    package var json: JSONLimits
    /// The most messages in one body.
    package var calls: Int
    /// The most bytes of an identifier, as it stands in the text.
    package var idBytes: Int
    /// The most bytes of the name of a method or a tool, and of a header that repeats one.
    package var nameBytes: Int

    package init(
        json: JSONLimits = JSONLimits(bytes: 4 << 20, depth: 64, values: 1 << 16),
        calls: Int = 64,
        idBytes: Int = 256,
        nameBytes: Int = 256
    ) {
        self.json = json
        self.calls = calls
        self.idBytes = idBytes
        self.nameBytes = nameBytes
    }
}
