/// The head of an HTTP/1 response: its octets, held once, and what they mean.
///
/// It is made by `HTTP1ResponseReader` alone, so it breaks none of the rules that `HTTP1Violation` names. It is one reference:
/// an answer is handed from one step to the next many times.
package struct HTTP1Response: Sendable {
    private let content: Content

    /// The fields, over all octets of the head; the length of the head is `fields.bytes.count`.
    package var fields: HTTP1FieldSection { content.fields }
    /// 100 to 999; those beyond 599 are no status codes, and are passed on.
    package var status: Int { content.status }
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    package var minorVersion: Int { content.minorVersion }
    /// How the body that follows ends; `none` for 1xx, 204, 304, and answers to HEAD.
    package var framing: HTTP1Framing { content.framing }
    /// What the fields say of a body, also where one is told of and none follows (HEAD, 304); else `none`.
    package var declaredFraming: HTTP1Framing { content.declaredFraming }
    /// The server may be asked again on this connection, once the body is read.
    package var keepsAlive: Bool { content.keepsAlive }
    var reasonRange: Range<Int> { content.reasonRange }
    /// Connection names Upgrade.
    var namesUpgrade: Bool { content.namesUpgrade }

    /// What is the same for all copies.
    private final class Content: Sendable {
        let fields: HTTP1FieldSection
        let status: Int
        let minorVersion: Int
        let framing: HTTP1Framing
        let declaredFraming: HTTP1Framing
        let keepsAlive: Bool
        let reasonRange: Range<Int>
        let namesUpgrade: Bool

        init(
            fields: HTTP1FieldSection,
            status: Int,
            minorVersion: Int,
            framing: HTTP1Framing,
            declaredFraming: HTTP1Framing,
            keepsAlive: Bool,
            reasonRange: Range<Int>,
            namesUpgrade: Bool
        ) {
            self.fields = fields
            self.status = status
            self.minorVersion = minorVersion
            self.framing = framing
            self.declaredFraming = declaredFraming
            self.keepsAlive = keepsAlive
            self.reasonRange = reasonRange
            self.namesUpgrade = namesUpgrade
        }
    }
}

extension HTTP1Response {
    /// The same response with other octets of its fields, which stand where they stood.
    func with(_ fields: HTTP1FieldSection) -> HTTP1Response {
        HTTP1Response(
            content: Content(
                fields: fields,
                status: status,
                minorVersion: minorVersion,
                framing: framing,
                declaredFraming: declaredFraming,
                keepsAlive: keepsAlive,
                reasonRange: reasonRange,
                namesUpgrade: namesUpgrade
            )
        )
    }
}

extension HTTP1Response {
    /// True where the reader has told that this head is the one before, octet by octet.
    package func isSameHead(as other: HTTP1Response) -> Bool { content === other.content }
}

extension HTTP1Response: Hashable {
    /// True where the octets of two heads are the same, and so is what they mean.
    package static func == (one: HTTP1Response, other: HTTP1Response) -> Bool {
        one.content === other.content
            || one.fields == other.fields && one.framing == other.framing
                && one.declaredFraming == other.declaredFraming && one.keepsAlive == other.keepsAlive
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(fields)
    }
}

extension HTTP1Response {
    /// The length of the head, the empty line at its end among it.
    package var headBytes: Int { fields.bytes.count }
    /// Another head follows this one: 1xx but 101.
    package var isInformational: Bool { status < 200 && status != 101 }
    /// 101: the octets behind this head are of another protocol.
    package var isSwitch: Bool { status == 101 }
    /// The three digits of the status, as sent: `HTTP/1.1 ` stands before them.
    var statusDigits: ArraySlice<UInt8> { fields.bytes[9..<12] }
    /// The reason phrase as sent.
    package var reason: ArraySlice<UInt8> { fields.bytes[reasonRange] }
}

extension HTTP1Response {
    /// Makes sense of a head that is whole, and refuses what could be understood in two ways.
    init(
        _ line: HTTP1StatusLine,
        _ fieldLines: ContiguousArray<HTTP1FieldLine>,
        in bytes: Span<UInt8>,
        answering method: HTTP1Answering.Method,
        limits: HTTP1Limits
    ) throws(HTTP1Violation) {
        var lines = fieldLines
        let connection = try HTTP1ConnectionFields(&lines, in: bytes, most: limits.connectionOptions, isResponse: true)
        // An alternative service would take the client past this hop (RFC 7838).
        for index in lines.indices where lines[index].known == .altSvc { lines[index].isForwarded = false }
        let said = try HTTP1Framing(lines, in: bytes, minorVersion: line.minorVersion, isResponse: true)
        let (framing, declaredFraming) = try Self.framing(said, status: line.status, answering: method)
        content = Content(
            fields: HTTP1FieldSection(bytes: array(of: bytes), lines: lines),
            status: line.status,
            minorVersion: line.minorVersion,
            framing: framing,
            declaredFraming: declaredFraming,
            keepsAlive: connection.persists(minorVersion: line.minorVersion) && framing != .untilClose
                && line.status != 101 && !(line.status == 204 && said.mayFollow),
            reasonRange: line.reason,
            namesUpgrade: connection.namesUpgrade
        )
    }

    /// What follows, and what is told of it (RFC 9112, section 6.3; RFC 9110, section 8.6).
    private static func framing(
        _ said: HTTP1Framing,
        status: Int,
        answering method: HTTP1Answering.Method
    ) throws(HTTP1Violation) -> (follows: HTTP1Framing, declared: HTTP1Framing) {
        switch (status, method) {
        // It ends with its head, whatever that says (RFC 9112, section 6.3).
        case (204, _): return (.none, .none)
        case (100...199, _):
            // Servers do write the length 0 there (Netty beside 100); nobody reads that in two ways, and it is not written again.
            guard said == .none || said == .length(0) else { throw .framingWithoutBody }
            return (.none, .none)
        case (200...299, .connect): return (.none, .none)
        case (304, _), (_, .head): return (.none, said)
        case (_, .connect), (_, .other): return (said == .none ? .untilClose : said, said)
        }
    }

    /// Whether this is a 101 to protocols that were asked for, of a version that has Upgrade.
    func switches(to asked: [String]) -> Bool {
        let names = fields.upgradeNames
        let areAsked = names.allSatisfy { asked.contains($0) }
        return namesUpgrade && minorVersion == 1 && !names.isEmpty && areAsked
    }
}
