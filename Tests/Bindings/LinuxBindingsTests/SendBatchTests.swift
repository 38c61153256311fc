import Glibc
import LinuxBindings
import Testing

/// What the kernel makes of octets for several sockets at once.
@Suite("Batches of sends")
struct SendBatchTests {
    @Test("each socket has its own octets, sent together or one by one", arguments: [true, false])
    func all(isTogether: Bool) throws {
        let pairs = try (0..<SendBatch.places).map { _ in try Pair() }
        let batch = SendBatch(isTogether: isTogether)
        #expect(batch.isTogether == isTogether)
        for round in 0..<3 {
            for (index, pair) in pairs.enumerated() {
                batch.add([UInt8(index), UInt8(round)].span, to: pair.near)
            }
            let isExtended = batch.extendLast([99].span)
            #expect(isExtended)
            #expect(!batch.hasRoom(for: 1))
            #expect(told(batch) == Array(repeating: "2 taken", count: 7) + ["3 taken"])
            #expect(batch.count == 0)
            for (index, pair) in pairs.enumerated() {
                #expect(pair.hear() == [UInt8(index), UInt8(round)] + (index == 7 ? [99] : []))
            }
        }
    }

    @Test("a peer that is gone, and one that takes no more, concern nobody else", arguments: [true, false])
    func apart(isTogether: Bool) throws {
        let pairs = try (0..<4).map { _ in try Pair() }
        pairs[1].leave()
        pairs[2].fill()
        let batch = SendBatch(isTogether: isTogether)
        for pair in pairs { batch.add([1, 2, 3].span, to: pair.near) }
        #expect(told(batch) == ["3 taken", "send 32: 3 left", "0 taken: 3 left", "3 taken"])
        #expect(pairs[0].hear() == [1, 2, 3])
        #expect(pairs[3].hear() == [1, 2, 3])
    }

    @Test("a socket takes a part, and the rest is told", arguments: [true, false])
    func part(isTogether: Bool) throws {
        let pairs = try (0..<3).map { _ in try Pair() }
        // Room for a part of it is made.
        pairs[1].fill()
        let first = pairs[1].hear().count
        let batch = SendBatch(isTogether: isTogether)
        let octets = (0..<SendBatch.mostOctets).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for pair in pairs { batch.add(octets.span, to: pair.near) }
        #expect(first > 0)
        var rest: [[UInt8]] = []
        batch.send { _, _, left in rest.append(left.indices.map { left[$0] }) }
        for (pair, left) in zip(pairs, rest) {
            let heard = pair.hear()
            #expect(Array(heard.suffix(octets.count - left.count)) + left == octets)
        }
    }

    private func told(_ batch: SendBatch) -> [String] {
        var told: [String] = []
        batch.send { index, outcome, rest in
            #expect(index == told.count)
            let left = rest.isEmpty ? "" : ": \(rest.count) left"
            switch outcome {
            case .taken(let count): told.append("\(count) taken\(left)")
            case .failed(let error): told.append("\(error.call) \(error.code)\(left)")
            }
        }
        return told
    }
}

/// Two sockets that do not block.
private final class Pair {
    let near: Int32
    private var far: Int32?

    init() throws {
        // Whoever sends to nobody is told by an error.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        near = ends[0]
        far = ends[1]
        var room: Int32 = 2304
        unsafe setsockopt(near, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(near)
        leave()
    }

    func leave() {
        guard let far else { return }
        // A program that another test starts just then has a copy of the descriptor: closing ours alone would end nothing.
        shutdown(far, Int32(SHUT_RDWR))
        close(far)
        self.far = nil
    }

    /// Sends until there is no room.
    func fill() {
        let octets = [UInt8](repeating: 0, count: 512)
        while unsafe octets.withUnsafeBytes({ unsafe send(near, $0.baseAddress, $0.count, 0) }) > 0 {}
    }

    func hear() -> [UInt8] {
        guard let far else { return [] }
        var octets = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe octets.withUnsafeMutableBytes { unsafe recv(far, $0.baseAddress, $0.count, 0) }
        return Array(octets.prefix(max(0, count)))
    }
}
