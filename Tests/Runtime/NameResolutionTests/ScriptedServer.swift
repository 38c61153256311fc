import Glibc
import NetworkTypes

/// A UDP server on 127.0.0.1 that answers as a test says; `nil` is silence.
final class ScriptedServer {
    let descriptor: Int32
    let address: SocketAddress
    private(set) var questions: [Question] = []
    private let script: (Question) -> [UInt8]?

    init(_ script: @escaping (Question) -> [UInt8]?) {
        self.script = script
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = descriptor
        let code = unsafe withUnsafeMutablePointer(to: &place) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                unsafe bind(number, place, length) + getsockname(number, place, &length)
            }
        }
        precondition(code == 0, "a port on the loopback is to be had")
        address = SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: UInt16(bigEndian: place.sin_port))
    }

    deinit { close(descriptor) }

    /// Takes one datagram and answers it.
    func answer() {
        var datagram = [UInt8](repeating: 0, count: 4096)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutablePointer(to: &peer) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                let count = unsafe recvfrom(descriptor, &datagram, datagram.count, 0, peer, &length)
                guard count > 0, let question = Question(Array(datagram.prefix(count))) else { return }
                questions.append(question)
                guard let reply = script(question) else { return }
                _ = unsafe sendto(descriptor, reply, reply.count, 0, peer, length)
            }
        }
    }
}

/// One question in DNS as a server sees it, and replies to it.
struct Question {
    let identity: [UInt8]
    /// The question section: name, type and class.
    let section: [UInt8]

    init?(_ message: [UInt8]) {
        guard message.count > 17, let end = message[12...].firstIndex(of: 0), end + 5 <= message.count else {
            return nil
        }
        identity = Array(message[..<2])
        section = Array(message[12..<(end + 5)])
    }

    var isForA: Bool { section[section.count - 3] == 1 }

    /// A reply of one question section and the answers given.
    func reply(code: UInt8 = 0, answers: [[UInt8]] = [], count: UInt16? = nil, section: [UInt8]? = nil) -> [UInt8] {
        let count = count ?? UInt16(answers.count)
        let header = [0x81, 0x80 | code, 0, 1, UInt8(count >> 8), UInt8(count & 255), 0, 0, 0, 0]
        return identity + header + (section ?? self.section) + answers.flatMap(\.self)
    }

    /// A record; the owner is the name of the question unless another is given.
    func record(
        type: UInt8,
        data: [UInt8],
        seconds: UInt32 = 60,
        owner: [UInt8] = [0xc0, 12],
        length: UInt16? = nil
    ) -> [UInt8] {
        let length = length ?? UInt16(data.count)
        let time = (0..<4).map { UInt8(truncatingIfNeeded: seconds >> UInt32(24 - 8 * $0)) }
        return owner + [0, type, 0, 1] + time + [UInt8(length >> 8), UInt8(length & 255)] + data
    }

    /// 192.0.2.7, or 2001:db8::7.
    func address(seconds: UInt32 = 60, owner: [UInt8] = [0xc0, 12]) -> [UInt8] {
        isForA
            ? record(type: 1, data: [192, 0, 2, 7], seconds: seconds, owner: owner)
            : record(
                type: 28,
                data: [0x20, 1, 0xd, 0xb8] + Array(repeating: 0, count: 11) + [7],
                seconds: seconds,
                owner: owner
            )
    }
}

/// A name as it stands in a message.
func wireName(_ text: String) -> [UInt8] {
    text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
}
