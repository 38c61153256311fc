import EventLoops

/// The connections of one loop, from the moment they are accepted.
///
/// Lives on that loop. Its lists are taken out while they are changed, and nothing is let go meanwhile: so the compiler sees that
/// nobody else touches them, and no access is checked as it runs.
final class Registry {
    /// In no order: whoever leaves is replaced by the last.
    private(set) var live: [Connection] = []
    /// In the order of acceptance.
    ///
    /// A place is emptied the moment its connection is decided: what stays here stays open.
    private var undecided: [Connection?] = []
    /// The first place that is not empty.
    private var first = 0
    /// The number of the connection at the first place of the array.
    private var firstNumber: UInt64 = 0
    private(set) var undecidedCount = 0

    /// Those that wait for another request.
    let idle = IdleLine()

    var count: Int { live.count }

    func add(_ connection: Connection) {
        var live = self.live
        self.live = []
        connection.placeAmongLive = live.count
        live.append(connection)
        self.live = live
        var undecided = self.undecided
        self.undecided = []
        connection.number = firstNumber + UInt64(undecided.count)
        undecided.append(connection)
        self.undecided = undecided
        undecidedCount += 1
    }

    /// Counts the connection among the decided; called once for each.
    func decided(_ connection: Connection) {
        undecidedCount -= 1
        var undecided = self.undecided
        self.undecided = []
        undecided[Int(connection.number - firstNumber)] = nil
        while first < undecided.count, undecided[first] == nil { first += 1 }
        // Moved together once in a while, and at no cost when nobody is left.
        if first == undecided.count || first > 4096 {
            firstNumber += UInt64(first)
            undecided.removeSubrange(..<first)
            first = 0
        }
        self.undecided = undecided
    }

    func remove(_ connection: Connection) {
        idle.remove(connection)
        guard let place = connection.placeAmongLive else { return }
        connection.placeAmongLive = nil
        var live = self.live
        self.live = []
        let last = live.removeLast()
        if last !== connection {
            live[place] = last
            last.placeAmongLive = place
        }
        self.live = live
    }

    /// The connection that has been undecided for longest and is not on its way out already.
    func oldestUndecided() -> Connection? {
        undecided[first...].lazy.compactMap { $0 }.first { $0.decision == nil && $0.cutting == nil }
    }
}
