import LinuxBindings

/// What the sockets of a loop have to send by the end of its turn.
///
/// Whoever a piece is for waits meanwhile, and is woken once for several. That pays where many connections move: of few, all would wait
/// for the loop while others have nothing to do. So it holds back as many pieces as an eighth of the sockets that have moved lately, and none of fewer
/// than sixteen.
///
/// Lives on one loop.
final class GatheredSends {
    /// How long a period is in which sockets are counted, in nanoseconds: long beside what a busy loop needs to come round.
    private static let period: UInt64 = 16_000_000
    /// Of how many sockets that move one piece is held back.
    private static let socketsOfPiece = 8

    /// False where each piece goes to the kernel by itself.
    var gathers: Bool { most > 1 }
    private var most = 1
    private let batch = SendBatch()
    /// Whose the pieces of the batch are.
    private var outlets: [SocketOutlet] = []
    private var periods: UInt64 = 0
    private var periodEnds: UInt64 = 0
    /// How many sockets have moved in this period.
    private var moving = 0

    /// A turn of the loop begins at this time of its clock.
    func beginTurn(at now: UInt64) {
        guard now >= periodEnds else { return }
        most = min(max(1, moving / Self.socketsOfPiece), SendBatch.places)
        moving = 0
        periods &+= 1
        periodEnds = now &+ Self.period
    }

    /// Something has come for a socket.
    func noteMove(of outlet: SocketOutlet) {
        guard outlet.movedInPeriod != periods else { return }
        outlet.movedInPeriod = periods
        moving += 1
    }

    /// A socket is gone: of many that come and go, only a few are there at a time.
    func noteEnd(of outlet: SocketOutlet) {
        if outlet.movedInPeriod == periods { moving -= 1 }
    }

    /// Takes octets behind those of a socket that were taken last; false where those are others', or there is no room.
    func extend(_ octets: Span<UInt8>, of outlet: SocketOutlet) -> Bool {
        outlets.last === outlet && batch.extendLast(octets)
    }

    /// Takes octets, at most `SendBatch.mostOctets`, for a socket of which there are none: two pieces of one could be torn apart, because
    /// the kernel goes on where it took only a part of the first.
    func add(_ octets: Span<UInt8>, of outlet: SocketOutlet) {
        if !batch.hasRoom(for: octets.count) { send() }
        batch.add(octets, to: outlet.number)
        outlet.isGathered = true
        outlets.append(outlet)
        if outlets.count >= most { send() }
    }

    /// Gives the kernel all that there is.
    func send() {
        guard !outlets.isEmpty else { return }
        let outlets = outlets
        self.outlets = []
        batch.send { index, outcome, rest in outlets[index].hasSent(outcome, rest: rest) }
        keepRoom(consume outlets)
    }

    /// Keeps the memory of the list for those that come next.
    private func keepRoom(_ list: consuming [SocketOutlet]) {
        guard outlets.isEmpty else { return }
        list.removeAll(keepingCapacity: true)
        outlets = list
    }
}
