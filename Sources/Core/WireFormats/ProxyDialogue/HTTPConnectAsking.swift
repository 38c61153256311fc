/// Asks an HTTP proxy for a connection by CONNECT (RFC 9110, section 9.3.6).
package struct HTTPConnectAsking: Sendable {
    /// The request.
    package let opening: [UInt8]
    /// How many octets at most a driver has to hold until one of them is consumed.
    package let unreadLimit: Int
    private var reader: HTTP1ResponseReader
    private var informationalLeft: Int
    private var end: ProxyDialogueStep.Next?

    /// Makes the request.
    ///
    /// `authorization` is the value of Proxy-Authorization, `Basic …` for instance. At most `informational` heads of 1xx are
    /// passed over.
    ///
    /// - Returns: `nil` where the value of the field has other octets than visible ASCII and single spaces inside it.
    package init?(
        to destination: ProxyDestination,
        authorization: [UInt8]? = nil,
        limits: HTTP1Limits = HTTP1Limits(),
        informational: Int = 8
    ) {
        let authority = destination.description
        var request = Array("CONNECT \(authority) HTTP/1.1\r\n".utf8)
        request.appendField("Host", authority)
        if let authorization {
            let words = authorization.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard words.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x21...0x7e).contains($0) } }) else { return nil }
            request.append("Proxy-Authorization: ")
            request.append(contentsOf: authorization)
            request.append("\r\n")
        }
        request.append("\r\n")
        opening = request
        unreadLimit = limits.headBytes
        reader = HTTP1ResponseReader(limits: limits)
        informationalLeft = informational
    }

    /// Reads the answer's head, as `ProxyDialogue.read` says.
    package mutating func read(_ bytes: Span<UInt8>) throws(ProxyDialogueViolation) -> ProxyDialogueStep {
        var consumed = 0
        while end == nil {
            guard let head = try readHead(bytes.extracting(consumed...)) else {
                return ProxyDialogueStep(consumed: consumed, next: .needMore)
            }
            consumed += head.headBytes
            if head.isInformational {
                guard informationalLeft > 0 else { throw .informationalTooMany }
                informationalLeft -= 1
            } else {
                end = (200...299).contains(head.status) ? .open : .refused(.status(head.status))
            }
        }
        return ProxyDialogueStep(consumed: consumed, next: end ?? .needMore)
    }

    private mutating func readHead(_ bytes: Span<UInt8>) throws(ProxyDialogueViolation) -> HTTP1Response? {
        do throws(HTTP1Violation) {
            return try reader.read(bytes, answering: HTTP1Answering(method: .connect))
        } catch {
            throw .http(error)
        }
    }
}

extension HTTPConnectAsking: CustomStringConvertible, CustomReflectable {
    /// Nothing of it: the request may hold credentials.
    package var description: String { "(CONNECT)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
