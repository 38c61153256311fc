import ConnectionJourney
import EventLoops
import GovernanceAPI

extension DaemonPlan {
    /// Shares the descriptors out that the process may have: what is accepted must never take those that files and upstreams need.
    ///
    /// Some are the daemon's own; each worker has two for each of its pipes and one for each caller of the API. Of the rest of
    /// its share at most an eighth is for attempts to connect beside the first, and a sixteenth for upstreams that nobody uses.
    /// Each connection has two.
    mutating func shareOut(descriptors: Int) {
        let callers = GovernanceServer.capacity + Acceptor.turn
        let reserved = 64 + workers * (48 * 2 + callers)
        let share = max(0, descriptors - reserved) / workers
        journeys.dialsBeside = min(journeys.dialsBeside, share / 8)
        journeys.pooledUpstreams = min(journeys.pooledUpstreams, share / 16)
        let left = share - journeys.dialsBeside - journeys.pooledUpstreams
        journeys.connections = min(journeys.connections, max(16, left / 2))
        journeys.undecided = min(journeys.undecided, journeys.connections)
    }
}
