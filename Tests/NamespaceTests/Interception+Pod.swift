import Foundation
import Testing

/// A guarded pod whose daemon ends TLS, and an `HTTPOrigin` that speaks TLS in a way of its own on each port.
struct InterceptedPod {
    let pod: GuardedPod
    let origin: HTTPOrigin
    let files: InterceptionFiles
    /// What `penstock ca env` says of the bundle that the daemon has published.
    let variables: [String: String]

    /// The ports of the origin.
    enum Port {
        static let sound = 8443
        static let wantsCertificate = 8450
        static let tls12 = 8451
        static let tls11 = 8452
        /// Its certificate is for names, and for no address.
        static let named = 8453
        /// One for each kind of certificate.
        static let kinds = Dictionary(
            uniqueKeysWithValues: zip(InterceptionCertificates.Kind.allCases, 8500...)
        )
    }

    /// Rules that look inside whatever goes to names of `allowed.example`.
    static let rules = """
          - name: denied-names
            match: { hosts: [denied.example, "*.denied.example"] }
            action: deny
          - name: denied-paths
            match: { hosts: ["*.allowed.example", allowed.example], http: { paths: ["/denied/**"] } }
            action: deny
          - name: allowed-names
            match: { hosts: ["*.allowed.example", allowed.example], ports: [1-65535] }
            action: inspect
          - name: by-address
            match: { cidrs: [203.0.113.30/32, "2001:db8:113::30/128"] }
            action: inspect
        """

    /// What DNS says of the names that certificates are for.
    static let names: [String: [String]] = [
        "allowed.example": ["203.0.113.10"], "www.allowed.example": ["203.0.113.10"],
        "api.allowed.example": ["203.0.113.11"], "cloudflare-ech.com": ["203.0.113.40"],
    ]

    /// Makes one, hands it to `body`, and takes it down.
    ///
    /// `authority` is where the daemon has its authority: a directory unless `ephemeral`.
    /// `preparing` is done to the files before the daemon starts.
    /// `more` are further keys of `interception`, as they stand inside braces; `$FILES` is the folder of the certificates.
    static func with<Result>(
        _ rules: String = rules,
        isEphemeral: Bool = false,
        more: String = "",
        settings: String = "",
        names: [String: [String]] = [:],
        preparing: (InterceptionFiles) throws -> Void = { _ in },
        _ body: (InterceptedPod) throws -> Result
    ) throws -> Result {
        let files = try InterceptionFiles(isEphemeral: isEphemeral)
        try preparing(files)
        let interception = "authority: \(isEphemeral ? "ephemeral" : files.authority), publish: \(files.published)"
        let text = "interception: { \(interception)\(more.replacing("$FILES", with: files.folder.path)) }\n\(settings)"
        let dial = "\(GuardedPod.standardDial), trust: [\(files.path("root.pem")), $WORLD/ca.pem]"
        return try GuardedPod.with(rules, settings: text, dial: dial, names: Self.names.merging(names) { $1 }) { pod in
            let origin = try HTTPOrigin(pod, listeners: listeners(files))
            return try body(
                InterceptedPod(pod: pod, origin: origin, files: files, variables: try files.variables())
            )
        }
    }

    private static func listeners(_ files: InterceptionFiles) -> [HTTPOrigin.TLSListener] {
        func listener(_ port: Int, _ kind: InterceptionCertificates.Kind = .sound) -> HTTPOrigin.TLSListener {
            HTTPOrigin.TLSListener(
                port: port,
                certificate: files.path("\(kind).pem"),
                key: files.path("\(kind).key")
            )
        }
        var mutual = listener(Port.wantsCertificate)
        mutual.clientAuthority = files.path("root.pem")
        var tls12 = listener(Port.tls12)
        tls12.newest = "TLSv1_2"
        var tls11 = listener(Port.tls11)
        tls11.oldest = "TLSv1_1"
        tls11.newest = "TLSv1_1"
        let named = HTTPOrigin.TLSListener(
            port: Port.named,
            certificate: files.path("named.pem"),
            key: files.path("named.key")
        )
        return [listener(Port.sound), mutual, tls12, tls11, named] + Port.kinds.map { listener($1, $0) }
    }

    // MARK: Clients

    /// Runs a command as the agent with one of the documented variables, and nothing else that says what it trusts.
    func agent(_ command: [String], variable: String, as user: RunAs = .agent, seconds: Double = 120) throws
        -> CommandResult
    {
        let value = try #require(variables[variable], "penstock ca env does not say \(variable): \(variables)")
        return try pod.startAgent(command, as: user, trusting: [variable: value]).wait(seconds: seconds)
    }

    /// curl, its answer followed by `<STATUS>`.
    func curl(_ arguments: String..., as user: RunAs = .agent, seconds: Double = 120) throws -> String {
        let flags = ["curl", "-sS", "-m", "20", "-w", "<%{http_code}>"]
        let result = try agent(flags + arguments, variable: "CURL_CA_BUNDLE", as: user, seconds: seconds)
        return result.output + result.errors
    }

    /// Runs a Python program as the agent, with `kit` at hand; what it printed, line by line.
    func python(_ program: String, as user: RunAs = .agent, seconds: Double = 120) throws -> [String] {
        let result = try agent(
            ["python3", "-c", Self.program(program)],
            variable: "SSL_CERT_FILE",
            as: user,
            seconds: seconds
        )
        if !result.errors.isEmpty { print(result.errors) }
        return result.output.split(separator: "\n").map(String.init)
    }

    /// Starts such a program; it has printed `ready`.
    func startPython(_ program: String, as user: RunAs = .agent) throws -> BackgroundProcess {
        let trust = try #require(variables["SSL_CERT_FILE"])
        let process = try pod.startAgent(
            ["python3", "-u", "-c", Self.program(program)],
            as: user,
            trusting: ["SSL_CERT_FILE": trust]
        )
        guard process.waitForOutput("ready") else {
            throw EgressWorld.Failed(what: "the agent is not ready: \(process.output) \(process.errors)")
        }
        return process
    }

    private static func program(_ text: String) -> String { EgressClients.kit + HTTPPod.kit + kit + text }

    /// Python functions for clients inside TLS, beside those of `HTTPPod.kit`.
    static let kit = """
        def inside(name="allowed.example", port=8443, address="203.0.113.10", context=None, session=None, timeout=20):
            context = context or ssl.create_default_context()
            # Python takes a stream that only stops for one that was ended, unless it is told.
            context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
            s = socket.create_connection(target(address, port)[:2], timeout); s.settimeout(timeout)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wrapped = context.wrap_socket(s, server_hostname=name, session=session, suppress_ragged_eofs=False)
            c = Client(wrapped); c.context = context
            return c

        def trusting(file=None, oldest=None, newest=None):
            context = ssl.create_default_context(cafile=file)
            if oldest: context.minimum_version = ssl.TLSVersion[oldest]
            if newest: context.maximum_version = ssl.TLSVersion[newest]
            return context

        def wait_for(path):
            deadline = time.time() + 30
            while not os.path.exists(path) and time.time() < deadline: time.sleep(0.01)

        def at(path, host="allowed.example:8443", method="GET"): return get(path, host, method)

        """ + "\n"

    /// Tells a program of `startPython` that waits for it that it may go on.
    func go(_ name: String = "go") throws { try Data().write(to: pod.folder.appending(path: name)) }

    /// The path that `go` makes.
    func place(_ name: String = "go") -> String { pod.folder.appending(path: name).path }

    // MARK: Records

    /// What the audit says of all requests: waits until there are `count`, and the allowed ones are over.
    func requests(_ count: Int) throws -> [HTTPRequestRecords] {
        try HTTPPod(pod: pod, origin: origin).requests(count)
    }
}

/// The files of a test of interception, in a folder that goes in `deinit`: certificates, the authority, what is published.
final class InterceptionFiles {
    let folder: URL
    var authority: String { path("authority/ca") }
    var published: String { path("published") }

    init(isEphemeral: Bool) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "nsec-files-\(UUID().uuidString)")
        let place = folder.path
        try NetworkNamespace.must([
            "sh", "-ec",
            """
            umask 022
            mkdir -p \(place)/authority \(place)/published
            chown 10880:10880 \(place)/authority \(place)/published
            """,
        ])
        try InterceptionCertificates.shared.get().write(into: folder)
        try NetworkNamespace.must([
            "sh", "-ec",
            "cd \(place); chown 10880 daemon.key unknownIssuer.key; chmod 400 daemon.key unknownIssuer.key",
        ])
        guard !isEphemeral else { return }
        try asDaemon(["create", "--out", authority])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Runs `penstock ca` as the daemon's user.
    func asDaemon(_ arguments: [String]) throws {
        try NetworkNamespace.must(RunAs.daemon.prefix + [Built.path("penstock"), "ca"] + arguments)
    }

    /// What `penstock ca env` says of what the daemon has published.
    func variables() throws -> [String: String] {
        let command = [Built.path("penstock"), "ca", "env", "--bundle", published]
        let text = try NetworkNamespace.must(command)
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.replacing("export ", with: "").split(separator: "=", maxSplits: 1)
            guard words.count == 2 else { continue }
            found[String(words[0])] = words[1].trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
        }
        return found
    }
}
