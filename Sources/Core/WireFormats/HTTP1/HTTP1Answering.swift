/// What an answer's meaning depends on: how it was asked for.
package struct HTTP1Answering: Hashable, Sendable {
    package var method: Method
    /// The protocols that the request asked to change to, in lower case.
    package var upgradeNames: [String]

    package init(method: Method = .other, upgradeNames: [String] = []) {
        self.method = method
        self.upgradeNames = upgradeNames
    }

    /// The methods whose answers have rules of their own (RFC 9112, section 6.3).
    package enum Method: Hashable, Sendable {
        /// No body, whatever the fields say.
        case head
        /// A tunnel follows a head of 2xx.
        case connect
        case other
    }
}
