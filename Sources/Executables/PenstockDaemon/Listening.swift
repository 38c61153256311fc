import Configuration
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
    /// Families of which this network namespace has not even a loopback address.
    let missing: Set<AddressFamily>
    /// The numbers of the sockets that were opened, as `fstat` has them.
    private(set) var inodes: Set<UInt64> = []

    /// How long a port is waited for, in nanoseconds.
    private static let patience: UInt64 = 60_000_000_000

    init() {
        deadline = monotonicNanoseconds() + Self.patience
        missing = missingFamilies()
    }

    /// Waits until nobody else has these ports: the kernel lets whoever runs as the same user share one that workers share.
    ///
    /// What drains has closed these listeners, and what is left of its connections is in nobody's way.
    mutating func claim(_ places: [SocketAddress], key: String, isTransparent: Bool = false) throws(Complaint) {
        for place in places {
            let isAwaited = !loopback.contains(place.address)
            _ = try listen(place, key: key, isTransparent: isTransparent, awaited: isAwaited)
        }
    }

    /// One listening socket, shared by port among the workers if `sharedPort`, for TPROXY if `isTransparent`, with notes to be read from
    /// first segments if `isNoted`; nil where there is no such family here.
    ///
    /// `awaited`: the address may be one of an interface that is still to come, and is waited for as a port is.
    mutating func open(
        _ address: SocketAddress,
        key: String,
        sharedPort: Bool,
        isTransparent: Bool = false,
        isNoted: Bool = false,
        awaited: Bool = false
    ) throws(Complaint) -> OwnedDescriptor? {
        let socket = try listen(
            address,
            key: key,
            sharedPort: sharedPort,
            isTransparent: isTransparent,
            isNoted: isNoted,
            awaited: awaited
        )
        guard let socket else { return nil }
        do throws(SystemCallError) {
            inodes.insert(try fileStatus(socket).inode)
        } catch {
            throw Complaint("\(key): \(error)", .unavailable)
        }
        return socket
    }

    private mutating func listen(
        _ address: SocketAddress,
        key: String,
        sharedPort: Bool = false,
        isTransparent: Bool,
        isNoted: Bool = false,
        awaited: Bool
    ) throws(Complaint) -> OwnedDescriptor? {
        while true {
            do throws(SystemCallError) {
                return try listeningSocket(
                    on: address,
                    backlog: 4096,
                    sharedPort: sharedPort,
                    isTransparent: isTransparent,
                    keepsFirstSegments: isNoted
                )
            } catch {
                if error.isFamilyMissing, missing.contains(address.address.family) { return nil }
                if isTransparent, error.isPermissionMissing { throw Privileges.missing(error, for: address) }
                let mayPass = error.isAddressInUse || (awaited && error.isFamilyMissing)
                try waitAndComplain(error, address, key, mayPass: mayPass)
            }
        }
    }

    private mutating func waitAndComplain(
        _ error: SystemCallError,
        _ address: SocketAddress,
        _ key: String,
        mayPass: Bool
    ) throws(Complaint) {
        let holder = error.isAddressInUse ? holders(ofPort: address.port) : ""
        let text = "\(key): cannot listen on \(address): \(error)\(holder)"
        let now = monotonicNanoseconds()
        guard mayPass, now < deadline else {
            let remedy =
                error.isAddressInUse
                ? "stop the holder or choose another port in the configuration"
                : error.isNotPermitted
                    ? "choose a port that needs no privilege, such as one from 1024 on (net.ipv4.ip_unprivileged_port_start)"
                    : "this network namespace must have that address: see 'ip address'"
            throw Complaint("\(text); \(remedy)", .unavailable)
        }
        if now >= lastWord + 10_000_000_000 {
            say("\(text); trying again for up to \((deadline - now) / 1_000_000_000) s")
            lastWord = now
        }
        sleepMilliseconds(200)
        // Signals are blocked already, and nobody reads them before all listeners are there.
        guard !isToldToEnd() else { throw Complaint("stopping: told to, while \(key) was waited for", .done) }
    }
}

/// Where agents reach the daemon itself: from inside of the pod alone.
let loopback = ListenSettings.loopback

/// The families of which this network namespace has no loopback address, so that nothing can be listened on.
func missingFamilies() -> Set<AddressFamily> {
    Set(
        loopback.filter { address in
            do throws(SystemCallError) {
                _ = try listeningSocket(on: SocketAddress(address, port: 0), backlog: 1, sharedPort: false)
                return false
            } catch { return error.isFamilyMissing }
        }.map(\.family)
    )
}
