import ConnectionJourney
import LinuxBindings
import NetworkTypes

/// Opens every listener before the first connection is accepted.
///
/// A port that somebody else holds is tried again: after a crash a squatter may sit on it, and the kernel's rules keep it
/// silent until it goes.
struct Listening {
    private let deadline: UInt64
    private var lastWord: UInt64 = 0

    /// How long a port is waited for, in nanoseconds.
    private static let patience: UInt64 = 60_000_000_000

    init() {
        deadline = monotonicNanoseconds() + Self.patience
    }

    /// One listening socket, shared by port among the workers if `sharedPort`.
    mutating func open(
        _ address: SocketAddress,
        key: String,
        sharedPort: Bool
    ) throws(Complaint) -> OwnedDescriptor {
        while true {
            do throws(SystemCallError) {
                return try listeningSocket(on: address, backlog: 4096, sharedPort: sharedPort)
            } catch {
                try waitAndComplain(error, address, key)
            }
        }
    }

    private mutating func waitAndComplain(
        _ error: SystemCallError,
        _ address: SocketAddress,
        _ key: String
    ) throws(Complaint) {
        let users = holders(ofPort: address.port)
        let holder = users.isEmpty ? "" : ", held by UID \(users.map(String.init).joined(separator: ", "))"
        let text = "\(key): cannot listen on \(address): \(error)\(holder)"
        let now = monotonicNanoseconds()
        guard error.isAddressInUse, now < deadline else {
            throw Complaint("\(text); stop the holder or choose another port in the configuration", .unavailable)
        }
        if now >= lastWord + 10_000_000_000 {
            say("\(text); trying again for up to \((deadline - now) / 1_000_000_000) s")
            lastWord = now
        }
        sleepMilliseconds(200)
    }
}
