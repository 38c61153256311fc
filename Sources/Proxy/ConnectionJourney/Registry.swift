import EventLoops

/// The connections of one loop, from the moment they are accepted.
///
/// Lives on that loop.
final class Registry {
    private(set) var live: [ObjectIdentifier: Connection] = [:]
    /// In the order of acceptance; those that are decided are skipped.
    private var undecided: [Connection?] = []
    private var firstUndecided = 0
    private(set) var undecidedCount = 0

    var count: Int { live.count }

    func add(_ connection: Connection) {
        live[ObjectIdentifier(connection)] = connection
        undecided.append(connection)
        undecidedCount += 1
    }

    /// Counts the connection among the decided; called once for each.
    func decided(_ connection: Connection) {
        undecidedCount -= 1
        while firstUndecided < undecided.count, undecided[firstUndecided]?.decision != nil {
            undecided[firstUndecided] = nil
            firstUndecided += 1
        }
        if firstUndecided == undecided.count {
            undecided.removeAll(keepingCapacity: true)
            firstUndecided = 0
        } else if firstUndecided > 4096 {
            undecided.removeSubrange(..<firstUndecided)
            firstUndecided = 0
        }
    }

    func remove(_ connection: Connection) {
        live[ObjectIdentifier(connection)] = nil
    }

    /// The connection that has been undecided for longest and is not on its way out already.
    func oldestUndecided() -> Connection? {
        undecided[firstUndecided...].lazy.compactMap { $0 }.first { $0.decision == nil && $0.cutting == nil }
    }
}
