import EventLoops
import HTTPExchange
import LinuxBindings

/// Sees to it that clients which ask nothing for a moment keep no upstream to themselves, and no memory that others can use.
///
/// Lives on one loop. A client that asks one thing after the other is looked at once in each round, and loses nothing.
final class UpstreamLending {
    /// Those that became idle in this round, each once.
    private var candidates: [Conversation] = []
    private var round: TimerToken?
    private var crowd = QuietCrowd()
    private var givingBack: TimerToken?

    /// How long a client may be idle before its upstream is anybody's, and a round lasts, in nanoseconds.
    private static let patience: UInt64 = 50_000_000
    /// How long at least, where somebody else asks for it: who asks one thing after the other is not robbed between two.
    private static let leastPatience: UInt64 = 10_000_000
    /// How many of those that became idle first are asked.
    private static let searched = 16

    /// Notes a conversation that has become idle.
    func watch(_ conversation: Conversation, on loop: isolated EventLoop) {
        guard !conversation.isWatchedForLending else { return }
        conversation.isWatchedForLending = true
        candidates.append(conversation)
        if round == nil { startRound(on: loop) }
    }

    /// Has somebody who has been idle for a little give back an upstream for such requests; where nobody can, nothing happens.
    func reclaim(_ key: PoolKey, on loop: isolated EventLoop) {
        let idle = candidates.prefix(Self.searched).first { conversation in
            guard let since = conversation.idleSince, !conversation.isPinned else { return false }
            return since &+ Self.leastPatience <= loop.now && conversation.upstream?.line.key == key
        }
        idle?.giveBackUpstream(on: loop)
    }

    private func startRound(on loop: isolated EventLoop) {
        // Its end sees to that again.
        if let givingBack { loop.cancel(givingBack) }
        givingBack = nil
        round = loop.schedule(afterNanoseconds: Self.patience) { [weak self] in self?.endRound(on: loop) }
    }

    private func endRound(on loop: isolated EventLoop) {
        round = nil
        let ended = candidates
        candidates = []
        for conversation in ended {
            conversation.isWatchedForLending = false
            guard let since = conversation.idleSince else { continue }
            if since &+ Self.patience <= loop.now {
                conversation.beQuiet(on: loop)
                crowd.add(at: loop.now)
            } else {
                conversation.isWatchedForLending = true
                candidates.append(conversation)
            }
        }
        if !candidates.isEmpty { return startRound(on: loop) }
        guard let wait = crowd.wait(at: loop.now) else { return }
        givingBack = loop.schedule(afterNanoseconds: wait) { [weak self] in self?.giveBackMemory(on: loop) }
    }

    private func giveBackMemory(on loop: isolated EventLoop) {
        givingBack = nil
        crowd.disperse()
        trimMemory()
        // Handshakes and first requests touch far more of the program than those who go on.
        releaseProgramPages()
    }
}
