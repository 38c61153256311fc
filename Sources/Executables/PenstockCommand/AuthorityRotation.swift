import LinuxBindings
import OpenSSLBindings
import TLSInterception
import Telemetry

/// What `penstock ca rotate` is asked.
struct AuthorityRotation: Hashable {
    var folder: String
    var days: Int64
    /// How long the old root is still to be trusted.
    var overlapDays: Int64

    /// Reads the words after `ca rotate`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.value("--days"), .value("--overlap")], .rotate)
        guard !options.wantsHelp else { return nil }
        folder = try options.folder()
        days = try options.days("--days") ?? AuthorityWish.usualDays
        overlapDays = try options.days("--overlap", from: 0) ?? 30
    }
}

extension AuthorityRotation {
    /// Puts a new root in the place of the old one.
    func run() throws(AuthorityError) -> ExitCode {
        let now = wallClockSeconds()
        let authority = try Authority.rotate(in: folder, days: days, overlapDays: overlapDays, at: now)
        let certificate = authority.certificate
        var lines = [
            "\(folder): \(certificate.subject), \(certificate.fingerprint), until \(timeText(certificate.notAfter))"
        ]
        lines += authority.previous.map { "still trusted: \($0.certificate.fingerprint), until \(timeText($0.until))" }
        say(
            "give agents the new bundle (`penstock ca bundle --ca \(folder) --out DIR`) before the daemon reads the new key"
        )
        deliver(lines.map { printable($0) + "\n" }.joined())
        return .done
    }
}
