import NetworkTypes
import PolicyEngine
import WireFormats

/// What was said so far of a destination, and by which field.
struct DestinationClaims {
    struct Claim<Value: Equatable> {
        let value: Value
        /// The field that said it first.
        let name: String
    }

    var host: Claim<CheckedDestination.Host>?
    var port: Claim<UInt16>?
    var spoken: Claim<ApplicationProtocol>?
    var method: Claim<RequestMethod>?
    /// With its query.
    var path: Claim<String>?

    /// Reads the fields of one object.
    mutating func read(_ source: CheckReader.Found, _ reader: inout CheckReader) {
        if let found = source.member("host"), let text = reader.text([found]) { readHost(text, found, &reader) }
        if let found = source.member("port"), let port = Self.port(found, &reader) {
            reader.agree(\.port, port, found, &self)
        }
        if let found = source.member("protocol"), let text = reader.text([found]) { readProtocol(text, found, &reader) }
        if let found = source.member("method"), let text = reader.text([found]) { readMethod(text, found, &reader) }
        if let found = source.member("path"), let text = reader.text([found]) {
            reader.agree(\.path, text, found, &self)
        }
        if let found = source.member("url"), let text = reader.text([found]) { readURL(text, found, &reader) }
    }

    /// Reads a URL, a path, or a host with or without a port.
    mutating func readResource(_ text: String, _ found: CheckReader.Found, _ reader: inout CheckReader) {
        // A path first: a URL may stand in its query.
        if text.hasPrefix("/") {
            reader.agree(\.path, text, found, &self)
        } else if text.contains("://") {
            readURL(text, found, &reader)
        } else {
            readHost(text, found, &reader)
        }
    }

    /// Reads a host with or without a port; of a URL, whose scheme has a port of its own, as RFC 3986 writes it.
    private mutating func readHost(
        _ text: String,
        _ found: CheckReader.Found,
        _ reader: inout CheckReader,
        schemePort: UInt16? = nil
    ) {
        let written: UInt16?
        switch HTTPHost(text: text) {
        case .name(let name, let port):
            written = port
            reader.agree(\.host, .name(name), found, &self)
        case .address(let address, let port):
            written = port
            reader.agree(\.host, .address(address), found, &self)
        case .malformed(let fault):
            written = nil
            reader.agree(\.host, .malformed(fault), found, &self)
        case .absent, nil:
            // An IPv6 address without brackets: its first colon begins no port.
            if schemePort == nil, let address = IPv6Address(text) {
                return reader.agree(\.host, .address(.v6(address)), found, &self)
            }
            // What has more colons than that of a port is no address either: a zone (`fe80::1%eth0`) names an interface of one machine.
            if schemePort == nil, !text.hasPrefix("["), text.count(where: { $0 == ":" }) > 1 {
                return reader.agree(\.host, .malformed(.addressLiteral), found, &self)
            }
            return reader.note(.badValue("the port of the host is no number from 1 to 65535"), found)
        }
        guard let port = written ?? schemePort else { return }
        guard port > 0 else {
            return reader.note(.badValue("the port of the host is no number from 1 to 65535"), found)
        }
        reader.agree(\.port, port, found, &self)
    }

    private static func port(_ found: CheckReader.Found, _ reader: inout CheckReader) -> UInt16? {
        let text = found.value.text ?? ""
        guard let number = found.value.wholeNumber ?? portNumber(text).map(UInt64.init) else {
            reader.note(.noInteger, found)
            return nil
        }
        guard number > 0 else {
            reader.note(.tooSmall(least: 1), found)
            return nil
        }
        guard let port = UInt16(exactly: number) else {
            reader.note(.tooLarge(most: 65535), found)
            return nil
        }
        return port
    }

    private mutating func readProtocol(_ text: String, _ found: CheckReader.Found, _ reader: inout CheckReader) {
        switch text.lowercased() {
        case "https", "wss", "tls": reader.agree(\.spoken, .tls, found, &self)
        case "http", "ws": reader.agree(\.spoken, .http, found, &self)
        case "h2c": reader.agree(\.spoken, .h2c, found, &self)
        case "opaque": reader.agree(\.spoken, .opaque, found, &self)
        // What carries it says nothing of what is spoken.
        case "tcp": break
        default:
            reader.note(
                .unknownWord(expected: "'tls', 'https', 'wss', 'http', 'ws', 'h2c', 'opaque' or 'tcp'"),
                found
            )
        }
    }

    private mutating func readMethod(_ text: String, _ found: CheckReader.Found, _ reader: inout CheckReader) {
        guard let method = RequestMethod(text) else { return reader.note(.badValue("it is no HTTP method"), found) }
        reader.agree(\.method, method, found, &self)
    }

    /// Reads scheme, host, port and path; what stands behind `#` is never sent anywhere.
    private mutating func readURL(_ text: String, _ found: CheckReader.Found, _ reader: inout CheckReader) {
        guard let mark = text.firstRange(of: "://") else {
            return reader.note(.badValue("it is no absolute URL"), found)
        }
        let spoken: ApplicationProtocol
        switch text[..<mark.lowerBound].lowercased() {
        case "https", "wss": spoken = .tls
        case "http", "ws": spoken = .http
        default: return reader.note(.badValue("its scheme is none of http, https, ws and wss"), found)
        }
        let rest = text[mark.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "\\" }
        guard !authority.contains("@") else { return reader.note(.badValue("it has user information"), found) }
        readHost(String(authority), found, &reader, schemePort: spoken == .tls ? 443 : 80)
        reader.agree(\.spoken, spoken, found, &self)
        let path = rest.dropFirst(authority.count)
        if !path.isEmpty { reader.agree(\.path, path.hasPrefix("?") ? "/" + path : String(path), found, &self) }
    }
}

extension CheckReader {
    /// Takes a claim, and notes where it contradicts an earlier one.
    fileprivate mutating func agree<Value: Equatable>(
        _ key: WritableKeyPath<DestinationClaims, DestinationClaims.Claim<Value>?>,
        _ value: Value,
        _ found: Found,
        _ claims: inout DestinationClaims
    ) {
        guard let earlier = claims[keyPath: key] else {
            claims[keyPath: key] = DestinationClaims.Claim(value: value, name: found.name)
            return
        }
        if earlier.value != value { note(.badValue("it disagrees with \(earlier.name)"), found) }
    }
}
