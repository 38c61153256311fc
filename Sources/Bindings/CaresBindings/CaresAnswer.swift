import CCares
import NetworkTypes

/// What a channel is made with.
package struct CaresSettings: Hashable, Sendable {
    /// The servers, in the order in which they are tried.
    ///
    /// With none every question fails.
    package var servers: [SocketAddress]
    /// How long one server is waited for at first; each further round doubles it.
    package var timeoutMilliseconds: Int
    /// How many rounds over the servers.
    package var tries: Int
    /// Whether a server that will not or cannot answer is heard, instead of the next one being asked.
    package var hearsRefusals: Bool

    package init(servers: [SocketAddress], timeoutMilliseconds: Int, tries: Int, hearsRefusals: Bool = false) {
        self.servers = servers
        self.timeoutMilliseconds = timeoutMilliseconds
        self.tries = tries
        self.hearsRefusals = hearsRefusals
    }
}

/// What became of one question.
package struct CaresAnswer: Hashable, Sendable {
    /// The token that the question was asked with.
    package let token: UInt64
    package let outcome: Outcome

    /// Addresses, or why there are none.
    package enum Outcome: Hashable, Sendable {
        /// Never empty, never more than `caresAddressLimit`, without repetition.
        ///
        /// The seconds are the least time to live of the records and of the aliases that led to them. They are the server's
        /// word: any number may stand there.
        case addresses([IPAddress], secondsToLive: Int)
        case failed(CaresError)
    }
}

/// How many addresses are taken from one answer; the rest is left unread.
package let caresAddressLimit = 64

/// Why c-ares has no answer.
package enum CaresError: Error, Hashable, Sendable {
    /// The name exists and has no record of the type that was asked.
    case noData
    /// The server says that there is no such name.
    case notFound
    case serverFailure
    case refused
    /// The server does not know the kind of question, or says that the question is broken.
    case notUnderstood
    /// What came back is no answer in DNS.
    case malformed
    case timedOut
    /// No server could be reached.
    case unreachable
    /// c-ares will not ask this name.
    case badName
    case outOfMemory
    /// The channel went away first.
    case destroyed
    /// A status that c-ares documents for other calls.
    case unexpected(Int32)

    init(_ status: Int32) {
        self =
            switch status {
            case ARES_ENODATA: .noData
            case ARES_ENOTFOUND: .notFound
            case ARES_ESERVFAIL: .serverFailure
            case ARES_EREFUSED: .refused
            case ARES_EFORMERR, ARES_ENOTIMP: .notUnderstood
            case ARES_EBADRESP: .malformed
            case ARES_ETIMEOUT: .timedOut
            case ARES_ECONNREFUSED, ARES_EOF: .unreachable
            case ARES_EBADNAME, ARES_EBADQUERY: .badName
            case ARES_ENOMEM: .outOfMemory
            case ARES_EDESTRUCTION, ARES_ECANCELLED: .destroyed
            default: .unexpected(status)
            }
    }
}
