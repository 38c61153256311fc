/// A server of the world that writes down every byte that reaches it, on every address.
struct EgressRecorder {
    private let process: BackgroundProcess

    /// Starts it.
    ///
    /// To the first bytes of a connection it answers `served`. Where there is a banner, it sends that first.
    init(_ pod: GuardedPod, port: Int, banner: String = "") throws {
        process = try pod.net.world.startPython(
            """
            \(NetworkNamespace.pythonSay)
            import socket, sys, threading
            def serve(c):
                address, port = c.getsockname()[:2]
                address = address.removeprefix("::ffff:")
                data = b""
                try:
                    c.sendall(sys.argv[2].encode())
                    while more := c.recv(65536):
                        if not data: c.sendall(b"served")
                        data += more
                except OSError: pass
                say(address, port, len(data), data.hex() or "-")
                c.close()
            l = socket.socket(socket.AF_INET6)
            l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            l.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            l.bind(("::", int(sys.argv[1]))); l.listen(64)
            print("ready", flush=True)
            while True: threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
            """,
            ["\(port)", banner],
            as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
        )
    }

    /// A connection that is over, and what came on it.
    struct Visit: CustomStringConvertible {
        var address: String
        var port: Int
        var bytes: Int
        /// In hexadecimal digits.
        var data: String

        var description: String { "\(address) \(port): \(bytes) bytes, \(data.prefix(40))" }
    }

    /// The connections that are over; waits until there are `count`.
    func visits(_ count: Int = 0) -> [Visit] {
        var found: [Visit] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            found = process.output.split(separator: "\n").dropFirst().compactMap { line in
                let words = line.split(separator: " ")
                guard words.count == 4, let port = Int(words[1]), let bytes = Int(words[2]) else { return nil }
                return Visit(address: String(words[0]), port: port, bytes: bytes, data: String(words[3]))
            }
            return found.count >= count
        }
        return found
    }
}
