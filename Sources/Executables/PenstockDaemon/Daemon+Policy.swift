import AuditStore
import AuditTrail
import Configuration
import ConnectionJourney
import Credentials
import EventLoops
import GovernanceAPI
import OperatorEndpoints
import PolicyCounters
import PolicyEngine
import TLSInterception

/// How the daemon comes by its policy, and how it is put in force.
extension Daemon {
    /// Loads the policy; `isSwap`: nobody asked for it, but another may stand there.
    ///
    /// - Returns: what is to be told once all workers have it; `nil` where the one before stays in force.
    func loadPolicy(isSwap: Bool = false) -> PolicyNews? {
        // Before it is read: a swap that comes meanwhile is seen at the next look.
        policyPlace = PolicyPlace(plan.policyPaths + plan.secretPaths)
        do {
            let read = try plan.loadPolicy()
            let upstreamTLS = try plan.interception?.upstreamTLS(after: snapshot.upstreamTLS)
            let isSame =
                read.policy.hash == snapshot.policy?.hash && read.vault.holdsTheSame(as: snapshot.vault)
                && read.ways.isMadeOfTheSame(as: snapshot.ways) && upstreamTLS === snapshot.upstreamTLS
            guard !isSwap || !isSame else {
                readiness.update { $0.refusedReload = nil }
                return nil
            }
            return adopt(read, upstreamTLS)
        } catch {
            refusePolicy("\(error)")
            return nil
        }
    }

    /// Loads the policy, and once more if that was asked for meanwhile: the file may have changed after it was read.
    func reload(isSwap: Bool = false, on loop: isolated EventLoop) async {
        wantsReload = true
        if !isSwap { wasAsked = true }
        guard !isReloading else { return }
        isReloading = true
        defer { isReloading = false }
        while wantsReload, !isDraining {
            wantsReload = false
            let isSwap = !wasAsked
            wasAsked = false
            guard let news = loadPolicy(isSwap: isSwap) else { continue }
            watchTimes(on: loop)
            for worker in workers { await putInForce(snapshot, worker, on: worker.loop) }
            for server in governance { await putInForce(GovernancePolicy(snapshot), server, on: server.loop) }
            tell(news)
        }
    }

    /// Writes down that another policy is loaded: before anything is decided by it.
    private func adopt(_ read: ReadPolicy, _ upstreamTLS: UpstreamTLS?) -> PolicyNews {
        let policy = read.policy
        let before = snapshot.policy
        let changes = before.map { PolicyChanges(from: $0, to: policy) }
        counters.need(policy.hasCounters)
        let hasNewSecrets = !read.vault.holdsTheSame(as: snapshot.vault)
        let hasNewWays = !read.ways.isMadeOfTheSame(as: snapshot.ways)
        let hasNewTrust = upstreamTLS !== snapshot.upstreamTLS
        snapshot = PolicySnapshot(
            policy: policy,
            generation: snapshot.generation + 1,
            vault: read.vault,
            ways: read.ways,
            upstreamTLS: upstreamTLS
        )
        audit.submit(
            PolicyRecord(
                event: .loaded,
                hashBefore: before?.hash,
                hashAfter: policy.hash,
                generation: snapshot.generation,
                changes: changes
            )
        )
        return PolicyNews(
            changes: changes,
            hasNewSecrets: hasNewSecrets,
            hasNewWays: hasNewWays,
            hasNewTrust: hasNewTrust,
            secrets: read.vault.count
        )
    }

    /// Says that a policy is in force, and what it brings: nothing is decided by the one before any more.
    func tell(_ news: PolicyNews) {
        guard let policy = snapshot.policy else { return }
        let generation = snapshot.generation
        readiness.update {
            $0.missingPolicy = nil
            $0.refusedReload = nil
            $0.policyGeneration = generation
            $0.policyHash = policy.hash
            $0.reloads += 1
        }
        say(
            "policy '\(policy.name)' in force, rules: \(policy.rules.count), mode \(policy.mode.rawValue), \(policy.hash)"
        )
        if news.hasNewSecrets { say("secrets were read from their files: \(news.secrets)") }
        if news.hasNewWays { say("what ways out need was read from their files") }
        if news.hasNewTrust { say("what servers are verified by, and shown, was read from its files") }
        if let changes = news.changes { say("what it changes: \(changes)") }
        if policy.mode == .audit { say("warning: mode: audit lets through what the policy would refuse") }
    }

    private func refusePolicy(_ problem: String) {
        audit.submit(
            PolicyRecord(
                event: .refused,
                hashBefore: snapshot.policy?.hash,
                hashAfter: snapshot.policy?.hash,
                problems: problem.split(separator: "\n").map(String.init)
            )
        )
        let firstLine = problem.split(separator: "\n").first.map(String.init) ?? problem
        let hasPolicy = snapshot.policy != nil
        readiness.update {
            if hasPolicy { $0.refusedReload = firstLine } else { $0.missingPolicy = firstLine }
            $0.refusedReloads += 1
        }
        say(hasPolicy ? "policy not reloaded, the old one stays in force:" : "no policy, so everything is refused:")
        for line in problem.split(separator: "\n") { say("  \(line)") }
    }
}

/// What is told of a policy that was loaded.
struct PolicyNews {
    var changes: PolicyChanges?
    var hasNewSecrets: Bool
    var hasNewWays: Bool
    var hasNewTrust: Bool
    var secrets: Int
}

private func putInForce(
    _ policy: GovernancePolicy,
    _ server: LoopBound<GovernanceServer>,
    on loop: isolated EventLoop
) {
    server.value(on: loop).adopt(policy)
}

extension GovernancePolicy {
    init(_ snapshot: PolicySnapshot) {
        self.init(snapshot.policy, generation: snapshot.generation)
    }
}

private func putInForce(_ snapshot: PolicySnapshot, _ worker: LoopBound<Worker>, on loop: isolated EventLoop) {
    worker.value(on: loop).adopt(snapshot, on: loop)
}
