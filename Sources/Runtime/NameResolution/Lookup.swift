import CaresBindings
import NetworkTypes

/// One name on its way: two questions, and everybody who waits for what comes of them.
///
/// ```
/// waiting ──one family has addresses──▶ waiting for the other, at most for the resolution delay
///    │                                        │
///    ├──both answered◀────────────────────────┤
///    └──deadline──────────────────────────────┴──▶ answered with what is there; the rest still fills the cache
/// ```
///
/// Who needs the rest waits again, until it has come or the deadline is over.
struct Lookup {
    let name: HostName
    /// Who began it.
    let asker: AnyHashable
    /// When everybody is answered at the latest, on the host's clock.
    private(set) var due: UInt64
    /// The same of those who wait for both families.
    let deadline: UInt64
    /// Who waits; empty once they were answered.
    private(set) var waiters: [(ResolutionResult) -> Void]
    private var four = FamilyAnswer.waiting
    private var six = FamilyAnswer.waiting

    /// What is known of one family.
    private enum FamilyAnswer {
        case waiting
        case addresses([IPAddress], seconds: Int)
        case failed(ResolutionFailure)
    }

    init(_ name: HostName, asker: AnyHashable, due: UInt64, waiter: @escaping (ResolutionResult) -> Void) {
        self.name = name
        self.asker = asker
        self.due = due
        deadline = due
        waiters = [waiter]
    }

    mutating func join(_ waiter: @escaping (ResolutionResult) -> Void) { waiters.append(waiter) }

    /// Notes that everybody was answered with what is there: who joins from now on waits for both families.
    mutating func wasTold() {
        waiters = []
        due = deadline
    }

    /// Takes the answer of one family.
    ///
    /// With addresses, the other family is waited for until `delayed` at most.
    mutating func answered(_ family: AddressFamily, _ outcome: CaresAnswer.Outcome, delayed: UInt64) {
        let answer: FamilyAnswer
        switch outcome {
        case .addresses(let addresses, let seconds):
            answer = .addresses(addresses, seconds: seconds)
            due = min(due, delayed)
        case .failed(let error):
            answer = .failed(ResolutionFailure(error))
        }
        switch family {
        case .ipv4: four = answer
        case .ipv6: six = answer
        }
    }

    /// True when nothing more will come.
    var isComplete: Bool {
        switch (four, six) {
        case (.waiting, _), (_, .waiting): false
        case (.addresses, _), (.failed, _): true
        }
    }

    /// True where one family has addresses, and nobody could say whether the other has: it may be the one that is needed.
    var lacksFamily: Bool {
        switch (four, six) {
        case (.addresses, .failed(let failure)), (.failed(let failure), .addresses):
            failure != .noData && failure != .notFound
        case (.waiting, _), (.addresses, _), (.failed, _): false
        }
    }

    /// What is to be said by now; a family that has not answered has timed out.
    var result: ResolutionResult {
        let addresses = Self.addresses(six) + Self.addresses(four)
        guard addresses.isEmpty else { return .addresses(addresses) }
        return .failed(Self.verdict(Self.failure(four), Self.failure(six)))
    }

    /// The least time to live of what was answered, as the servers say it; `nil` where nothing was.
    var seconds: Int? {
        switch (four, six) {
        case (.addresses(_, let four), .addresses(_, let six)): min(four, six)
        case (.addresses(_, let seconds), _), (_, .addresses(_, let seconds)): seconds
        case (.waiting, _), (.failed, _): nil
        }
    }

    private static func addresses(_ answer: FamilyAnswer) -> [IPAddress] {
        switch answer {
        case .addresses(let addresses, _): addresses
        case .waiting, .failed: []
        }
    }

    private static func failure(_ answer: FamilyAnswer) -> ResolutionFailure {
        switch answer {
        case .failed(let failure): failure
        case .waiting, .addresses: .timedOut
        }
    }

    /// "No such name" is true of both families; "no data" only of its own, so that any other failure says more.
    private static func verdict(_ four: ResolutionFailure, _ six: ResolutionFailure) -> ResolutionFailure {
        if four == .notFound || six == .notFound { return .notFound }
        return four == .noData ? six : four
    }
}
