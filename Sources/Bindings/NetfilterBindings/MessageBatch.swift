import CNetfilter

/// A transaction as the octets that the kernel wants: a begin, the changes, an end.
struct MessageBatch {
    /// Which change a message belongs to, so that the kernel's refusal can be traced to it.
    struct Message {
        var sequence: UInt32
        var change: Int
    }

    private(set) var bytes: [UInt8] = []
    private(set) var messages: [Message] = []
    let firstSequence: UInt32
    private(set) var nextSequence: UInt32
    private var changes = 0
    /// Where the header of the last change starts.
    private var lastHeader = 0

    init(firstSequence: UInt32) {
        self.firstSequence = firstSequence
        nextSequence = firstSequence
        unsafe add { sequence, room in unsafe nftnl_batch_begin(room, sequence) }
    }

    /// Adds the messages of one change.
    mutating func append(_ change: NetfilterChange) throws(NetfilterError) {
        switch change {
        case .addTable(let name):
            try unsafe append(UInt16(NFT_MSG_NEWTABLE.rawValue), ChangeFlags.create, TableObject(name)) {
                unsafe nftnl_table_nlmsg_build_payload($0, $1.pointer)
            }
        case .deleteTable(let name):
            try unsafe append(UInt16(NFT_MSG_DELTABLE.rawValue), 0, TableObject(name)) {
                unsafe nftnl_table_nlmsg_build_payload($0, $1.pointer)
            }
        case .addSet(let set, let table):
            let object = try SetObject(table: table, name: set.name)
            try object.fill(set, identifier: UInt32(truncatingIfNeeded: changes + 1))
            unsafe append(UInt16(NFT_MSG_NEWSET.rawValue), ChangeFlags.create, object) {
                unsafe nftnl_set_nlmsg_build_payload($0, $1.pointer)
            }
            unsafe append(UInt16(NFT_MSG_NEWSETELEM.rawValue), ChangeFlags.create, object) {
                unsafe nftnl_set_elems_nlmsg_build_payload($0, $1.pointer)
            }
        case .addChain(let chain):
            try unsafe append(UInt16(NFT_MSG_NEWCHAIN.rawValue), ChangeFlags.create, ChainObject(chain)) {
                unsafe nftnl_chain_nlmsg_build_payload($0, $1.pointer)
            }
        case .addRule(let rule, let table):
            let object = try RuleObject(table: table)
            try object.fill(rule)
            unsafe append(UInt16(NFT_MSG_NEWRULE.rawValue), ChangeFlags.append, object) {
                unsafe nftnl_rule_nlmsg_build_payload($0, $1.pointer)
            }
        }
        changes += 1
    }

    /// Adds the end, without which the kernel applies nothing.
    mutating func close() {
        unsafe add { sequence, room in unsafe nftnl_batch_end(room, sequence) }
    }

    private mutating func append<Object: ~Copyable>(
        _ type: UInt16,
        _ flags: UInt16,
        _ object: borrowing Object,
        _ build: (UnsafeMutablePointer<nlmsghdr>, borrowing Object) -> Void
    ) {
        askForNoAnswer()
        lastHeader = bytes.count
        messages.append(Message(sequence: nextSequence, change: changes))
        // Only the last change is acknowledged: a batch of many would overrun the socket with answers.
        unsafe bytes.append(
            contentsOf: buildMessage(type, flags | ChangeFlags.acknowledge, sequence: nextSequence) { header in
                unsafe build(header, object)
            }
        )
        nextSequence &+= 1
    }

    /// Takes the request for an acknowledgement out of the message that was last until now.
    private mutating func askForNoAnswer() {
        guard !messages.isEmpty else { return }
        let place = lastHeader + 6
        let flags = UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8
        let cleared = flags & ~ChangeFlags.acknowledge
        bytes[place] = UInt8(truncatingIfNeeded: cleared)
        bytes[place + 1] = UInt8(truncatingIfNeeded: cleared >> 8)
    }

    private mutating func add(_ build: (UInt32, UnsafeMutablePointer<CChar>) -> UnsafeMutablePointer<nlmsghdr>?) {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
            guard let start = room.baseAddress, let header = unsafe build(nextSequence, start) else { return }
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
        }
        nextSequence &+= 1
    }
}

/// `NLM_F_…` of the requests that we make.
enum ChangeFlags {
    static let acknowledge: UInt16 = 0x4
    static let create: UInt16 = 0x400
    static let append: UInt16 = 0xc00
    static let dump: UInt16 = 0x300
}

/// Builds one message for the packet filter: header by libnftnl, payload by `fill`.
///
/// libnftnl does not look at the room that is left. 64 KiB hold any object of ours: the largest is a set of at most 80
/// ports of 20 octets, a rule has at most 20 expressions of 60 octets.
func buildMessage(
    _ type: UInt16,
    family: UInt32 = NetfilterFamily.inet,
    _ flags: UInt16,
    sequence: UInt32,
    _ fill: (UnsafeMutablePointer<nlmsghdr>) -> Void
) -> [UInt8] {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { room in
        guard let start = room.baseAddress,
            let header = unsafe nftnl_nlmsg_build_hdr(start, type, UInt16(truncatingIfNeeded: family), flags, sequence)
        else { return [] }
        unsafe fill(header)
        return unsafe Array(UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
    }
}
