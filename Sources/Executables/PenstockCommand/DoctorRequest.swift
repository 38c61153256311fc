import LinuxBindings
import NetworkTypes
import Posture
import TrafficCapture

/// What `penstock doctor` is asked.
struct DoctorRequest: Hashable {
    var isJSON: Bool
    var admin: String
    /// Where the health port is; the first that answers is asked.
    var health: [SocketAddress]
    /// Whether connections are tried.
    var probes: Bool

    /// Reads the words after `doctor`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let forms: [Options.Form] = [.flag("--json"), .flag("--no-self-test"), .value("--admin"), .value("--health")]
        let options = try Options(words, forms, .doctor)
        guard !options.wantsHelp else { return nil }
        try options.refuseOperands()
        isJSON = options.has("--json")
        probes = !options.has("--no-self-test")
        admin = options.value("--admin") ?? "/run/penstock/admin.sock"
        health = [
            SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: 15890),
            SocketAddress(.v6(IPv6Address(high: 0, low: 1)), port: 15890),
        ]
        guard let text = options.value("--health") else { return }
        guard let place = SocketAddress(text), place.port != 0 else {
            throw options.misuse("--health '\(text)': expected an address and a port, such as 127.0.0.1:15890")
        }
        health = [place]
    }
}

extension DoctorRequest {
    /// Asks the daemon, tries what an agent would try, and says how strong the boundary is.
    func run() throws(Complaint) -> ExitCode {
        var line = try DoctorLine(self)
        var report = line.first
        if probes {
            if let reason = Self.hindrance(report, of: effectiveIdentity(), in: try? ownControlGroup()) {
                report.checks.append(PostureCheck("self-test", .skipped, reason))
            } else {
                for probe in SelfTest.all { report.checks += probe.run(&line) }
            }
        }
        deliver(
            isJSON ? String(decoding: report.json, as: UTF8.self) + "\n" : report.table(Palette.forOutput(), line.way)
        )
        return report.isStrong ? .done : .problems
    }

    /// Why nothing is tried from here: the rules leave alone what begins here; nil where they do not.
    ///
    /// `place`: this process's cgroup; nil where that is not known.
    static func hindrance(_ report: PostureReport, of own: (user: UInt32, group: UInt32), in place: String?) -> String?
    {
        if report.checks.contains(where: { $0.name == "gateway" }) {
            return "what begins on a gateway is not governed; try from a client: curl -m 5 http://192.0.2.1/"
        }
        if let governed = report.cgroups.first {
            // In there the cgroup is asked about before the owner: the daemon's user is captured like any other.
            if let place, report.cgroups.contains(where: { place == $0 || place.hasPrefix($0 + "/") }) { return nil }
            let enter = "echo $$ > \"/sys/fs/cgroup/\(governed)/cgroup.procs\" && exec penstock doctor"
            let all = report.cgroups.joined(separator: ", ")
            return
                "the rules govern \(all) alone, and this runs in /\(place ?? "?"); to try it in there, as root: sh -c '\(enter)'"
        }
        guard own.user == report.user, own.group == report.group else { return nil }
        return "runs as the daemon's own user and group, whom the rules let out; run it as any other"
    }
}

/// The way to the daemon: its admin socket where we may use it, the health port otherwise.
struct DoctorLine {
    /// What the daemon said first.
    let first: PostureReport
    /// How it was asked, for people.
    let way: String
    private let admin: String?
    private let place: SocketAddress?

    init(_ request: DoctorRequest) throws(Complaint) {
        var problems: [String] = []
        do throws(SystemCallError) {
            first = try Self.ask(admin: request.admin)
            (admin, place, way) = (request.admin, nil, request.admin)
            return
        } catch { problems.append("\(request.admin): \(error)") }
        for address in request.health {
            switch Self.ask(health: address) {
            case .success(let report):
                first = report
                (admin, place, way) = (nil, address, "the health port, \(address)")
                return
            case .failure(let problem): problems.append("\(address): \(problem.text)")
            }
        }
        throw Complaint(
            "the daemon cannot be asked: \(problems.joined(separator: "; ")); run it in the pod, and name --admin or --health",
            .unavailable
        )
    }

    /// What the daemon says now; nil where it does not answer any more.
    func again() -> PostureReport? {
        if let admin { return try? Self.ask(admin: admin) }
        guard let place, case .success(let report) = Self.ask(health: place) else { return nil }
        return report
    }

    private struct Silence: Error {
        var text: String
    }

    private static func ask(admin path: String) throws(SystemCallError) -> PostureReport {
        let socket = try connectLocally(to: path)
        let line = try exchangeLine(
            AdminRequest.posture.line,
            over: socket,
            milliseconds: 5000,
            limit: PostureReport.limit
        )
        do throws(AdminFault) {
            return try PostureReport(json: line)
        } catch {
            // An answer that refuses: this user may not ask here.
            throw SystemCallError(call: "admin", code: 13)
        }
    }

    private static func ask(health address: SocketAddress) -> Result<PostureReport, Silence> {
        let question = "GET /readyz?format=json HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n"
        // The head of the answer comes on top.
        let limit = PostureReport.limit + 4096
        switch exchangeBytes(Array(question.utf8), with: address, milliseconds: 3000, limit: limit) {
        case .failed(let error): return .failure(Silence(text: "\(error)"))
        case .silent: return .failure(Silence(text: "no answer"))
        case .answered(let bytes):
            guard let body = SelfTest.body(of: bytes), let report = try? PostureReport(json: body) else {
                return .failure(Silence(text: "the answer is not one of a daemon of this version"))
            }
            return .success(report)
        }
    }
}
