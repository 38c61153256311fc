/// Why a record of a decision is not put to a policy, or its answer says nothing.
package enum UnjudgedCause: String, Hashable, Sendable, CaseIterable {
    /// A connection of plain HTTP: each of its requests has a record of its own.
    case carrier
    /// It was refused for what it was, not by a policy: malformed, contradictory, in excess, or while nothing could be recorded.
    case beyondPolicy = "beyond_policy"
    /// The record does not say where it was going.
    case noDestination = "no_destination"
    /// A text of the record was cut because it was too long.
    case cutText = "cut_text"
    /// Rules ask for what no record holds, such as the values of headers and of queries.
    case unrecorded
    /// It was refused for the addresses of a name, and no record holds those.
    case unrecordedAddresses = "unrecorded_addresses"
}

extension UnjudgedCause {
    /// What it says of so many records: "12 …".
    package var explanation: String {
        switch self {
        case .carrier: "carried requests of plain HTTP, each of which has a record of its own"
        case .beyondPolicy: "refused whatever a policy says: malformed, contradictory, in excess, or nothing could be recorded"
        case .noDestination: "do not say where they were going"
        case .cutText: "hold a text that was cut because it was too long"
        case .unrecorded: "cannot be judged: rules ask for what no record holds, such as header values and what follows a `?`"
        case .unrecordedAddresses: "cannot be judged: refused for the addresses of a name, which no record holds"
        }
    }

    /// True where another policy could have said something else, and nobody can tell.
    package var isLoss: Bool {
        switch self {
        case .carrier, .beyondPolicy: false
        case .noDestination, .cutText, .unrecorded, .unrecordedAddresses: true
        }
    }
}
