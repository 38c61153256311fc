extension HTTP1Request {
    /// Makes sense of a head that is whole, and refuses what could be understood in two ways.
    init(
        _ line: HTTP1RequestLine,
        _ fieldLines: ContiguousArray<HTTP1FieldLine>,
        in bytes: Span<UInt8>,
        memory: inout HTTP1HostMemory,
        limits: HTTP1Limits
    ) throws(HTTP1Violation) {
        var lines = fieldLines
        let target = try HTTP1Target(line.target, method: line.method, in: bytes)
        let connection = try HTTP1ConnectionFields(&lines, in: bytes, most: limits.connectionOptions)
        let form = target.form
        let host = try Self.host(lines, target: target, minorVersion: line.minorVersion, in: bytes, memory: &memory)
        let framing = try HTTP1Framing(lines, in: bytes, minorVersion: line.minorVersion)
        if form == .authority, framing != .none, framing != .length(0) { throw .bodyInConnect }
        // Trailers of a request do not go on, so it is not said that they come.
        for index in lines.indices where lines[index].known == .trailer { lines[index].isForwarded = false }
        let expectsContinue = try Self.readExpect(&lines, minorVersion: line.minorVersion, in: bytes)
        content = Content(
            fields: HTTP1FieldSection(bytes: array(of: bytes), lines: lines),
            form: form,
            host: host,
            minorVersion: line.minorVersion,
            framing: framing,
            keepsAlive: connection.persists(minorVersion: line.minorVersion),
            expectsContinue: expectsContinue,
            asksUpgrade: connection.hasUpgrade && connection.namesUpgrade && line.minorVersion == 1,
            offersH2C: connection.namesH2C && connection.hasUpgrade,
            methodRange: line.method,
            targetRange: line.target,
            pathRange: target.path,
            queryRange: target.query,
            acceptsTrailers: connection.acceptsTrailers && connection.namesTE
        )
    }

    /// The one authority of the request: where target and Host both name it, they must agree (RFC 9112, section 3.2).
    private static func host(
        _ lines: ContiguousArray<HTTP1FieldLine>,
        target: HTTP1Target,
        minorVersion: Int,
        in bytes: Span<UInt8>,
        memory: inout HTTP1HostMemory
    ) throws(HTTP1Violation) -> HTTPHost {
        var field: HTTPHost?
        for line in lines where line.known == .host {
            guard field == nil else { throw .hostDuplicated }
            field = try memory.read(line.value, in: bytes)
        }
        guard field != nil || minorVersion == 0 else { throw .hostMissing }
        guard let authority = target.authority else { return field ?? .absent }
        guard let field else { return authority }
        guard field.names(sameAs: authority, defaultPort: defaultPort(target.form, authority)) else {
            throw .hostDisagreesWithTarget
        }
        return authority
    }

    /// The port of a Host that has none.
    ///
    /// Clients leave it out beside CONNECT, where the target always has it.
    private static func defaultPort(_ form: TargetForm, _ authority: HTTPHost) -> UInt16 {
        switch form {
        case .origin, .asterisk, .absolute(.http): 80
        case .absolute(.https): 443
        case .authority: authority.port ?? 443
        }
    }

    /// The port that the request is for: the authority's own, or its scheme's (80, of https 443).
    package var port: UInt16 { host.port ?? Self.defaultPort(form, host) }

    /// Reads Expect, which HTTP/1.0 does not know: there it is passed over, and not sent on.
    private static func readExpect(
        _ lines: inout ContiguousArray<HTTP1FieldLine>,
        minorVersion: Int,
        in bytes: Span<UInt8>
    ) throws(HTTP1Violation) -> Bool {
        var expects = false
        for index in lines.indices where lines[index].known == .expect {
            if minorVersion == 0 {
                lines[index].isForwarded = false
            } else {
                guard isText("100-continue", in: lines[index].value, of: bytes) else { throw .expectationUnknown }
                expects = true
            }
        }
        return expects
    }
}
