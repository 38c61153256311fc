import CLinux
import Glibc

/// A socket for questions to the kernel; it needs no capability.
func netlinkSocket(protocol number: Int32) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(
        adopting: try systemCall("socket(netlink)") {
            socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), number)
        }
    )
}

/// A netlink message on its way out: a header of 16 octets, then what was appended, in the machine's byte order.
///
/// The machines that Swift runs Linux on are little-endian, all of them.
struct NetlinkRequest {
    private var bytes: [UInt8]
    private let type: UInt16
    private let isDump: Bool

    /// A question of this type, for one thing or for a list.
    init(type: UInt16, isDump: Bool = false) {
        self.type = type
        self.isDump = isDump
        bytes = []
        bytes.reserveCapacity(96)
        bytes.append(contentsOf: repeatElement(0, count: 16))
    }

    /// Appends a number in the machine's byte order.
    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    /// Appends octets as they are.
    mutating func append(_ octets: [UInt8]) {
        bytes += octets
    }

    /// The whole message, whose answers have this number.
    mutating func finished(sequence: UInt32) -> [UInt8] {
        write(UInt32(bytes.count), at: 0)
        write(type, at: 4)
        write(UInt16(isDump ? 0x301 : 1), at: 6)  // NLM_F_REQUEST, NLM_F_DUMP
        write(sequence, at: 8)
        return bytes
    }

    private mutating func write<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        for index in 0..<Number.bitWidth / 8 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: number >> Number(8 * index))
        }
    }
}

extension RandomAccessCollection<UInt8> where Index == Int {
    /// The number at this distance from the first octet, in the machine's byte order.
    func native16(at offset: Int) -> UInt16 {
        UInt16(self[startIndex + offset]) | UInt16(self[startIndex + offset + 1]) << 8
    }

    /// The number at this distance from the first octet, in the machine's byte order.
    func native32(at offset: Int) -> UInt32 {
        UInt32(native16(at: offset)) | UInt32(native16(at: offset + 2)) << 16
    }

    /// True where these octets stand at this distance from the first.
    func has(_ octets: [UInt8], at offset: Int) -> Bool {
        guard offset + octets.count <= count else { return false }
        for index in octets.indices where self[startIndex + offset + index] != octets[index] { return false }
        return true
    }
}
