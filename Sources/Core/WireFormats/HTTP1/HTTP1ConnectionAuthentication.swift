/// Schemes that authenticate a connection and not a request: whoever sends on it next is taken for the same (RFC 4559,
/// section 6; NTLM does as Negotiate does).
package enum HTTP1ConnectionAuthentication {
    private static let schemes = ["negotiate", "ntlm"]

    /// Whether the value of Authorization or Proxy-Authorization uses one.
    package static func isUsed(by credentials: ArraySlice<UInt8>) -> Bool {
        let scheme = credentials.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        guard schemes.contains(where: { $0.utf8.count == scheme.count }) else { return false }
        let text = String(decoding: scheme, as: UTF8.self).lowercased()
        return schemes.contains(text)
    }

    /// Whether one of a response's challenges asks for one, with all its parameters' values taken for schemes, too: a
    /// connection that is kept to one client without need costs little.
    package static func isAsked(by response: HTTP1Response) -> Bool {
        guard response.status == 401 || response.status == 407 else { return false }
        let challenges =
            response.fields.values(of: "www-authenticate") + response.fields.values(of: "proxy-authenticate")
        return challenges.contains { challenge in
            let words = challenge.split {
                $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t")
            }
            return words.contains { isUsed(by: $0) }
        }
    }
}
