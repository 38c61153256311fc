import Configuration
import ConnectionJourney
import EventLoops
import LinuxBindings
import PolicyEngine

/// What changes without a signal: the files of the policy, and the time.
extension Daemon {
    /// How long a timer for a moment of the wall clock may sleep, in nanoseconds: the clock may be set meanwhile.
    private static let longestSleep: UInt64 = 5_000_000_000

    /// Looks again and again whether another policy was put in the place of the one in force.
    func watchPolicy(on loop: isolated EventLoop) {
        guard plan.watchSeconds > 0 else { return }
        _ = loop.schedule(afterNanoseconds: UInt64(plan.watchSeconds) * 1_000_000_000) { [weak self] in
            guard let self, !self.isDraining else { return }
            let place = PolicyPlace(self.plan.policyPaths + self.plan.secretPaths)
            if !place.isUnknown, place != self.policyPlace {
                loop.startTask(with: self) { daemon, loop in await daemon.reload(isSwap: true, on: loop) }
            }
            self.watchPolicy(on: loop)
        }
    }

    /// Waits for the next moment at which a time window of the policy begins or ends.
    func watchTimes(on loop: isolated EventLoop) {
        if let timeWatch { loop.cancel(timeWatch) }
        timeWatch = nil
        guard let policy = snapshot.policy, policy.hasTimes else { return }
        let now = wallClockMicroseconds()
        judgedAt = now / 1_000_000
        guard let next = policy.nextBoundary(after: judgedAt) else { return }
        let sleep = UInt64(clamping: next &* 1_000_000 &- now).multipliedReportingOverflow(by: 1000)
        let nanoseconds = sleep.overflow ? Self.longestSleep : min(sleep.partialValue, Self.longestSleep)
        timeWatch = loop.schedule(afterNanoseconds: nanoseconds) { [weak self] in
            guard let self else { return }
            self.timeWatch = nil
            loop.startTask(with: self) { daemon, loop in await daemon.judgeAgain(on: loop) }
        }
    }

    /// Puts the policy to every connection again, where a window has begun or ended since, or the clock was put back.
    private func judgeAgain(on loop: isolated EventLoop) async {
        let now = wallClockMicroseconds() / 1_000_000
        let next = snapshot.policy?.nextBoundary(after: judgedAt) ?? .max
        if now >= next || now < judgedAt {
            for worker in workers { await ConnectionJourneys.judgeAgain(worker, on: worker.loop) }
        }
        watchTimes(on: loop)
    }
}

/// What is done on the loops of connections.
private enum ConnectionJourneys {
    static func judgeAgain(_ worker: LoopBound<Worker>, on loop: isolated EventLoop) {
        worker.value(on: loop).judgeAgain(on: loop)
    }
}
