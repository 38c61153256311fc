import LinuxBindings
import OpenSSLBindings
import PolicyEngine
import Synchronization
import Telemetry

/// Makes leaves and keeps them: one key for all, one leaf for each name, on a thread of its own.
///
/// Any thread may ask. Whoever asks for a name that is being made waits for the same leaf. How many are made, kept and waited for
/// is bounded: a client that asks for ever new names fills no memory and takes no processor, nor anybody else's turn (threat G07).
package final class LeafMint: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Leaf, LeafMintError>, Never>

    /// Those who wait for a name.
    private struct Wait {
        /// Who asked first: the name is of the share of his.
        let asker: ConnectionOwner?
        /// In whose lines the name stands.
        var askers: Set<ConnectionOwner?>
        var waiters: [Waiter]
    }

    private struct Inside {
        var authority: Authority
        /// Grows with each new authority: what was made under the one before is not kept.
        var generation = 0
        var cache: LeafCache
        var waits: [CertifiedName: Wait] = [:]
        /// How many of the names each has asked for who has asked for any.
        var shares: [ConnectionOwner?: Int] = [:]
        /// The names of `waits` that nobody makes yet.
        var queue: LeafQueue
        var isStopped = false
    }

    private enum Entry {
        case answer(Result<Leaf, LeafMintError>)
        case waiting(isFirst: Bool)
    }

    /// What it counts.
    package let metrics = LeafMintMetrics()
    private let limits: LeafMintLimits
    private let key: P256PrivateKey
    private let wall: @Sendable () -> Int64
    private let steady: @Sendable () -> UInt64
    private let inside: Mutex<Inside>
    private let bell: EventDescriptor

    /// Makes the key, and starts the thread, which lives until `stop`.
    ///
    /// - Parameters:
    ///   - authority: Signs the leaves.
    ///   - limits: How much it does and keeps.
    ///   - wall: Seconds since 1970-01-01T00:00:00Z.
    ///   - steady: Nanoseconds that never go back.
    /// - Throws: `CertificateError` or `SystemCallError`: no randomness, no thread.
    package init(
        authority: Authority,
        limits: LeafMintLimits = LeafMintLimits(),
        wall: @escaping @Sendable () -> Int64,
        steady: @escaping @Sendable () -> UInt64
    ) throws {
        self.limits = limits
        self.wall = wall
        self.steady = steady
        key = try P256PrivateKey()
        bell = try EventDescriptor(blocking: true)
        inside = Mutex(
            Inside(
                authority: authority,
                cache: LeafCache(capacity: limits.leaves),
                queue: LeafQueue(perSecond: limits.leavesPerSecond, burst: limits.burst, at: steady())
            )
        )
        try startThread(named: "leaf-mint") { self.run() }
    }

    /// The leaf for a name, where it is there already; it never waits.
    package func ready(for name: CertifiedName) -> Leaf? {
        let now = wall()
        let leaf = inside.withLock { fresh(name, at: now, in: &$0) }
        if leaf != nil { metrics.reused.increment() }
        return leaf
    }

    /// The leaf for a name: at once where it is there, else as soon as it is made.
    ///
    /// Names are made in the order in which `asker` asks, and the askers have turns. It resumes where it was called, so on a loop if
    /// that was one.
    package func leaf(
        for name: CertifiedName,
        asker: ConnectionOwner?,
        isolation: isolated (any Actor)? = #isolation
    ) async throws(LeafMintError) -> Leaf {
        if let leaf = ready(for: name) { return leaf }
        let answer = await withCheckedContinuation { waiter in
            switch enter(name, asker, waiter) {
            case .answer(let answer): waiter.resume(returning: answer)
            case .waiting(isFirst: true): bell.signal()
            case .waiting(isFirst: false): metrics.shared.increment()
            }
        }
        return try answer.get()
    }

    /// Signs with another authority from now on.
    ///
    /// Leaves that somebody has stay as they are, and with them live connections; none of them is given out again. Of the same
    /// root they are good for as long as they were.
    ///
    /// - Returns: whether it is another root.
    @discardableResult
    package func replace(_ authority: Authority) -> Bool {
        inside.withLock { inside in
            guard authority.certificate != inside.authority.certificate else { return false }
            inside.authority = authority
            inside.generation += 1
            metrics.kept.add(-Int64(inside.cache.count))
            inside.cache = LeafCache(capacity: limits.leaves)
            return true
        }
    }

    /// When the time of its authority was over, in seconds since 1970-01-01T00:00:00Z; `nil` while it is not.
    package var expired: Int64? {
        let end = inside.withLock { $0.authority.certificate.notAfter }
        return end < wall() ? end : nil
    }

    /// Ends the thread; whoever waits is told `stopped`, and so is everybody who asks for a new name.
    package func stop() {
        let waiters = inside.withLock { inside in
            inside.isStopped = true
            inside.queue.removeAll()
            inside.shares = [:]
            defer { inside.waits = [:] }
            return inside.waits.values.flatMap(\.waiters)
        }
        for waiter in waiters { waiter.resume(returning: .failure(.stopped)) }
        bell.signal()
    }

    private func fresh(_ name: CertifiedName, at now: Int64, in inside: inout Inside) -> Leaf? {
        inside.cache.use(name).flatMap { $0.isFresh(at: now, margin: limits.renewalSeconds) ? $0 : nil }
    }

    private func enter(_ name: CertifiedName, _ asker: ConnectionOwner?, _ waiter: Waiter) -> Entry {
        let now = wall()
        return inside.withLock { inside in
            // It may have been made since `ready` was asked.
            if let leaf = fresh(name, at: now, in: &inside) { return .answer(.success(leaf)) }
            guard !inside.isStopped else { return .answer(.failure(.stopped)) }
            if inside.waits[name] != nil {
                inside.waits[name]?.waiters.append(waiter)
                // His turn may come before that of who asked first.
                if inside.waits[name]?.askers.insert(asker).inserted ?? false { inside.queue.append(name, for: asker) }
                return .waiting(isFirst: false)
            }
            let own = inside.shares[asker, default: 0] + 1
            guard own < limits.waitingNames - inside.waits.count else {
                metrics.busy.increment()
                return .answer(.failure(.busy))
            }
            inside.shares[asker] = own
            inside.waits[name] = Wait(asker: asker, askers: [asker], waiters: [waiter])
            inside.queue.append(name, for: asker)
            return .waiting(isFirst: true)
        }
    }
}

extension LeafMint {
    private enum Step {
        case make(CertifiedName, Authority, generation: Int)
        case pause(milliseconds: UInt32)
        case rest
        case end
    }

    /// The thread's life.
    private func run() {
        while true {
            switch nextStep() {
            case .make(let name, let authority, let generation): make(name, authority, generation)
            case .pause(let milliseconds): sleepMilliseconds(milliseconds)
            case .rest: bell.wait()
            case .end: return
            }
        }
    }

    private func nextStep() -> Step {
        let now = steady()
        return inside.withLock { inside in
            guard !inside.isStopped else { return .end }
            switch inside.queue.next(at: now) {
            case .name(let name): return .make(name, inside.authority, generation: inside.generation)
            case .later(let milliseconds): return .pause(milliseconds: milliseconds)
            case .empty: return .rest
            }
        }
    }

    private func make(_ name: CertifiedName, _ authority: Authority, _ generation: Int) {
        let answer = sign(name, authority)
        let waiters = inside.withLock { inside -> [Waiter]? in
            guard inside.generation == generation else { return nil }
            if case .success(let leaf) = answer { keep(leaf, for: name, in: &inside) }
            return end(name, in: &inside)
        }
        // There is another authority by now, and whoever waits is to have its leaf.
        guard let waiters else { return inside.withLock { $0.queue.appendFirst(name) } }
        switch answer {
        case .success: metrics.minted.increment()
        case .failure: metrics.failed.increment()
        }
        for waiter in waiters { waiter.resume(returning: answer) }
    }

    private func end(_ name: CertifiedName, in inside: inout Inside) -> [Waiter] {
        guard let wait = inside.waits.removeValue(forKey: name) else { return [] }
        for asker in wait.askers { inside.queue.remove(name, of: asker) }
        let left = inside.shares[wait.asker, default: 1] - 1
        inside.shares[wait.asker] = left == 0 ? nil : left
        return wait.waiters
    }

    private func keep(_ leaf: Leaf, for name: CertifiedName, in inside: inout Inside) {
        let before = inside.cache.count
        if inside.cache.keep(leaf, for: name) { metrics.evicted.increment() }
        metrics.kept.add(Int64(inside.cache.count - before))
    }

    private func sign(_ name: CertifiedName, _ authority: Authority) -> Result<Leaf, LeafMintError> {
        let now = wall()
        // Under a root that is over no client would take the leaf.
        guard now <= authority.certificate.notAfter else { return .failure(.authorityExpired) }
        do throws(CertificateError) {
            let certificate = try authority.leaf(
                for: name,
                notBefore: now - limits.skewSeconds,
                notAfter: now + limits.lifeSeconds,
                key: key
            )
            return .success(Leaf(certificate: certificate, key: key, authority: authority.certificate))
        } catch {
            switch error {
            case .notPermitted: return .failure(.notPermitted)
            case .outlived: return .failure(.authorityExpired)
            case .noCertificate, .damaged, .tooMany, .noKey, .otherKey, .otherAlgorithm, .failed:
                return .failure(.failed)
            }
        }
    }
}
