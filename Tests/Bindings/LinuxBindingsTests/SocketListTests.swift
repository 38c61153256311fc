import Foundation
import LinuxBindings
import NetworkTypes
import Testing

/// What the kernel lists of real sockets.
@Suite("Lists of sockets")
struct SocketListTests {
    @Test("A37: among thousands of connections a listener is listed alone, with its owner and its number")
    func listeners() throws {
        let sockets = try SocketOwner(
            """
            server = listen()
            for _ in range(3000):
                client = socket.create_connection(server.getsockname())
                server.accept()[0].close(); client.close()
            live = [(socket.create_connection(server.getsockname()), server.accept()) for _ in range(100)]
            tell(server.getsockname()[1], os.fstat(server.fileno()).st_ino)
            """
        )
        let port = try sockets.port(0)
        let mine = try tcpSockets(.listening, ports: [port], limit: 10)
        #expect(mine.map(\.inode) == [UInt64(try sockets.number(1))])
        #expect(mine.map(\.user) == [geteuid()])
        #expect(mine.map(\.local.description) == ["127.0.0.1:\(port)"])
        let all = try tcpSockets(.listening, limit: 20_000)
        #expect(all.filter { $0.local.port == port } == mine)
    }

    @Test("the kernel picks by port: of three listeners two, of either family; without a port none")
    func ports() throws {
        let sockets = try SocketOwner(
            """
            servers = [listen(), listen(), listen("::1", socket.AF_INET6)]
            tell(*[s.getsockname()[1] for s in servers])
            """
        )
        let ports = try (0..<3).map { try sockets.port($0) }
        let found = try tcpSockets(.listening, ports: [ports[0], ports[2]], limit: 10)
        #expect(Set(found.map(\.local.description)) == ["127.0.0.1:\(ports[0])", "[::1]:\(ports[2])"])
        #expect(try tcpSockets(.listening, ports: [], limit: 10).isEmpty)
        #expect(try tcpSockets(.listening, ports: Set(ports), limit: 10) { $0.local.port == ports[1] }.count == 1)
    }

    @Test("handshakes that have begun, and clients that wait, are listed with both ends")
    func handshakes() throws {
        let sockets = try SocketOwner(
            """
            waiting = listen("::", socket.AF_INET6, defer=True)
            halfway = socket.create_connection(("127.0.0.1", waiting.getsockname()[1]))
            full = listen(backlog=0)
            first = socket.create_connection(full.getsockname())
            knocking = socket.socket(); knocking.setblocking(False); knocking.connect_ex(full.getsockname())
            tell(*[s.getsockname()[1] for s in (waiting, halfway, full, knocking)])
            """
        )
        let (waiting, halfway) = (try sockets.port(0), try sockets.port(1))
        let begun = try tcpSockets(.halfOpen, ports: [waiting], limit: 10)
        #expect(begun.map(\.local.description) == ["[::ffff:127.0.0.1]:\(waiting)"])
        #expect(begun.map(\.remote.address.unmapped.description) == ["127.0.0.1"])
        #expect(begun.map(\.remote.port) == [halfway])
        let (full, knocking) = (try sockets.port(2), try sockets.port(3))
        let opening = try tcpSockets(.opening, limit: 20_000) { $0.remote.port == full }
        #expect(opening.map(\.local.description) == ["127.0.0.1:\(knocking)"])
        #expect(opening.map(\.user) == [geteuid()])
    }

    @Test("a list that is longer than it may be is no list, and says how long it may be")
    func limit() throws {
        let sockets = try SocketOwner("servers = [listen() for _ in range(900)]; tell(servers[0].getsockname()[1])")
        let port = try sockets.port(0)
        #expect(throws: SocketListProblem.tooMany(899)) { try tcpSockets(.listening, limit: 899) }
        #expect(try tcpSockets(.listening, ports: [port], limit: 1).count == 1)
        #expect(throws: SocketListProblem.tooMany(0)) { try tcpSockets(.listening, ports: [port], limit: 0) }
        // Over many datagrams none is lost.
        #expect(try tcpSockets(.listening, limit: 20_000) { $0.local.port >= 1024 }.count >= 900)
    }

    @Test("A17: abstract Unix sockets that listen are listed by name, others are not")
    func unix() throws {
        let name = "penstock-\(UUID().uuidString)"
        let path = FileManager.default.temporaryDirectory.appending(path: name).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let sockets = try SocketOwner(
            """
            def unix(name, kind=socket.SOCK_STREAM):
                s = socket.socket(socket.AF_UNIX, kind); s.bind(name); return s
            kept = [unix("\\0\(name)-a"), unix("\\0\(name)\\0b", socket.SOCK_SEQPACKET), unix("\(path)")]
            for s in kept: s.listen()
            silent = [unix("\\0\(name)-c"), unix("\\0\(name)-d", socket.SOCK_DGRAM)]
            tell(0)
            """
        )
        #expect(try sockets.number(0) == 0)
        let found = try abstractListeners(limit: 20_000).filter { $0.contains(name) }
        #expect(found.sorted() == ["@\(name)-a", "@\(name)@b"])
        #expect(throws: SocketListProblem.tooMany(2)) { try abstractListeners(limit: 2) }
    }
}

/// What is made of the kernel's octets.
@Suite("Answers of the kernel about sockets")
struct SocketAnswerTests {
    /// A header, then a socket of this family at 10.1.2.3:8080, in 88 octets.
    private static func answer(family: UInt8, octets: Int = 88) -> ArraySlice<UInt8> {
        var answer = [UInt8](repeating: 0, count: 100)
        answer[16] = family
        answer.replaceSubrange(20..<28, with: [0x1f, 0x90, 0x01, 0xbb, 10, 1, 2, 3])
        answer.replaceSubrange(40..<44, with: [192, 0, 2, 7])
        answer.replaceSubrange(80..<88, with: [0x80, 0x2a, 0, 0, 0x78, 0x56, 0x34, 0x12])
        // Behind other octets, as in a datagram of many.
        return ([UInt8](repeating: 0xff, count: 7) + answer)[7..<7 + octets]
    }

    @Test("ports and addresses are in the network's order, owner and number in the machine's")
    func socket() throws {
        let socket = try #require(TCPSocket(answer: Self.answer(family: 2)))
        #expect(socket.local.description == "10.1.2.3:8080" && socket.remote.description == "192.0.2.7:443")
        #expect(socket.user == 10_880 && socket.inode == 0x1234_5678)
        let other = try #require(TCPSocket(answer: Self.answer(family: 10)))
        #expect(other.local.description == "[a01:203::]:8080")
    }

    @Test(
        "an answer that is cut short, or of another family, is none",
        arguments: [(2, 87), (2, 0), (1, 88), (16, 100)]
    )
    func broken(family: UInt8, octets: Int) {
        #expect(TCPSocket(answer: Self.answer(family: family, octets: octets)) == nil)
    }

    @Test(
        "a name is read from its attribute, whatever stands before it; lengths that lie are no name",
        arguments: [
            ([6, 0, 0, 0, 0, 0x61], "@a"), ([6, 0, 4, 0, 9, 9, 0, 0, 6, 0, 0, 0, 0, 0x62], "@b"),
            ([6, 0, 0, 0, 0x2f, 0x61], nil), ([4, 0, 0, 0], nil), ([9, 0, 0, 0, 0, 0x61], nil),
            ([0, 0, 0, 0, 0, 0x61], nil), ([3, 0, 4, 0], nil), ([6, 0, 0], nil), ([], nil),
        ] as [([UInt8], String?)]
    )
    func names(attributes: [UInt8], name: String?) {
        #expect(abstractName(answer: ArraySlice([UInt8](repeating: 0, count: 32) + attributes)) == name)
    }
}

/// A process with sockets; it ends with its standard input.
private final class SocketOwner {
    private let process = Process()
    private let input = Pipe()
    private let numbers: [Int]

    private struct Silent: Error {}

    /// Runs a Python program, which has told its numbers when this returns.
    init(_ program: String) throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.kit + program + "\nsys.stdin.read()"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        numbers = Self.line(from: output.fileHandleForReading).split(whereSeparator: \.isWhitespace).compactMap {
            Int($0)
        }
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func number(_ index: Int) throws -> Int {
        guard numbers.indices.contains(index) else { throw Silent() }
        return numbers[index]
    }

    func port(_ index: Int) throws -> UInt16 { UInt16(try number(index)) }

    private static func line(from file: FileHandle) -> String {
        var text = ""
        while !text.hasSuffix("\n") {
            let piece = file.availableData
            if piece.isEmpty { break }
            text += String(decoding: piece, as: UTF8.self)
        }
        return text
    }

    private static let kit = """
        import os, resource, socket, sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        def tell(*numbers): print(*numbers, flush=True)
        def listen(address="127.0.0.1", family=socket.AF_INET, backlog=128, defer=False):
            s = socket.socket(family)
            if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
            if defer: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
            s.bind((address, 0)); s.listen(backlog)
            return s

        """
}
