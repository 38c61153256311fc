/// The header fields of a request, as far as the sniffer looks: their form, and Host (RFC 9112, section 5).
struct HTTPHead {
    var host: HTTPHost = .absent
    /// Where the empty line ends that ends the head.
    var end: Int
}

extension HTTPHead {
    /// Reads field lines from `start`, the end of the request line.
    static func read(
        _ bytes: Span<UInt8>,
        from start: Int,
        minorVersion: Int,
        limits: SniffLimits
    ) throws(MalformedOpening) -> Reading<HTTPHead> {
        var head = HTTPHead(end: start)
        var hosts = 0
        for count in 0... {
            switch try line(bytes, from: head.end) {
            case .needMore: return .needMore(total: bytes.count + 1)
            case .endOfSection(let end):
                guard hosts == 1 || minorVersion == 0 else { throw .hostMissing }
                head.end = end
                return .value(head)
            case .line(let line):
                guard count < limits.headFields else { throw .fieldsTooMany }
                if isText("host", in: line.name, of: bytes) {
                    hosts += 1
                    guard hosts == 1 else { throw .hostDuplicated }
                    guard let host = HTTPHost(value: bytes.extracting(line.value)) else { throw .hostPort }
                    head.host = host
                }
                head.end = line.end
            }
        }
        return .needMore(total: bytes.count + 1)
    }

    /// Reads one field line; what is wrong with it goes by the sniffer's names.
    private static func line(_ bytes: Span<UInt8>, from start: Int) throws(MalformedOpening) -> FieldLineReading {
        do throws(FieldLineFault) {
            return try readFieldLine(bytes, from: start)
        } catch {
            switch error {
            case .bareLineFeed: throw .bareLineFeed
            case .bareCarriageReturn, .controlOctet: throw .controlOctet
            case .obsFold: throw .obsFold
            case .whitespaceBeforeColon, .badName: throw .fieldLine
            }
        }
    }
}
