import CNetfilter

/// The netlink messages of one datagram, in order.
struct Messages: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func next() -> Message? {
        let rest = bytes.count - offset
        guard rest >= Message.headerLength else { return nil }
        let header = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: nlmsghdr.self) }
        let length = Int(header.nlmsg_len)
        guard length >= Message.headerLength, length <= rest else { return nil }
        let message = Message(header: header, bytes: Array(bytes[offset..<offset + length]))
        offset += Swift.min((length + 3) & ~3, rest)
        return message
    }
}

/// One netlink message, whole and of its own.
struct Message {
    static let headerLength = MemoryLayout<nlmsghdr>.size

    let header: nlmsghdr
    /// The message with its header.
    let bytes: [UInt8]

    var sequence: UInt32 { header.nlmsg_seq }
    var type: Int32 { Int32(header.nlmsg_type) }

    /// The kernel's `NLM_F_DUMP_INTR`: the tables changed while they were dumped.
    var isInterrupted: Bool { header.nlmsg_flags & 0x10 != 0 }

    /// The positive `errno` of an error message, 0 for an acknowledgement; `nil` where it is cut short.
    var errorCode: Int32? {
        guard bytes.count >= Self.headerLength + 4 else { return nil }
        let code = unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: Self.headerLength, as: Int32.self)
        }
        return code == .min ? nil : -code
    }

    /// The kernel's own words on why it refused (`NLMSGERR_ATTR_MSG`); empty where it has none.
    var words: String {
        // Behind the number stands the header of what was refused, and nothing else of it.
        guard header.nlmsg_flags & RequestFlags.hasWords != 0 else { return "" }
        return Attributes(bytes, from: Self.headerLength + 4 + Self.headerLength).text(1) ?? ""
    }

    /// The fixed part behind the header; `nil` where the message is shorter.
    func payload<Fixed: BitwiseCopyable>(as type: Fixed.Type) -> Fixed? {
        guard bytes.count >= Self.headerLength + MemoryLayout<Fixed>.size else { return nil }
        return unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: Self.headerLength, as: type) }
    }

    /// Hands the message to libnftnl, aligned as it wants it.
    func withHeader<Value>(_ body: (UnsafePointer<nlmsghdr>) -> Value?) -> Value? {
        // A message of another subsystem, or shorter than its own header, is none that libnftnl may see.
        guard header.nlmsg_type >> 8 == UInt16(NFNL_SUBSYS_NFTABLES), bytes.count >= Self.headerLength + 4 else {
            return nil
        }
        return unsafe withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 8) { room in
            unsafe room.copyBytes(from: bytes)
            return unsafe room.baseAddress.flatMap { unsafe body($0.assumingMemoryBound(to: nlmsghdr.self)) }
        }
    }
}
