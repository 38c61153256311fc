import AuditTrail
import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine

/// What dialling came to.
enum Dialled {
    case connected(Reached)
    case failed(DialFailure)
    case abandoned
}

/// An upstream connection, and how it came about.
struct Reached {
    let socket: StreamSocket
    /// What it leads to; `nil` where a proxy was told the name.
    var target: UpstreamAddress?
    var route = Route.direct
    /// What came behind a proxy's answer: the first that the server said.
    var unread: [UInt8] = []
}

/// How something went out.
struct Route: Hashable {
    var way: EgressName
    /// The proxy that led out.
    var via: UpstreamAddress?

    static let direct = Route(way: .direct, via: nil)

    /// As records have them; `nil` for what they leave out.
    var recordedWay: String? { way == .direct ? nil : way.text }
    var recordedProxy: String? { via?.description }
}

/// Why nothing was connected to.
struct DialFailure {
    var outcome = ConnectionOutcome.upstreamFailed
    var closedBy = ClosingSide.upstream
    /// For a client that speaks HTTP.
    var status = 502
    /// For the record and the client.
    var detail: String
    var route = Route.direct
    /// Nobody has refused: the way itself was not reached, and another that is stated may be tried.
    var isOfWay = false
    /// Nothing could be dialled from where the way says.
    var isOfSource = false
    /// It was met in going on with a session of before: a handshake in full may well be done.
    var isOfTicket = false

    init(_ detail: String) {
        self.detail = detail
    }

    /// No address took the connection; or none was asked, where `source` could not be had.
    static func unconnected(_ error: SystemCallError?, attempts: Int, from source: SocketSource?) -> DialFailure {
        if let error, let source, error.isOf(source) {
            var failure = DialFailure("\(error)")
            failure.isOfSource = true
            return failure
        }
        return DialFailure("\(error?.description ?? "no address"), after \(attempts) attempts")
    }

    static var timedOut: DialFailure {
        var failure = DialFailure("dial timed out")
        failure.closedBy = .ours
        failure.status = 504
        return failure
    }

    /// Policy lets it go nowhere.
    static func blackholed(_ way: EgressName) -> DialFailure {
        var failure = DialFailure("egress_blackhole")
        failure.outcome = .blackholed
        failure.closedBy = .ours
        failure.route.way = way
        return failure
    }

    /// What a way out, or its proxy, is at fault for.
    init(_ fault: WayFault, _ word: String? = nil, route: Route) {
        detail = fault.rawValue + (word.map { ": \($0)" } ?? "")
        self.route = route
        switch fault {
        case .unreachable, .unresolvable: isOfWay = true
        case .otherFamily, .source:
            isOfWay = true
            closedBy = .ours
        case .timedOut:
            status = 504
            closedBy = .ours
        case .unknown, .ownListener: closedBy = .ours
        case .tls, .authentication, .refused, .malformed, .closed: break
        }
    }

    /// How a connection went that came to this.
    var ending: Ending { Ending(outcome, closedBy: closedBy, detail: detail) }
}

/// What can be wrong with a way out; the words of records.
enum WayFault: String {
    /// Its proxy, or by its source the server, takes no connection.
    case unreachable = "egress_unreachable"
    /// The name of its proxy has no address.
    case unresolvable = "egress_unresolvable"
    /// It binds to addresses of one family, and what it leads to has only addresses of the other.
    case otherFamily = "egress_other_family"
    /// Nothing can be bound to its address or interface, or marked.
    case source = "egress_source_unusable"
    /// The proxy has connected, and says nothing in time.
    case timedOut = "egress_timed_out"
    /// TLS with the proxy cannot be begun, or its certificate is not what it must be.
    case tls = "egress_tls_failed"
    /// The proxy does not take our credentials, or wants some.
    case authentication = "egress_authentication_refused"
    /// The proxy does not connect to what was asked for.
    case refused = "egress_refused"
    /// What the proxy says cannot be read.
    case malformed = "egress_malformed_answer"
    /// The proxy went away without an answer.
    case closed = "egress_closed"
    /// The proxy is the daemon itself.
    case ownListener = "egress_own_listener"
    /// The daemon knows no such way.
    case unknown = "egress_unknown"
}
