/// Why a request is refused before any rule is asked, as far as its method and its target tell.
///
/// The data path finds this in reading the request; a question that only tells of one is held to the same.
package enum RequestFault: Error, Hashable, Sendable {
    case path(PathAmbiguity)
    case query(QueryViolation)
    /// `*` beside another method than OPTIONS (RFC 9112, section 3.2.4).
    case target
    /// CONNECT in any case, which is for proxies, and judged there as the connection that it asks for.
    case connect

    package var reason: Reason {
        switch self {
        case .path: .ambiguousPath
        case .query, .target: .malformedRequest
        case .connect: .proxyInCapture
        }
    }

    /// What records say beside the reason.
    package var detail: String {
        switch self {
        case .path(let ambiguity): ambiguity.rawValue
        case .query(let violation): violation.rawValue
        case .target: "request_target"
        case .connect: "connect"
        }
    }
}

extension RequestFacts {
    /// Takes what a question tells of a request, as the data path reads it from the wire.
    ///
    /// - Parameters:
    ///   - method: the method; `nil` where it is not told.
    ///   - path: the path as it was given, or `*`; `nil` where it is not told.
    ///   - query: what follows the `?`, empty where there is none; `nil` where it is not told.
    ///   - fields: the header fields; `nil` where they are not told.
    ///   - calls: what its body calls; `nil` where that is not told.
    ///   - isRead: whether the request could be read at all: one in a tunnel may ask for a proxy.
    /// - Throws: what is refused whatever rules say, where the request is read.
    package init(
        telling method: RequestMethod?,
        path: String?,
        query: String?,
        fields: RequestFields? = nil,
        calls: RequestCalls? = nil,
        isRead: Bool
    ) throws(RequestFault) {
        if isRead, method?.text.uppercased() == "CONNECT" { throw .connect }
        let canonical = try path.map { path throws(RequestFault) in try Self.read(path, behind: method) }
        if let violation = query.flatMap({ QueryViolation(in: $0.utf8) }) { throw .query(violation) }
        self.init(
            method: method,
            path: canonical,
            fields: fields,
            query: query.map { RequestQuery($0) },
            calls: calls
        )
    }

    private static func read(_ path: String, behind method: RequestMethod?) throws(RequestFault) -> CanonicalPath {
        if path == CanonicalPath.server.text {
            guard method == nil || method?.text == "OPTIONS" else { throw .target }
            return .server
        }
        do throws(PathAmbiguity) {
            return try CanonicalPath(path)
        } catch {
            throw .path(error)
        }
    }
}
