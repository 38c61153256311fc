import CCares
import NetworkTypes

/// Where the callbacks of one channel put what they bring.
final class CaresInbox {
    /// Answers that nobody has taken yet, oldest first.
    var answers: [CaresAnswer] = []
    let watch: (Int32, Bool, Bool) -> Void

    init(watch: @escaping (Int32, Bool, Bool) -> Void) {
        self.watch = watch
    }
}

/// A question that c-ares holds until it calls back, which it does exactly once.
final class CaresQuestion {
    private let inbox: CaresInbox
    private let token: UInt64
    private let family: AddressFamily

    init(_ inbox: CaresInbox, token: UInt64, family: AddressFamily) {
        self.inbox = inbox
        self.token = token
        self.family = family
    }

    /// Reads the message while c-ares still holds it.
    func answered(status: Int32, message: UnsafeMutablePointer<UInt8>?, length: Int32) {
        var outcome = CaresAnswer.Outcome.failed(CaresError(status))
        if status == ARES_SUCCESS {
            outcome = unsafe family == .ipv4 ? readA(message, length) : readAAAA(message, length)
        }
        inbox.answers.append(CaresAnswer(token: token, outcome: outcome))
    }
}

/// The one door by which answers come in from c-ares.
func caresAnswered(
    _ argument: UnsafeMutableRawPointer?,
    _ status: Int32,
    _ timeouts: Int32,
    _ message: UnsafeMutablePointer<UInt8>?,
    _ length: Int32
) {
    guard let argument = unsafe argument else { return }
    let question = unsafe Unmanaged<CaresQuestion>.fromOpaque(argument).takeRetainedValue()
    unsafe question.answered(status: status, message: message, length: length)
}

/// The one door by which c-ares says which descriptors it wants watched.
func caresInterestChanged(
    _ argument: UnsafeMutableRawPointer?,
    _ descriptor: ares_socket_t,
    _ readable: Int32,
    _ writable: Int32
) {
    guard let argument = unsafe argument else { return }
    let inbox = unsafe Unmanaged<CaresInbox>.fromOpaque(argument).takeUnretainedValue()
    inbox.watch(descriptor, readable != 0, writable != 0)
}

/// c-ares takes a record only where its owner is the name that was asked, or what aliases lead to from there.
private func readA(_ message: UnsafeMutablePointer<UInt8>?, _ length: Int32) -> CaresAnswer.Outcome {
    var records = [ares_addrttl](repeating: ares_addrttl(), count: caresAddressLimit)
    var count = Int32(caresAddressLimit)
    let status = unsafe ares_parse_a_reply(message, length, nil, &records, &count)
    guard status == ARES_SUCCESS else { return .failed(CaresError(status)) }
    return outcome(
        records.prefix(Int(max(count, 0))).map {
            (.v4(IPv4Address(bits: UInt32(bigEndian: $0.ipaddr.s_addr))), Int($0.ttl))
        }
    )
}

private func readAAAA(_ message: UnsafeMutablePointer<UInt8>?, _ length: Int32) -> CaresAnswer.Outcome {
    var records = [ares_addr6ttl](repeating: ares_addr6ttl(), count: caresAddressLimit)
    var count = Int32(caresAddressLimit)
    let status = unsafe ares_parse_aaaa_reply(message, length, nil, &records, &count)
    guard status == ARES_SUCCESS else { return .failed(CaresError(status)) }
    return outcome(
        records.prefix(Int(max(count, 0))).compactMap { record in
            let octets = unsafe withUnsafeBytes(of: record.ip6addr._S6_un._S6_u8) { unsafe Array($0) }
            return IPv6Address(octets: octets).map { (.v6($0), Int(record.ttl)) }
        }
    )
}

private func outcome(_ records: [(address: IPAddress, seconds: Int)]) -> CaresAnswer.Outcome {
    var seen: Set<IPAddress> = []
    let addresses = records.map(\.address).filter { seen.insert($0).inserted }
    guard !addresses.isEmpty else { return .failed(.noData) }
    return .addresses(addresses, secondsToLive: records.map(\.seconds).min() ?? 0)
}
