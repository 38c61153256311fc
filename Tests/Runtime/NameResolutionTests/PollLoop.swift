import Glibc
import NameResolution
import NetworkTypes

/// The smallest loop that a resolver can live in: poll(2) and one timer.
final class PollLoop: ResolverHost {
    private(set) var interests: [Int32: (readable: Bool, writable: Bool)] = [:]
    private var timer: UInt64?
    /// Servers of the test that live in the same loop.
    private var servers: [ScriptedServer] = []

    init() {
        _ = hostileEnvironment
    }

    func add(_ server: ScriptedServer) { servers.append(server) }

    func watch(descriptor: Int32, readable: Bool, writable: Bool) {
        // Forgetting must come while the descriptor is still open: an epoll set would need it.
        precondition(fcntl(descriptor, F_GETFD) != -1, "the descriptor is closed already")
        interests[descriptor] = readable || writable ? (readable, writable) : nil
    }

    func schedule(afterMilliseconds: Int?) {
        timer = afterMilliseconds.map { nowMilliseconds + UInt64($0) }
    }

    var nowMilliseconds: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }

    /// Runs until there is nothing to wait for, the condition holds, or the limit is over.
    func run(_ resolver: Resolver, limit: UInt64 = 10_000, until isDone: () -> Bool) {
        let end = nowMilliseconds + limit
        while !isDone(), nowMilliseconds < end {
            turn(resolver, atMost: end - nowMilliseconds)
        }
    }

    private func turn(_ resolver: Resolver, atMost limit: UInt64) {
        let now = nowMilliseconds
        let wait = min(limit, timer.map { $0 > now ? $0 - now : 0 } ?? limit)
        var set = interests.map { descriptor, interest in
            pollfd(
                fd: descriptor,
                events: Int16((interest.readable ? POLLIN : 0) | (interest.writable ? POLLOUT : 0)),
                revents: 0
            )
        }
        set += servers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        unsafe poll(&set, nfds_t(set.count), Int32(wait))
        for entry in set where entry.revents != 0 {
            if let server = servers.first(where: { $0.descriptor == entry.fd }) {
                server.answer()
            } else {
                let failed = Int32(entry.revents) & (POLLERR | POLLHUP) != 0
                resolver.descriptorReady(
                    entry.fd,
                    readable: failed || Int32(entry.revents) & POLLIN != 0,
                    writable: Int32(entry.revents) & POLLOUT != 0
                )
            }
        }
        if let timer, timer <= nowMilliseconds {
            self.timer = nil
            resolver.timerFired()
        }
    }

    /// Resolves one name and waits for the answer; `nil`: none came within ten seconds.
    func resolve(_ name: String, with resolver: Resolver) throws -> ResolutionResult? {
        var result: ResolutionResult?
        resolver.resolve(try HostName(name)) { result = $0 }
        run(resolver) { result != nil }
        return result
    }
}

/// What an environment can say to a resolver library, all of it wrong; set before any test makes a resolver.
let hostileEnvironment: Bool = {
    let aliases = "/tmp/penstock-resolver-aliases"
    if let file = unsafe fopen(aliases, "w") {
        unsafe fputs("short both.test\n", file)
        unsafe fclose(file)
    }
    unsafe setenv("HOSTALIASES", aliases, 1)
    unsafe setenv("LOCALDOMAIN", "test search.test", 1)
    unsafe setenv("RES_OPTIONS", "ndots:9 timeout:30 attempts:9 rotate use-vc", 1)
    unsafe setenv("CARES_HOSTS", "/tmp/penstock-no-such-file", 1)
    return true
}()
