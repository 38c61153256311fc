/// Connections that wait for their next request, in the order in which they became idle.
///
/// Lives on one loop.
///
/// A connection comes and goes with each request, so it holds its own places in the line: nothing is searched or moved.
final class IdleLine {
    private(set) var first: Connection?
    private var last: Connection?

    /// Puts a connection at the end; it is not in the line yet.
    func append(_ connection: Connection) {
        connection.idleBefore = last
        last?.idleBehind = connection
        last = connection
        if first == nil { first = connection }
    }

    /// Takes a connection out, wherever it stands; one that is not in the line is no matter.
    func remove(_ connection: Connection) {
        guard connection.idleBefore != nil || first === connection else { return }
        if let before = connection.idleBefore {
            before.idleBehind = connection.idleBehind
        } else {
            first = connection.idleBehind
        }
        if let behind = connection.idleBehind {
            behind.idleBefore = connection.idleBefore
        } else {
            last = connection.idleBefore
        }
        connection.idleBefore = nil
        connection.idleBehind = nil
    }
}
