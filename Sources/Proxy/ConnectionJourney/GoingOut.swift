import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine
import WireFormats

/// Goes out by the ways that a permit names, one after the other, until one of them is reached.
///
/// What a proxy refuses is refused: only where the way itself cannot be reached is the next one tried.
func goOut(
    _ permit: consuming Permit,
    awaiting rest: AwaitedAddresses?,
    for connection: Connection,
    _ worker: Worker,
    on loop: isolated EventLoop
) async -> Dialled {
    let deadline = loop.now &+ connection.takeDialTime()
    let ways = permit.egress
    var failure = DialFailure.timedOut
    for (index, way) in ways.enumerated() {
        if connection.cutting != nil { return .abandoned }
        guard deadline > loop.now else { break }
        // Those that come later have their share of the time.
        let until = loop.now &+ (deadline &- loop.now) / UInt64(ways.count - index)
        let name = way.name
        guard way.kind != .nowhere else { return .failed(.blackholed(name)) }
        guard let wayOut = worker.snapshot.ways[name] else {
            return .failed(DialFailure(.unknown, route: Route(way: name)))
        }
        let outcome: Dialled
        if let proxy = wayOut.proxy {
            let departure = Departure(connection, worker, way: name, source: wayOut.source, until: until)
            let found = await departure.addresses(of: proxy.place, on: loop)
            if connection.cutting != nil { return .abandoned }
            if let stranded = wayOut.source?.stranded(before: found.usable, by: name) {
                failure = stranded
                continue
            }
            guard let errand = permit.errand(by: name, to: found.usable) else {
                failure = departure.failure(found.hasOwn ? .ownListener : .unresolvable, "\(proxy.place)")
                if failure.isOfWay { continue }
                return .failed(failure)
            }
            // Without a name it is the original destination, whoever looks names up.
            let target = way.kind == .there && permit.name != nil ? nil : permit.addresses.first
            let destination = ProxyDestination(target, name: permit.name, port: permit.port)
            guard let destination else { return .failed(departure.failure(.unknown)) }
            outcome = await departure.leave(errand, awaiting: found.rest, by: proxy, to: destination, target, on: loop)
        } else if rest == nil, let stranded = wayOut.source?.stranded(before: permit.addresses, by: name) {
            failure = stranded
            continue
        } else {
            let speaksFirst = connection.sniffed != .silent
            let race = Race(permit.addresses, awaiting: rest, speaksFirst: speaksFirst, from: wayOut.source)
            outcome = await dial(race, until: until, for: connection, on: loop).taking(name)
            if case .failed = outcome, connection.joined.isEmpty,
                let stranded = wayOut.source?.stranded(before: permit.addresses, by: name)
            {
                failure = stranded
                continue
            }
        }
        guard case .failed(let fault) = outcome, fault.isOfWay else { return outcome }
        failure = fault
    }
    return .failed(failure)
}

extension SocketSource {
    /// Why nothing can be dialled from here: all of the addresses are of a family that it has none of; nil where one is not.
    fileprivate func stranded(before addresses: [UpstreamAddress], by way: EgressName) -> DialFailure? {
        guard let first = addresses.first, !addresses.contains(where: { has($0.socket.address.family) }) else {
            return nil
        }
        let (own, other) =
            switch first.socket.address.family {
            case .ipv4: ("IPv6", "IPv4")
            case .ipv6: ("IPv4", "IPv6")
            }
        let word =
            "`bind` has only \(own), and there is only \(other) to connect to: add an \(other) address to "
            + "egress.\(way.text).bind.address, or another way to the rule's egress"
        return DialFailure(.otherFamily, word, route: Route(way: way))
    }
}

extension Dialled {
    /// The same, by a way that leads to the server itself.
    fileprivate func taking(_ way: EgressName) -> Dialled {
        switch self {
        case .connected(var reached):
            reached.route.way = way
            return .connected(reached)
        case .failed(let failure) where failure.isOfSource:
            return .failed(DialFailure(.source, failure.detail, route: Route(way: way)))
        case .failed(var failure):
            failure.route.way = way
            // Whether the way or the server is at fault, nobody can tell.
            failure.isOfWay = true
            return .failed(failure)
        case .abandoned: return self
        }
    }
}

extension ProxyDestination {
    /// The address, where one was judged, and else the name.
    fileprivate init?(_ target: UpstreamAddress?, name: HostName?, port: UInt16) {
        if let target {
            self.init(.address(target.socket.address), port: target.socket.port)
        } else if let name {
            self.init(.name(name), port: port)
        } else {
            return nil
        }
    }
}

/// A way out by a proxy, for one connection.
struct Departure {
    private let connection: Connection
    private let worker: Worker
    private var route: Route
    private let source: SocketSource?
    /// In nanoseconds of the loop's clock.
    private let deadline: UInt64

    init(_ connection: Connection, _ worker: Worker, way: EgressName, source: SocketSource?, until deadline: UInt64) {
        self.connection = connection
        self.worker = worker
        route = Route(way: way)
        self.source = source
        self.deadline = deadline
    }

    func failure(_ fault: WayFault, _ word: String? = nil) -> DialFailure { DialFailure(fault, word, route: route) }

    /// The addresses of a proxy, none of them our own.
    func addresses(of place: ProxyDestination, on loop: isolated EventLoop) async -> ProxyAddresses {
        switch place.host {
        case .address(let address):
            let socket = SocketAddress(address, port: place.port)
            if worker.isOwnListener(socket) { return ProxyAddresses(hasOwn: true) }
            return ProxyAddresses(usable: [UpstreamAddress(socket)])
        case .name(let name):
            var found =
                if let known = worker.resolver.known(name) {
                    ProxyAddresses(worker.addresses(from: known, port: place.port, near: nil), port: place.port)
                } else {
                    await addresses(of: name, isWhole: false, port: place.port, on: loop)
                }
            guard worker.resolver.isHalf(name) else { return found }
            if found.usable.isEmpty || source?.stranded(before: found.usable, by: route.way) != nil {
                return await addresses(of: name, isWhole: true, port: place.port, on: loop)
            }
            found.rest = AwaitedAddresses(of: name, for: connection.facts.owner, port: place.port, near: nil) {
                ProxyAddresses($0, port: place.port).usable
            }
            return found
        }
    }

    private func addresses(
        of name: HostName,
        isWhole: Bool,
        port: UInt16,
        on loop: isolated EventLoop
    ) async -> ProxyAddresses {
        let found = await connection.addresses(
            of: name,
            isWhole: isWhole,
            port: port,
            near: nil,
            until: deadline,
            on: loop
        )
        return ProxyAddresses(found, port: port)
    }

    /// Connects to a proxy, and has it connect to the destination; `target` is what that comes to, as far as it is known.
    func leave(
        _ errand: consuming ErrandPermit,
        awaiting rest: AwaitedAddresses?,
        by proxy: UpstreamProxy,
        to destination: ProxyDestination,
        _ target: UpstreamAddress?,
        on loop: isolated EventLoop
    ) async -> Dialled {
        switch await openErrand(errand, awaiting: rest, from: source, until: deadline, for: connection, on: loop) {
        case .abandoned: return .abandoned
        case .failed(let failure):
            return .failed(self.failure(failure.isOfSource ? .source : .unreachable, failure.detail))
        case .connected(let reached):
            var departure = self
            departure.route.via = reached.target
            return await departure.speak(on: reached.socket, with: proxy, to: destination, target, on: loop)
        }
    }

    private func speak(
        on socket: StreamSocket,
        with proxy: UpstreamProxy,
        to destination: ProxyDestination,
        _ target: UpstreamAddress?,
        on loop: isolated EventLoop
    ) async -> Dialled {
        connection.securing = socket
        defer { connection.securing = nil }
        do throws(WayProblem) {
            if connection.cutting != nil { throw WayProblem.cut }
            if let tls = proxy.tls { try await socket.begin(tls, until: deadline, on: loop) }
            if connection.cutting != nil { throw WayProblem.cut }
            guard let dialogue = proxy.dialogue(to: destination, worker.settings.http) else {
                throw WayProblem.fault(.authentication, "credentials_cannot_be_said")
            }
            let unread = try await socket.talk(dialogue, until: deadline, worker.means, on: loop)
            return .connected(Reached(socket: socket, target: target, route: route, unread: unread))
        } catch {
            resetOnClose(socket.descriptor)
            socket.detach(from: loop)
            switch error {
            case .cut: return .abandoned
            case .fault(let fault, let word): return .failed(failure(fault, word))
            }
        }
    }
}

/// Where a proxy is.
struct ProxyAddresses {
    var usable: [UpstreamAddress] = []
    /// Some of them are listeners of our own.
    var hasOwn = false
    /// Those that are still to come.
    var rest: AwaitedAddresses?
}

extension ProxyAddresses {
    fileprivate init(_ found: FoundAddresses, port: UInt16) {
        self.init(usable: found.usable.map { UpstreamAddress(SocketAddress($0, port: port)) }, hasOwn: found.hasOwn)
    }
}
