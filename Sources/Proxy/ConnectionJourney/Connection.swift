import AuditStore
import AuditTrail
import EventLoops
import NetworkTypes
import PolicyEngine
import WireFormats

/// One accepted connection on its journey.
///
/// Lives on one loop.
final class Connection {
    let worker: Worker
    let client: StreamSocket
    let clientAddress: ClientAddress
    /// When it was accepted, in nanoseconds of the loop's clock.
    let accepted: UInt64
    /// Its number in the registry, in the order of acceptance.
    var number: UInt64 = 0
    /// Where it stands among those that are registered; `nil` once it has left.
    var placeAmongLive: Int?
    let id: RecordIdentifier
    /// How it came to us.
    let arrival: Arrival
    /// Its client's socket has the port of `clientAddress`, and not one that a redirect has put in its place.
    var isPortCertain = true
    /// Whose its client's socket is, as the rules have noted it (`UserHash`); `nil` where they have not.
    var notedUser: UInt32?
    /// Whether its client may be another machine's, so that it is asked whether it is.
    var mayBeRemote = false
    /// `nil` once the end has been recorded.
    var entry: AuditEntry?
    var facts = Facts(original: nil, port: 0, opening: .silent)
    /// What the client has sent so far and nobody has passed on.
    var openingBytes: [UInt8] = []
    /// `nil` while nobody has looked.
    var sniffed: Sniffed?
    /// What the policy said in the end; `nil` while undecided.
    var decision: Decision?
    /// What was connected to, or what a proxy was told to connect to; `nil` where it was told a name.
    private(set) var dialled: UpstreamAddress?
    /// How it went out, or was to.
    var route = Route.direct
    private(set) var connectNanoseconds: UInt64?
    /// What it must be refused for, whatever policy says, because its turn or the audit file kept it waiting too long.
    var hindrance: Reason?
    /// Its turn is taken, for a judgement to come.
    var hasTurn = false
    /// What a CONNECT was refused with on its authority, and by which policy: its tunnel was not opened.
    var refusedAhead: (decision: Decision, generation: UInt64)?
    /// Why the connection is to end before its time; set once.
    private(set) var cutting: Cut?
    var tunnel: Tunnel?
    /// What was reserved of rates and budgets for the decision in hand.
    ///
    /// Made when a policy first has any.
    var hold: CounterHold?
    /// What bounds the bytes of its tunnel; `nil`: nothing does.
    var meter: ByteMeter?
    /// Set while it carries requests that are judged one by one.
    var conversation: Conversation?
    /// It was let through as a tunnel, and carries requests: what goes over it is theirs.
    var hasTurned = false
    /// How we were asked for a tunnel, or refused to be; `nil` where we were not.
    var proxyRequest: ProxyRequestKind?
    /// Where a tunnel is to lead, by CONNECT or SOCKS 5; `nil` without one.
    var authority: Authority?
    /// What a client of SOCKS is told that was refused for its request itself; `nil`: nothing.
    var proxyRefusal: [UInt8]?
    /// The first request to us as a proxy that was no CONNECT; the conversation takes it.
    var proxied: ProxiedRequest?
    /// Since when what it says is listened to, in nanoseconds of the loop's clock.
    var heardSince: UInt64
    /// Its places in the line of those that are idle.
    var idleBefore: Connection?
    var idleBehind: Connection?
    var race: DialRace?
    /// The upstream that TLS is being begun with.
    var securing: StreamSocket?
    var lookup: LookupWait?
    /// How long names were looked up for the judgement in hand, in nanoseconds: part of the time for connecting.
    var lookupNanoseconds: UInt64 = 0
    /// The judgement in hand knows the addresses of one family, and had not to wait for the other's.
    var judgesHalf = false
    /// What joined the addresses of the decision in hand since: they may be dialled as well.
    var joined: [UpstreamAddress] = []
    /// Where it is while nothing about it is out of the ordinary.
    var plainness = Plainness.no
    /// When the client had our certificate and ended the handshake all the same, in nanoseconds of the loop's clock; `nil` where it
    /// was shown none.
    var certifiedSince: UInt64?
    /// When the dial began, in nanoseconds of the loop's clock.
    var dialledSince: UInt64 = 0
    /// The policy by which that was begun.
    var dialledGeneration: UInt64 = 0
    /// When it is too late for the client to say something first.
    var silence: TimerToken?

    init(
        _ worker: Worker,
        client: StreamSocket,
        clientAddress: ClientAddress,
        accepted: UInt64,
        arrival: Arrival,
        id: RecordIdentifier,
        _ circumstances: ConnectionCircumstances
    ) {
        self.worker = worker
        self.client = client
        self.clientAddress = clientAddress
        self.accepted = accepted
        heardSince = accepted
        self.id = id
        self.arrival = arrival
        let beginning = ConnectionBeginning(arrival.capture, client: clientAddress.description, circumstances)
        entry = AuditEntry(id, beginning, writer: worker.audit)
    }

    /// As records name the way by which it came.
    var capture: CaptureMode { arrival.capture }

    /// True unless it is refused already for where it was going.
    var mayBeHeard: Bool {
        switch capture {
        case .transparent: facts.original != nil && !facts.isOwnListener
        case .explicit: true
        }
    }

    /// Notes what it has been connected to.
    func reach(_ reached: Reached, after nanoseconds: UInt64) {
        dialled = reached.target
        route = reached.route
        connectNanoseconds = nanoseconds
    }

    /// Nothing has been looked up yet for the judgement to come.
    func forgetLookups() {
        lookupNanoseconds = 0
        judgesHalf = false
        if !joined.isEmpty { joined = [] }
    }

    /// What is dialled for a decision, or may be.
    func addressesInDial(_ decision: Decision) -> [UpstreamAddress]? {
        joined.isEmpty ? decision.addresses : (decision.addresses ?? []) + joined
    }

    /// How long connecting may take, in nanoseconds: less what looking up took, which counts once.
    func takeDialTime() -> UInt64 {
        let all = worker.settings.dialNanoseconds
        defer { lookupNanoseconds = 0 }
        return all &- min(all, lookupNanoseconds)
    }

    /// Ends the connection wherever it is on its way.
    func cut(_ cut: Cut, on loop: isolated EventLoop) {
        guard cutting == nil else { return }
        cutting = cut
        // One who is about to wait has not begun to: it is told all the same.
        client.hearNoMore(on: loop)
        client.interrupt(on: loop)
        stopHearing(because: cut, on: loop)
        lookup?.giveUp()
        race?.abandon(on: loop)
        securing?.interrupt(on: loop)
        tunnel?.abort(because: cut, on: loop)
        conversation?.abort(on: loop)
    }
}

/// Why a connection ends before its time.
struct Cut: Hashable {
    var outcome: ConnectionOutcome
    var reason: Reason?
    var rule: RuleName?
    /// The client is let go, not reset.
    var isOrderly = false
}

/// What sniffing came to.
///
/// What is long of it is one reference: it is handed from step to step.
enum Sniffed: Hashable {
    /// Nothing was said in time: the server may speak first.
    case silent
    /// A CONNECT, or that of SOCKS 5, and nothing inside it yet.
    case connect
    indirect case tls(ClientHello)
    indirect case http(HTTPOpening)
    case h2c
    case opaque
    /// It must be refused whatever the policy says; `detail` goes into the record.
    indirect case refused(Reason, protocol: ApplicationProtocol?, detail: String)
    /// The client began something and did not finish it in time, or was pushed out.
    case unfinished(Reason)
    /// The client's socket failed.
    case gone
}
