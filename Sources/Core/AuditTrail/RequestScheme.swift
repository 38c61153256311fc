/// What an HTTP request was read from.
package enum RequestScheme: String, CaseIterable, Sendable {
    /// Plain HTTP.
    case http
    /// TLS, which the daemon ended.
    case https
}
