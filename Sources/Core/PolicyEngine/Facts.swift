import NetworkTypes

/// What the agent speaks on a connection, as far as its opening bytes tell.
package enum ApplicationProtocol: String, Hashable, Sendable, CaseIterable {
    case tls
    /// HTTP/1 without TLS.
    case http
    /// HTTP/2 without TLS; it has no name until somebody reads its header blocks.
    case h2c
    /// Anything else.
    case opaque
}

/// What the agent has said so far.
package enum Opening: Hashable, Sendable {
    /// Nothing yet: the server may be the one that speaks first, and neither protocol nor name is known.
    case silent
    /// The protocol, and the name that the client asked for, where it said one.
    case known(ApplicationProtocol, name: HostName?)
    /// A proxy request or a question of the API named the host, and what will be spoken is not known.
    ///
    /// `nil` where it gave an address, which is then the original destination.
    case asked(HostName?)
}

/// What the configuration calls the workload; `nil` for what it does not say.
///
/// It never comes from traffic.
package struct WorkloadNames: Hashable, Sendable {
    package var namespace: String?
    package var serviceAccount: String?

    package init(namespace: String? = nil, serviceAccount: String? = nil) {
        self.namespace = namespace
        self.serviceAccount = serviceAccount
    }
}

/// Who opened a connection, as the kernel knows it: nothing that the client says.
package enum ConnectionOwner: Hashable, Sendable {
    case user(UInt32)
    /// Of another machine or container, through a gateway.
    case address(IPAddress)

    /// Who it is that the kernel knows by its user, or else by its address; `nil` where it knows neither.
    package init?(user: UInt32?, address: IPAddress?) {
        guard let owner = user.map(ConnectionOwner.user) ?? address.map(ConnectionOwner.address) else { return nil }
        self = owner
    }
}

extension ConnectionOwner: CustomStringConvertible {
    /// A number or an address.
    package var description: String {
        switch self {
        case .user(let user): "\(user)"
        case .address(let address): "\(address)"
        }
    }
}

/// Everything that is known of a connection, or of a request on it, when it is judged.
package struct Facts: Hashable, Sendable {
    /// Where the kernel says that the connection was going; `nil` for the explicit proxy and for questions of the API.
    package var original: OriginalDestination?
    /// The port that was asked for, and that will be dialled.
    package var port: UInt16
    package var opening: Opening
    /// The user that opened the connection; `nil` where that could not be found out.
    package var workloadUID: UInt32?
    /// Where the client is, of one that comes through a gateway; `nil` for whoever is on this machine.
    package var clientAddress: IPAddress?
    /// Who the workload is, as the configuration says.
    package var workload: WorkloadNames
    /// Seconds since the epoch, UTC; `nil` where nobody looked at a clock.
    package var now: Int64?
    /// Whether a TLS client said a server name; `nil` where its name is the one of the opening.
    ///
    /// Behind a CONNECT, the name of the opening is that of the authority.
    package var hasServerName: Bool?
    /// The counters that had nothing left when the caller wanted to reserve.
    package var exhausted: Set<PolicyCounter>
    /// True where a counter counts as exhausted because nobody can say what is left of it.
    package var lacksCounters = false
    /// True where a counter counts as exhausted because nobody can say whose it is.
    package var lacksSubject = false
    /// True where the destination is one of the daemon's own listeners, at whatever local address.
    ///
    /// The caller keeps own listeners out of `addresses` itself.
    package var isOwnListener: Bool
    /// Phase two: the addresses about to be dialled, best first; `nil` in phase one, and where nobody will dial.
    package var addresses: [IPAddress]?
    /// The request, where one of plain HTTP is judged; `nil` where nothing is known of it.
    package var request: RequestFacts?
    /// True where nothing more will be known: what is not known now counts against whoever asks.
    ///
    /// For questions of the API and of `explain`; the data path asks again when it knows more.
    package var isFinal: Bool

    package init(
        original: OriginalDestination?,
        port: UInt16,
        opening: Opening,
        workloadUID: UInt32? = nil,
        clientAddress: IPAddress? = nil,
        workload: WorkloadNames = WorkloadNames(),
        now: Int64? = nil,
        hasServerName: Bool? = nil,
        exhausted: Set<PolicyCounter> = [],
        isOwnListener: Bool = false,
        addresses: [IPAddress]? = nil,
        request: RequestFacts? = nil,
        isFinal: Bool = false
    ) {
        self.original = original
        self.port = port
        self.opening = opening
        self.workloadUID = workloadUID
        self.clientAddress = clientAddress
        self.workload = workload
        self.now = now
        self.hasServerName = hasServerName
        self.exhausted = exhausted
        self.isOwnListener = isOwnListener
        self.addresses = addresses
        self.request = request
        self.isFinal = isFinal
    }

    /// Who opened the connection; `nil` where that could not be found out.
    package var owner: ConnectionOwner? { ConnectionOwner(user: workloadUID, address: clientAddress) }

    /// The name that host patterns are compared with.
    package var name: HostName? {
        switch opening {
        case .silent, .known(.h2c, _): nil
        case .known(.tls, let name), .known(.http, let name), .known(.opaque, let name), .asked(let name): name
        }
    }

    /// True where the client speaks plain HTTP, whose requests are judged one by one.
    var isPlainHTTP: Bool {
        switch opening {
        case .known(.http, _): true
        case .silent, .asked, .known(.tls, _), .known(.h2c, _), .known(.opaque, _): false
        }
    }

    /// True where the client speaks TLS and nobody has looked inside.
    var isUnreadTLS: Bool {
        switch opening {
        case .known(.tls, _): request == nil
        case .silent, .asked, .known(.http, _), .known(.h2c, _), .known(.opaque, _): false
        }
    }

    /// True where a TLS client speaks.
    var isTLS: Bool {
        switch opening {
        case .known(.tls, _): true
        case .silent, .asked, .known(.http, _), .known(.h2c, _), .known(.opaque, _): false
        }
    }
}
