import Foundation
import PolicyCounters
import Synchronization

/// Clocks that a test sets, and what the counters have said.
final class CounterWorld: Sendable {
    /// Microseconds of the wall clock.
    let wall = Mutex<Int64>(1_795_255_200_000_000)
    /// Nanoseconds of the steady clock.
    let steady = Mutex<UInt64>(1_000_000_000)
    let said = Mutex<[String]>([])
}

/// A folder for the counters' file, removed with it, and their clocks.
final class CounterFolder: Sendable {
    let path: String
    /// The counters' thread holds on to it; it does not hold the folder.
    let world = CounterWorld()

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "counters-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var file: String { path + "/counters.sqlite" }

    /// Lets both clocks go on.
    func advance(seconds: Double) {
        world.wall.withLock { $0 += Int64(seconds * 1_000_000) }
        world.steady.withLock { $0 += UInt64(seconds * 1_000_000_000) }
    }

    /// Counters of this folder, or of another, with their store open.
    func open(capacity: Int = 100, in path: String? = nil) throws -> PolicyCounters {
        let counters = try PolicyCounters(
            directory: path ?? self.path,
            capacity: capacity,
            wall: { [world] in world.wall.withLock { $0 } },
            steady: { [world] in world.steady.withLock { $0 } },
            report: { [world] line in world.said.withLock { $0.append(line) } }
        )
        counters.need(true)
        return counters
    }

    /// What a crash would leave now: the files as they are, in a folder of their own.
    func crashed() throws -> String {
        let copy = path + "/crash-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: file + suffix) {
            try FileManager.default.copyItem(atPath: file + suffix, toPath: "\(copy)/counters.sqlite\(suffix)")
        }
        return copy
    }
}

extension PolicyCounters {
    /// Reserves, and waits for the store as often as it must.
    func take(_ draws: Withdrawal...) async -> Reserving {
        while true {
            let result = reserve(draws)
            guard case .mustWait(let ticket) = result else { return result }
            await withCheckedContinuation { continuation in whenSettled(ticket) { continuation.resume() } }
        }
    }

    /// How often one of these passes, of so many attempts.
    func passes(_ draw: Withdrawal, of attempts: Int) async -> Int {
        var passed = 0
        for _ in 0..<attempts {
            if case .reserved = await take(draw) { passed += 1 }
        }
        return passed
    }
}

/// So many in a time, for one rule.
func rate(_ amount: Int64, perSeconds seconds: Int64, for subject: String = "") -> Withdrawal {
    Withdrawal(CounterKey(rule: "r", kind: .rate, subject: subject), CounterLimit(amount: amount, seconds: seconds))
}

/// So many requests in a period; `nil`: for ever.
func budget(_ amount: Int64, perSeconds seconds: Int64?, for subject: String = "") -> Withdrawal {
    Withdrawal(
        CounterKey(rule: "r", kind: .requests, subject: subject),
        CounterLimit(amount: amount, seconds: seconds)
    )
}

/// So many bytes for ever, taken in pieces.
func bytes(_ amount: Int64, taking piece: Int64, least: Int64 = 1) -> Withdrawal {
    Withdrawal(
        CounterKey(rule: "r", kind: .bytesUp, subject: ""),
        CounterLimit(amount: amount, seconds: nil),
        amount: piece,
        least: least
    )
}

extension PolicyCounters.Reserving {
    /// How much was taken in all; `nil` where nothing was.
    var taken: Int64? {
        guard case .reserved(let reservation) = self else { return nil }
        return reservation.draws.reduce(0) { $0 + reservation.amount(of: $1.key) }
    }

    var refusal: CounterRefusal.Cause? {
        guard case .refused(let refusal) = self else { return nil }
        return refusal.cause
    }
}
