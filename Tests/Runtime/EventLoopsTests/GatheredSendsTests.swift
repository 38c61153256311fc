import EventLoops
import Glibc
import LinuxBindings
import NetworkTypes
import Testing

/// What a loop has its sockets send together.
@Suite("Sends of a turn")
struct GatheredSendsTests {
    @Test("of few sockets that move each piece goes at once", .timeLimit(.minutes(5)))
    func few() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(try await looks(5, sockets: 8, on: loop) == Array(repeating: Look(atOnce: 7, behind: 7), count: 5))
        await loop.stop()
    }

    @Test("of many a piece goes with those of others, at the end of the turn at the latest", .timeLimit(.minutes(5)))
    func many() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        // A machine that is slow may see few of them move in the time that counts.
        let looks = try await looks(400, sockets: 160, until: Look(atOnce: 0, behind: 7), on: loop)
        #expect(looks.last == Look(atOnce: 0, behind: 7))
        #expect(looks.allSatisfy { $0.behind == 7 })
        await loop.stop()
    }

    @Test("each peer has what its socket sent, in order and to the end", .timeLimit(.minutes(5)))
    func whole() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        #expect(try await echoed(octets: 40_000, sockets: 160, on: loop) == Array(repeating: 40_000, count: 160))
        await loop.stop()
    }

    @Test("a peer that is gone fails its own socket alone, and whoever waits there is told", .timeLimit(.minutes(5)))
    func gone() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let failing = try await failing(3, of: 160, on: loop)
        #expect(failing.others == 157)
        // One that went with something unread has reset the connection.
        #expect(failing.failures.count == 3 && Set(failing.failures).isSubset(of: [EPIPE, ECONNRESET]))
        #expect(try await failureOfWaiting(on: loop) == EPIPE)
        // The kernel tells of a reset once, and whoever sends hears it: reading would find an end in order.
        let standing = try await standingBehindReset(on: loop)
        #expect(standing.failure == ECONNRESET || standing.failure == EPIPE)
        #expect(standing.hasFailed && !standing.isLastReadable)
        await loop.stop()
    }
}

/// Who waits where sending fails, though the peer is there: what comes of the wait.
private func failureOfWaiting(on loop: isolated EventLoop) async throws -> Int32? {
    let crowd = try Crowd(160, on: loop)
    defer { crowd.leave(loop) }
    for (socket, echo) in zip(crowd.sockets, crowd.echoes) {
        let end = loop.now + 40_000_000
        while loop.now < end { await crowd.move(loop) }
        let told = echo.timesTold
        shutdown(socket.descriptor.number, Int32(SHUT_WR))
        // On a slow machine it may be sent at once, and fail at once.
        guard (try? socket.send([7])) != nil else { continue }
        while echo.timesTold == told { await loop.nextTurn() }
        return echo.failure?.code
    }
    return nil
}

/// How a socket stands whose peer resets the connection just before its piece goes.
private struct Standing: Equatable, Sendable {
    var failure: Int32?
    var hasFailed = false
    var isLastReadable = false
}

private func standingBehindReset(on loop: isolated EventLoop) async throws -> Standing {
    let crowd = try Crowd(160, on: loop)
    defer { crowd.leave(loop) }
    while true {
        let end = loop.now + 40_000_000
        while loop.now < end { await crowd.move(loop) }
        let peer = try streamSocket(family: .ipv4)
        let socket = try accepted(from: peer)
        let echo = Echo()
        socket.observer = echo
        try socket.attach(to: loop)
        defer { socket.detach(from: loop) }
        for _ in 0..<3 { await loop.nextTurn() }
        let told = echo.timesTold
        reset(peer)
        // On a slow machine it may be sent at once, and fail at once.
        guard (try? socket.send([7])) != nil else { continue }
        while echo.timesTold == told { await loop.nextTurn() }
        return Standing(
            failure: echo.failure?.code,
            hasFailed: socket.hasFailed,
            isLastReadable: socket.isLastReadable
        )
    }
}

/// Resets a connection (connect(2), `AF_UNSPEC`), which closing does once nobody else has the descriptor.
private func reset(_ peer: borrowing OwnedDescriptor) {
    var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    unsafe connect(peer.number, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
}

/// How many of seven peers had what they were sent, at once and when the turn was over.
private struct Look: Equatable, Sendable {
    var atOnce = 0
    var behind = 0
}

/// Looks at seven of so many sockets that all move, so often or until that is seen.
private func looks(
    _ count: Int,
    sockets: Int,
    until wanted: Look? = nil,
    on loop: isolated EventLoop
) async throws -> [Look] {
    let crowd = try Crowd(sockets, on: loop)
    defer { crowd.leave(loop) }
    var looks: [Look] = []
    while looks.count < count, looks.isEmpty || looks.last != wanted {
        let end = loop.now + 40_000_000
        while loop.now < end { await crowd.move(loop) }
        var look = Look()
        for index in 0..<7 { _ = try crowd.sockets[index].send([7]) }
        for index in 0..<7 where crowd.peers[index].hear() > 0 { look.atOnce += 1 }
        look.behind = look.atOnce
        for _ in 0..<3 { await loop.nextTurn() }
        for index in 0..<7 where crowd.peers[index].hear() > 0 { look.behind += 1 }
        looks.append(look)
    }
    return looks
}

/// Has so many sockets say again what they hear, and end behind it; how much of it came back as it was said to each peer.
private func echoed(octets: Int, sockets: Int, on loop: isolated EventLoop) async throws -> [Int] {
    let crowd = try Crowd(sockets, room: 2304, on: loop)
    defer { crowd.leave(loop) }
    var random = SystemRandomNumberGenerator()
    while crowd.peers.contains(where: { !$0.hasEnd }) {
        for peer in crowd.peers {
            peer.say(min(octets - peer.said, Int.random(in: 0...3000, using: &random)))
            if peer.said == octets { peer.end() }
            // Some are behind with listening.
            if Bool.random(using: &random) { peer.hear(atMost: 1500) }
        }
        await loop.nextTurn()
    }
    return crowd.peers.map(\.heardInOrder)
}

/// What became of those whose peers were there, and of the others.
private struct Failing: Sendable {
    var others = 0
    var failures: [Int32] = []
}

private func failing(_ count: Int, of sockets: Int, on loop: isolated EventLoop) async throws -> Failing {
    let crowd = try Crowd(sockets, on: loop)
    defer { crowd.leave(loop) }
    let end = loop.now + 100_000_000
    while loop.now < end { await crowd.move(loop) }
    for peer in crowd.peers[..<count] { peer.leave() }
    for socket in crowd.sockets { _ = try? socket.send([7]) }
    let told = crowd.echoes[..<count].map(\.timesTold)
    for _ in 0..<3 { await loop.nextTurn() }
    let heard = crowd.peers[count...].count { $0.hear() > 0 }
    var failures: [Int32] = []
    for index in 0..<count where crowd.echoes[index].timesTold > told[index] {
        do throws(SystemCallError) {
            _ = try crowd.sockets[index].send([7])
        } catch {
            failures.append(error.code)
        }
    }
    return Failing(others: heard, failures: failures)
}

/// Sockets of a loop, each with somebody at its other end who is in the test's hands.
private final class Crowd {
    private(set) var sockets: [StreamSocket] = []
    private(set) var peers: [Peer] = []
    private(set) var echoes: [Echo] = []

    /// With `room` the kernel keeps no more octets than that for each socket, or than the least that it keeps.
    init(_ count: Int, room: Int32? = nil, on loop: isolated EventLoop) throws {
        for index in 0..<count {
            var ends: [Int32] = [0, 0]
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
            guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw NoSocket() }
            if var room {
                unsafe setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
            }
            let socket = StreamSocket(OwnedDescriptor(adopting: ends[0]))
            let echo = Echo()
            socket.observer = echo
            try socket.attach(to: loop)
            sockets.append(socket)
            echoes.append(echo)
            peers.append(Peer(ends[1], index))
        }
    }

    /// Has something come for each socket, and be said again.
    func move(_ loop: isolated EventLoop) async {
        for peer in peers { peer.say(1) }
        for _ in 0..<2 { await loop.nextTurn() }
        for peer in peers { peer.hear() }
    }

    func leave(_ loop: isolated EventLoop) {
        for socket in sockets { socket.detach(from: loop) }
        for peer in peers { peer.leave() }
    }
}

/// Says again what it hears.
private final class Echo: SocketObserver {
    private(set) var timesTold = 0
    private(set) var failure: SystemCallError?
    private var rest: [UInt8] = []
    private let buffer = TransferBuffer(capacity: 4096)

    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        timesTold += 1
        do throws(SystemCallError) {
            while try sayAgain(socket) {
                guard socket.isReadable, case .done(let count) = try socket.receive(into: buffer) else { return }
                guard count > 0 else { return try socket.endSending() }
                rest = buffer.copy(0..<count)
            }
        } catch {
            failure = error
        }
    }

    /// False where the socket has no room for it.
    private func sayAgain(_ socket: StreamSocket) throws(SystemCallError) -> Bool {
        while !rest.isEmpty {
            guard socket.isWritable, case .done(let count) = try socket.send(rest[...]) else { return false }
            rest.removeFirst(count)
        }
        return true
    }
}

/// Who is at the other end of a socket.
private final class Peer {
    private(set) var said = 0
    /// How many octets have come that are what was said, up to the first that is not.
    private(set) var heardInOrder = 0
    private(set) var hasEnd = false
    private var heard = 0
    private var number: Int32?
    private let index: Int

    init(_ number: Int32, _ index: Int) {
        self.number = number
        self.index = index
    }

    /// Says so many octets, or as many as there is room for.
    func say(_ count: Int) {
        guard let number, count > 0 else { return }
        let octets = (said..<(said + count)).map(octet)
        let taken = unsafe octets.withUnsafeBytes {
            unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if taken > 0 { said += taken }
    }

    func end() {
        if let number { shutdown(number, Int32(SHUT_WR)) }
    }

    /// Hears what there is, and says how much.
    @discardableResult
    func hear(atMost most: Int = 65_536) -> Int {
        guard let number, !hasEnd else { return 0 }
        var octets = [UInt8](repeating: 0, count: most)
        let count = unsafe octets.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, 0) }
        if count == 0 { hasEnd = true }
        guard count > 0 else { return 0 }
        for octet in octets[..<count] {
            if heardInOrder == heard, octet == self.octet(heard) { heardInOrder += 1 }
            heard += 1
        }
        return count
    }

    func leave() {
        guard let number else { return }
        // A program that another test starts just then has a copy of the descriptor: closing ours alone would end nothing.
        shutdown(number, Int32(SHUT_RDWR))
        close(number)
        self.number = nil
    }

    private func octet(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: place &* 31 &+ place >> 8 &+ index) }
}
