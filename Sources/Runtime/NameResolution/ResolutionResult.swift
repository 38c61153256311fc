import CaresBindings
import NetworkTypes

/// What a name resolved to.
package enum ResolutionResult: Hashable, Sendable {
    /// Never empty: IPv6 first, each family in the order of its answer.
    ///
    /// The order to dial in is `happyEyeballsOrder`.
    /// They are judged before they are dialled: nothing here says that an address is a safe one.
    case addresses([IPAddress])
    case failed(ResolutionFailure)
}

/// Why a name has no address.
package enum ResolutionFailure: Error, Hashable, Sendable {
    /// There is no such name.
    case notFound
    /// The name exists and has no address of either family.
    case noData
    /// The server could not answer, or did not understand the question.
    case serverFailure
    /// The server will not answer.
    case refused
    /// What came back is no answer in DNS.
    case malformed
    case timedOut
    /// No server could be reached.
    case unreachable
    /// Too many names are being resolved already, for all or for whoever asks.
    case overloaded
    /// The resolver has been shut down.
    case shutDown
    /// Something failed on our side: no memory, or a status that c-ares does not document.
    case ourselves

    init(_ error: CaresError) {
        self =
            switch error {
            case .notFound, .badName: .notFound
            case .noData: .noData
            case .serverFailure, .notUnderstood: .serverFailure
            case .refused: .refused
            case .malformed: .malformed
            case .timedOut: .timedOut
            case .unreachable: .unreachable
            case .destroyed: .shutDown
            case .outOfMemory, .unexpected: .ourselves
            }
    }
}

/// The order in which to dial: the families alternate, each in the order given (RFC 8305, section 4).
package func happyEyeballsOrder(
    _ addresses: [IPAddress],
    startingWith first: AddressFamily = .ipv6
) -> [IPAddress] {
    let preferred = addresses.filter { $0.family == first }
    let others = addresses.filter { $0.family != first }
    return (0..<max(preferred.count, others.count)).flatMap { index in
        preferred.dropFirst(index).prefix(1) + others.dropFirst(index).prefix(1)
    }
}
