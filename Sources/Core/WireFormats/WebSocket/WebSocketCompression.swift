/// What was agreed on for permessage-deflate (RFC 7692, section 7.1).
package struct WebSocketCompression: Hashable, Sendable {
    /// How one side compresses.
    package struct Side: Hashable, Sendable {
        /// Its window lasts from one message to the next.
        package var keepsContext = true
        /// The size of its window as a power of two, 8 to 15.
        package var windowBits = 15

        package init() {}
    }

    package var client = Side()
    package var server = Side()

    package init() {}

    /// Which extensions there are.
    package enum Violation: Error, Hashable, Sendable {
        /// Another extension, more than one, one that was not offered, or parameters that it does not have.
        case unknownExtension
    }

    /// What the answer to a handshake agrees on; `nil` where that is no extension.
    package static func agreed(
        offer: HTTP1FieldSection,
        answer: HTTP1FieldSection
    ) throws(Violation) -> WebSocketCompression? {
        let agreed = members(of: answer)
        guard let member = agreed.first else { return nil }
        guard agreed.count == 1, members(of: offer).contains(where: { name(of: $0) == Self.name }) else {
            throw .unknownExtension
        }
        return try WebSocketCompression(member)
    }

    private static let name = Array("permessage-deflate".utf8)

    private static func members(of fields: HTTP1FieldSection) -> [[UInt8]] {
        fields.values(of: "sec-websocket-extensions").flatMap { value in
            value.split(separator: UInt8(ascii: ",")).map(unspaced).filter { !$0.isEmpty }
        }
    }

    private static func name(of member: [UInt8]) -> [UInt8] {
        unspaced(member[...].prefix { $0 != UInt8(ascii: ";") })
    }

    private static func unspaced(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        let copy = Array(octets)
        return Array(copy[trimmed(0..<copy.count, in: copy.span)])
    }

    private init(_ member: [UInt8]) throws(Violation) {
        let parts = member.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(Self.unspaced)
        guard parts[0] == Self.name else { throw .unknownExtension }
        var seen: Set<[UInt8]> = []
        for part in parts.dropFirst() {
            let pieces = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let key = Self.unspaced(pieces[0])
            guard seen.insert(key).inserted else { throw .unknownExtension }
            try take(text(of: key.span), pieces.count > 1 ? Self.unspaced(pieces[1]) : nil)
        }
    }

    private mutating func take(_ key: String, _ value: [UInt8]?) throws(Violation) {
        switch (key, value) {
        case ("server_no_context_takeover", nil): server.keepsContext = false
        case ("client_no_context_takeover", nil): client.keepsContext = false
        case ("server_max_window_bits", let value?): server.windowBits = try Self.windowBits(value)
        case ("client_max_window_bits", let value?): client.windowBits = try Self.windowBits(value)
        default: throw .unknownExtension
        }
    }

    /// A number from 8 to 15 without zeros in front, perhaps in quotes.
    private static func windowBits(_ value: [UInt8]) throws(Violation) -> Int {
        let quote = UInt8(ascii: "\"")
        let isQuoted = value.count > 2 && value.first == quote && value.last == quote
        let digits = text(of: (isQuoted ? Array(value.dropFirst().dropLast()) : value).span)
        guard let bits = (8...15).first(where: { "\($0)" == digits }) else { throw .unknownExtension }
        return bits
    }
}

extension HTTP1Request {
    /// Whether it asks for WebSocket, and for nothing else (RFC 6455, section 4.1).
    package var asksForWebSocket: Bool { upgradeNames == ["websocket"] }
}

extension HTTP1Response {
    /// Whether the octets behind it are WebSocket's.
    package var switchesToWebSocket: Bool { isSwitch && fields.upgradeNames == ["websocket"] }
}
