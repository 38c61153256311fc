import Testing

/// A pod with the rules loaded, and the small programs that play agent, daemon and world.
struct RulesetBed {
    let net: PodAndWorld
    var mode = Handover.standard

    /// Loads the rules with these flags and a resolver that nobody asks, and hands over the pod: once for each mode, unless it
    /// matters for some only.
    static func with(
        _ flags: [String] = [],
        modes: [Handover] = Handover.chosen,
        install: Bool = true,
        _ body: (RulesetBed) throws -> Void
    ) throws {
        for mode in modes {
            try PodAndWorld.with { net in
                let bed = RulesetBed(net: net, mode: mode)
                if install { try bed.install(flags) }
                try body(bed)
            }
        }
    }

    /// Runs `penstock-init install` as root.
    func install(_ flags: [String] = []) throws {
        let result = try program(["install"] + flags)
        guard result.succeeded else { throw CommandFailed(command: ["install"] + flags, result: result) }
    }

    /// Runs `penstock-init` with these arguments; a resolver is named unless they name one.
    func program(_ arguments: [String], uid: UInt32? = nil, capabilities: [String] = []) throws -> CommandResult {
        try net.pod.run(command(arguments), uid: uid, capabilities: capabilities)
    }

    /// Starts `penstock-init` with these arguments, and a resolver unless they name one.
    func start(_ arguments: [String], uid: UInt32? = nil) throws -> BackgroundProcess {
        try net.pod.start(command(arguments), uid: uid)
    }

    private func command(_ arguments: [String]) -> [String] {
        let isRemoval = arguments.first == "remove"
        let wantsResolver = !arguments.contains("--dns-server") && !isRemoval
        let wantsMode = !arguments.contains("--mode") && !isRemoval
        return [Built.path("penstock-init")] + arguments + (wantsResolver ? ["--dns-server", "203.0.113.53"] : [])
            + (wantsMode ? mode.flags : [])
    }

    /// Runs a Python program in the pod, with the functions of `kit` at hand.
    func agent(_ program: String, _ arguments: [String] = [], as user: RunAs = .agent) throws -> CommandResult {
        try net.pod.python(kit + program, arguments, as: user)
    }

    /// Starts a Python program in the pod; it has printed `ready`.
    @discardableResult
    func startAgent(_ program: String, _ arguments: [String] = [], as user: RunAs = .agent) throws -> BackgroundProcess
    {
        try net.pod.startPython(kit + program, arguments, as: user)
    }

    /// Starts a Python program in the world, as root; it has printed `ready`.
    @discardableResult
    func startWorld(_ program: String, _ arguments: [String] = []) throws -> BackgroundProcess {
        try net.world.startPython(
            kit + program,
            arguments,
            as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service", "net_raw", "net_admin"])
        )
    }

    /// Runs a Python program in the world.
    func world(_ program: String, _ arguments: [String] = []) throws -> CommandResult {
        try net.world.python(kit + program, arguments, as: RunAs(uid: 0, gid: 0))
    }

    /// Plays the daemon: prints the original destination of every connection, answers `daemon`, closes.
    @discardableResult
    func startDaemon() throws -> BackgroundProcess {
        try startAgent("play_daemon()", as: RunAs(uid: 10880, gid: 10880, capabilities: mode.capabilities))
    }

    /// What a rule's counter says, summed over the rules with this comment.
    func count(_ comment: String) throws -> Int {
        let listing = try net.pod.must(["nft", "list", "ruleset"])
        return listing.split(separator: "\n").filter { $0.contains("comment \"\(comment)\"") }.reduce(0) { sum, line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "packets") else { return sum }
            return sum + (Int(words[place + 1]) ?? 0)
        }
    }

    /// Python functions for all of them.
    var kit: String { Self.kit + "TRANSPARENT = \(mode == .tproxy ? "True" : "False")\n" }

    static let kit = """
        import errno, os, select, socket, struct, sys, time

        def family(address):
            return socket.AF_INET6 if ":" in address else socket.AF_INET

        def target(address, port):
            if ":" not in address: return (address, port)
            plain, _, zone = address.partition("%")
            return (plain, port, 0, socket.if_nametoindex(zone) if zone else 0)

        def outcome(action):
            start = time.time()
            try:
                return action()
            except OSError as error:
                # A SYN is repeated after a second: what was refused at once came before that.
                if error.errno not in errno.errorcode: return "timeout"
                return errno.errorcode[error.errno] + (" slowly" if time.time() - start > 0.95 else "")

        def dial(address, port, prepare=lambda s: None, protocol=0, timeout=20):
            s = socket.socket(family(address), socket.SOCK_STREAM, protocol)
            s.settimeout(timeout)
            prepare(s)
            def go():
                s.connect(target(address, port))
                return "connected " + s.recv(200).decode()
            return outcome(go)

        def datagram(address, port, data=b"secret", prepare=lambda s: None, kind=socket.SOCK_DGRAM, protocol=0):
            s = socket.socket(family(address), kind, protocol)
            prepare(s)
            return outcome(lambda: "sent" if s.sendto(data, target(address, port)) else "")

        def listen(address, port, prepare=lambda s: None):
            s = socket.socket(family(address), socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in address: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            prepare(s)
            s.bind((address, port)); s.listen(64)
            return s

        def serve(listeners, answer):
            print("ready", flush=True)
            while True:
                for l in select.select(listeners, [], [])[0]:
                    c, _ = l.accept()
                    try: answer(c)
                    except OSError as error: print(error, flush=True)
                    c.close()

        def transparent(s):
            if TRANSPARENT: s.setsockopt(*((41, 75, 1) if s.family == socket.AF_INET6 else (0, 19, 1)))

        def original(c):
            if TRANSPARENT: return c.getsockname()[:2]
            if c.family == socket.AF_INET:
                raw = c.getsockopt(0, 80, 16)
                return socket.inet_ntop(socket.AF_INET, raw[4:8]), struct.unpack(">H", raw[2:4])[0]
            raw = c.getsockopt(41, 80, 28)
            return socket.inet_ntop(socket.AF_INET6, raw[8:24]), struct.unpack(">H", raw[2:4])[0]

        def play_daemon():
            def answer(c):
                print("%s %d" % original(c), flush=True)
                c.sendall(b"daemon")
            serve([listen("127.0.0.1", 15880, transparent), listen("::1", 15880, transparent)], answer)

        """ + "\n"
}

/// An address of the world in either family, for tests that run once for each.
enum Far {
    static let both = ["203.0.113.7", "2001:db8:99::7"]
}
