import Foundation

/// What a test's daemon is told.
struct DaemonSettings {
    /// A policy file's text.
    var policy = DaemonPolicy.standard
    var workers = 2
    /// When the workers get a processor: `batch` or `normal`.
    var scheduling = "batch"
    /// How the rules hand connections over.
    var handover = Handover.standard
    /// The content of `limits`.
    var limits = ""
    var drainSeconds = 5
    /// Further content of `dial`.
    var dial = ""
    /// Further content of `listen`.
    var listen = ""
    /// Empty: by default.
    var healthAddress = "127.0.0.1"
    /// Whether it has an admin socket, below the audit's folder.
    var hasAdmin = false
    /// Where the audit goes; empty: to a file in its folder.
    var auditPath = ""
    /// Further content of `audit`.
    var audit = ""
    /// How often the daemon looks for another policy; 0: a test says when, by SIGHUP.
    var watchSeconds = 0
    /// Where keys and counters are kept; empty: beside the audit.
    var statePath = ""
}

/// Policies for tests.
///
/// What starts with a zero byte is opaque: such clients need no name.
enum DaemonPolicy {
    static let standard = text(
        """
          - name: denied
            match: { cidrs: [203.0.113.66/32] }
            action: deny
          - name: plain
            match: { cidrs: [203.0.113.0/24, 192.0.2.0/24, "2001:db8:99::/64"] }
            action: allow
        """
    )

    /// Allows what has this name, and nothing else: a client that says nothing is waited for.
    static let namesOnly = text(
        """
          - name: named
            match: { hosts: [allowed.test, "*.allowed.test", intranet], ports: [1-65535] }
            action: allow
        """
    )

    static func text(_ rules: String) -> String {
        "apiVersion: penstock/v1\nkind: EgressPolicy\nname: robust\ndefault: deny\nrules:\n\(rules)\n"
    }
}

/// The files of a daemon, in a folder of their own that goes in `deinit`: configuration, policy, hosts, and the audit.
final class DaemonFolder {
    let path: String
    var isMounted = false

    var configuration: String { path + "/penstock.yaml" }
    var policy: String { path + "/policy.yaml" }
    var auditFolder: String { path + "/audit" }
    var audit: String { auditFolder + "/audit.jsonl" }
    var adminSocket: String { auditFolder + "/admin/admin.sock" }

    init(_ settings: DaemonSettings = DaemonSettings()) throws {
        path = FileManager.default.temporaryDirectory.path + "/penstock-daemon-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: auditFolder, withIntermediateDirectories: true)
        try NetworkNamespace.must(["chown", "10880:10880", auditFolder])
        try NetworkNamespace.must(["chmod", "755", path])
        try write(settings.policy, to: policy)
        try write("203.0.113.77 allowed.test\n2001:db8:99::77 allowed.test\n", to: path + "/hosts")
        try write(text(settings), to: configuration)
    }

    deinit {
        if isMounted { _ = try? NetworkNamespace.must(["umount", "-l", auditFolder]) }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Replaces a file in one step.
    func write(_ text: String, to file: String) throws {
        let new = file + ".new"
        try Data(text.utf8).write(to: URL(filePath: new))
        _ = unsafe chmod(new, 0o644)
        _ = unsafe rename(new, file)
    }

    /// Lays a small file system of its own over the audit's folder.
    func mountAudit(kibibytes: Int, readOnly: Bool = false) throws {
        let options = "size=\(kibibytes)k,mode=700,uid=10880,gid=10880" + (readOnly ? ",ro" : "")
        try NetworkNamespace.must(["mount", "-t", "tmpfs", "-o", options, "penstock-test", auditFolder])
        isMounted = true
    }

    private func text(_ settings: DaemonSettings) -> String {
        let address = settings.healthAddress.isEmpty ? "" : "address: \"\(settings.healthAddress)\", "
        let admin = settings.hasAdmin ? ", admin: { path: \(adminSocket) }" : ""
        return """
            workers: \(settings.workers)
            scheduling: \(settings.scheduling)
            listen: { \(settings.handover.listen)health: { \(address)port: 15890 }\(admin)\(settings.listen) }
            policy: { path: \(policy), watch_seconds: \(settings.watchSeconds) }
            audit: { path: "\(settings.auditPath.isEmpty ? audit : settings.auditPath)"\(settings.audit) }
            state: { path: \(settings.statePath.isEmpty ? auditFolder : settings.statePath) }
            dial: { resolvers: [203.0.113.53], hosts_file: \(path)/hosts\(settings.dial) }
            limits: { \(settings.limits) }
            drain: { seconds: \(settings.drainSeconds) }

            """
    }
}
