import CaresBindings
import NetworkTypes

/// Turns names into addresses for one loop: a hosts file if there is one, a cache, then DNS.
///
/// It belongs to the loop that made it and is used on that loop's thread only. A name is asked for once however many wait
/// for it. A and AAAA are asked together; see `Lookup` for who waits for what.
package final class Resolver {
    private let settings: ResolverSettings
    /// Weak, because the host owns the resolver: while the host goes away, the sockets close and nobody need be told.
    private weak var host: (any ResolverHost)?
    /// `nil` once it has been shut down.
    private var channel: CaresChannel?
    private var cache: AddressCache
    /// Every lookup that c-ares still has a question of, by its number.
    private var lookups: [UInt64: Lookup] = [:]
    /// The lookup that a further asker of the name joins.
    private var joinable: [HostName: UInt64] = [:]
    /// The lookup that has told the addresses of one family and still asks for the other's.
    private var halves: [HostName: UInt64] = [:]
    /// How many of the lookups each of those has begun who have begun any.
    private var shares: [AnyHashable: Int] = [:]
    private var nextNumber: UInt64 = 0
    private var isAdvancing = false

    /// Makes a resolver.
    ///
    /// It opens no socket and starts no timer before the first question.
    package init(settings: ResolverSettings, host: any ResolverHost) throws(ResolverError) {
        guard !settings.servers.isEmpty else { throw .noServers }
        self.settings = settings
        self.host = host
        cache = AddressCache(capacity: settings.cacheCapacity)
        let questions = CaresSettings(
            servers: settings.servers,
            timeoutMilliseconds: settings.timeoutMilliseconds,
            tries: settings.tries,
            hearsRefusals: settings.hearsRefusals
        )
        do throws(CaresError) {
            channel = try CaresChannel(questions) { [weak host] descriptor, readable, writable in
                host?.watch(descriptor: descriptor, readable: readable, writable: writable)
            }
        } catch {
            throw .failed(ResolutionFailure(error))
        }
    }

    /// Resolves a name, and calls back exactly once: at once where the answer is known, or later from an event.
    ///
    /// Nobody may have begun more lookups, those among them that nobody waits for any more, than he leaves for all others.
    package func resolve(
        _ name: HostName,
        for asker: AnyHashable = 0,
        _ then: @escaping (ResolutionResult) -> Void
    ) {
        guard let channel else { return then(.failed(.shutDown)) }
        if let known = known(name) { return then(known) }
        if let number = joinable[name] {
            lookups[number]?.join(then)
            return
        }
        let own = shares[asker, default: 0] + 1
        guard own < settings.maximumLookups - lookups.count else { return then(.failed(.overloaded)) }
        shares[asker] = own
        let number = nextNumber
        nextNumber += 1
        lookups[number] = Lookup(
            name,
            asker: asker,
            due: now &+ UInt64(max(0, settings.deadlineMilliseconds)),
            waiter: then
        )
        joinable[name] = number
        // The lowest bit of a token is its family.
        channel.ask(name, family: .ipv6, token: number << 1 | 1)
        channel.ask(name, family: .ipv4, token: number << 1)
        advance()
    }

    /// The same for who cannot do with the addresses of one family: waits for the other's, up to the deadline of the lookup.
    package func resolveWhole(
        _ name: HostName,
        for asker: AnyHashable = 0,
        _ then: @escaping (ResolutionResult) -> Void
    ) {
        guard let number = halves[name], lookups[number] != nil else { return resolve(name, for: asker, then) }
        lookups[number]?.join(then)
        advance()
    }

    /// True while a name stands for the addresses of one family, and the other's may still come.
    package func isHalf(_ name: HostName) -> Bool { halves[name] != nil }

    /// What the hosts file or an answer before says of a name; `nil` where it has to be asked for.
    package func known(_ name: HostName) -> ResolutionResult? {
        guard channel != nil else { return .failed(.shutDown) }
        if let addresses = settings.hosts[name] { return .addresses(addresses) }
        return cache.result(for: name, now: now)
    }

    /// A descriptor that the host was told to watch is ready.
    package func descriptorReady(_ descriptor: Int32, readable: Bool, writable: Bool) {
        channel?.process(descriptor, readable: readable, writable: writable)
        advance()
    }

    /// The time that `schedule` named has come.
    package func timerFired() {
        channel?.processTimeouts()
        advance()
    }

    /// Closes every socket and answers everybody who waits with `.shutDown`; so it answers from then on.
    package func shutDown() {
        channel = nil
        let waiters = lookups.values.flatMap(\.waiters)
        lookups = [:]
        shares = [:]
        joinable = [:]
        halves = [:]
        host?.schedule(afterMilliseconds: nil)
        for then in waiters { then(.failed(.shutDown)) }
    }
}

@available(*, unavailable)
extension Resolver: Sendable {}

extension Resolver {
    private var now: UInt64 { host?.nowMilliseconds ?? 0 }

    /// Deals with all answers and all that is due, and sets the timer.
    ///
    /// Whoever is answered may ask again, which ends up here again: the outer call then finds the new work.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while let answer = channel?.takeAnswer() { take(answer) }
        let now = self.now
        for (number, lookup) in lookups where !lookup.waiters.isEmpty && lookup.due <= now { settle(number) }
        while let answer = channel?.takeAnswer() { take(answer) }
        isAdvancing = false
        host?.schedule(afterMilliseconds: nextWake)
    }

    private func take(_ answer: CaresAnswer) {
        let number = answer.token >> 1
        let delayed = now &+ UInt64(max(0, settings.resolutionDelayMilliseconds))
        lookups[number]?.answered(answer.token & 1 == 1 ? .ipv6 : .ipv4, answer.outcome, delayed: delayed)
        if lookups[number]?.isComplete == true { settle(number) }
    }

    /// Answers everybody who waits for a lookup with what it has, and remembers it.
    private func settle(_ number: UInt64) {
        guard let lookup = lookups[number] else { return }
        if lookup.isComplete {
            lookups[number] = nil
            giveBack(lookup.asker)
        } else {
            lookups[number]?.wasTold()
        }
        if joinable[lookup.name] == number { joinable[lookup.name] = nil }
        noteHalf(lookup, number)
        // A failure that comes after everybody was answered says less than what was learnt of the name since.
        if !lookup.waiters.isEmpty || lookup.seconds != nil { remember(lookup) }
        let result = lookup.result
        for then in lookup.waiters { then(result) }
    }

    private func giveBack(_ asker: AnyHashable) {
        let left = shares[asker, default: 1] - 1
        shares[asker] = left == 0 ? nil : left
    }

    private func noteHalf(_ lookup: Lookup, _ number: UInt64) {
        if !lookup.isComplete, lookup.seconds != nil, now < lookup.deadline {
            halves[lookup.name] = number
        } else if let half = halves[lookup.name], half <= number {
            halves[lookup.name] = nil
        }
    }

    private func remember(_ lookup: Lookup) {
        let now = self.now
        // Another lookup of the name may have heard more.
        guard lookup.isComplete || cache.result(for: lookup.name, now: now) == nil else { return }
        let expires = now &+ UInt64(secondsToRemember(lookup)) &* 1000
        cache.store(lookup.result, for: lookup.name, expires: expires, now: now)
    }

    /// Half an answer, and a failure that may be over soon, are remembered only to spare the server.
    private func secondsToRemember(_ lookup: Lookup) -> Int {
        guard lookup.isComplete, !lookup.lacksFamily else { return 1 }
        if let seconds = lookup.seconds {
            return max(settings.secondsToLive.lowerBound, min(seconds, settings.secondsToLive.upperBound))
        }
        return switch lookup.result {
        case .failed(.notFound), .failed(.noData): max(0, settings.negativeSeconds)
        case .failed, .addresses: 1
        }
    }

    private var nextWake: Int? {
        let now = self.now
        let due = lookups.values.filter { !$0.waiters.isEmpty }.map(\.due).min()
        let wait = due.map { $0 > now ? Int(clamping: $0 - now) : 0 }
        return [wait, channel?.millisecondsToTimeout].compactMap(\.self).min()
    }
}
