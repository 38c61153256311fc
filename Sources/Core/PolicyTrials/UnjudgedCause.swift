/// Why a record of a decision is not put to a policy, or its answer says nothing.
package enum UnjudgedCause: String, Hashable, Sendable, CaseIterable {
    /// A connection whose requests are read: each of them has a record of its own.
    case carrier
    /// It was refused for what it was, not by a policy: malformed, contradictory, in excess, or while nothing could be recorded.
    case beyondPolicy = "beyond_policy"
    /// What its body says could not be found out, and no record holds it: it was refused, or went on because of `mode: audit`.
    case unreadContent = "unread_content"
    /// A rate or a budget was used up, which is not counted anew.
    case spent
    /// The record does not say where it was going.
    case noDestination = "no_destination"
    /// A request inside TLS, which policies judge only where TLS can be looked into.
    case insideTLS = "inside_tls"
    /// A text of the record was cut because it was too long.
    case cutText = "cut_text"
    /// Rules ask for what no record holds, such as the values of headers and of queries, or what a tunnel carried.
    case unrecorded
    /// It was refused for the addresses of a name, and no record holds those.
    case unrecordedAddresses = "unrecorded_addresses"
}

extension UnjudgedCause {
    /// What records these are, as it stands behind their number.
    package var explanation: String {
        switch self {
        case .carrier: "connections whose requests are read: each of these has a record of its own"
        case .beyondPolicy:
            "refused whatever a policy says: malformed, contradictory, in excess, or while nothing could be recorded"
        case .unreadContent: "whose body a rule asks about, and could not be read (unreadable_content)"
        case .spent: "refused because a rate or a budget was used up, which is not counted anew"
        case .noDestination: "where the record does not say where it was going"
        case .insideTLS: "requests inside TLS, which policies judge with --intercept only"
        case .cutText: "where a text of the record was cut because it was too long"
        case .unrecorded:
            "where rules ask for what no record holds, such as header values, what follows a `?` or what a tunnel carried"
        case .unrecordedAddresses: "that were refused for the addresses of a name, which no record holds"
        }
    }
}
