/// Why a request is refused before any rule is asked, as far as its method and its path tell.
///
/// The data path finds this in reading the request; a question that only tells of one is held to the same.
package enum RequestFault: Error, Hashable, Sendable {
    case path(PathAmbiguity)
    /// `*` beside another method than OPTIONS (RFC 9112, section 3.2.4).
    case target
    /// CONNECT in any case, which is for proxies, and judged there as the connection that it asks for.
    case connect

    package var reason: Reason {
        switch self {
        case .path: .ambiguousPath
        case .target: .malformedRequest
        case .connect: .proxyInCapture
        }
    }

    /// What records say beside the reason.
    package var detail: String {
        switch self {
        case .path(let ambiguity): ambiguity.rawValue
        case .target: "request_target"
        case .connect: "connect"
        }
    }
}

extension RequestFacts {
    /// Reads the path of a question as the data path reads it behind its method.
    ///
    /// - Parameters:
    ///   - text: the path as it was given, or `*`; `nil` where it is not told.
    ///   - method: the method; `nil` where it is not told.
    ///   - isRead: whether the request would be read at all: one in a tunnel may ask for a proxy.
    /// - Returns: the path in the form that is judged; `nil` where none was given.
    /// - Throws: what is refused whatever rules say.
    package static func path(
        _ text: String?,
        behind method: RequestMethod?,
        isRead: Bool
    ) throws(RequestFault) -> CanonicalPath? {
        if isRead, method?.text.uppercased() == "CONNECT" { throw .connect }
        guard let text else { return nil }
        if text == CanonicalPath.server.text {
            guard method == nil || method?.text == "OPTIONS" else { throw .target }
            return .server
        }
        do throws(PathAmbiguity) {
            return try CanonicalPath(text)
        } catch {
            throw .path(error)
        }
    }
}
