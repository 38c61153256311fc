import AuditTrail
import LinuxBindings
import OpenSSLBindings
import TLSInterception
import Telemetry

/// What `penstock ca show` is asked.
struct AuthorityShow: Hashable {
    var folder: String
    var isJSON: Bool

    /// Reads the words after `ca show`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.flag("--json")], .showAuthority)
        guard !options.wantsHelp else { return nil }
        folder = try options.folder()
        isJSON = options.has("--json")
    }
}

extension AuthorityShow {
    /// Prints what the authority is, and whether the daemon could use it.
    func run() throws(AuthorityError) -> ExitCode {
        let now = wallClockSeconds()
        let parts = try AuthorityParts(folder: folder)
        var fault: AuthorityError?
        do throws(AuthorityError) {
            _ = try Authority(folder: folder, at: now)
        } catch {
            fault = error
        }
        deliver(isJSON ? json(parts, fault) : text(parts, fault))
        return fault == nil ? .done : .problems
    }

    private func text(_ parts: AuthorityParts, _ fault: AuthorityError?) -> String {
        let root = parts.certificate
        var lines = [
            "subject      \(root.subject)", "valid        \(timeText(root.notBefore)) to \(timeText(root.notAfter))",
            "fingerprint  \(root.fingerprint)", "serial       \(root.serial)",
        ]
        let constraints = words(root)
        lines +=
            constraints.isEmpty ? ["permitted    every name and address"] : constraints.map { "constraint   \($0)" }
        lines += parts.previous.map {
            "previous     \($0.certificate.fingerprint), trusted until \(timeText($0.until))"
        }
        lines.append(
            fault.map { "problem      \($0)" } ?? "key          \(folder)/ca.key is its key, and its owner's alone"
        )
        return lines.map { printable($0) + "\n" }.joined()
    }

    private func json(_ parts: AuthorityParts, _ fault: AuthorityError?) -> String {
        let root = parts.certificate
        return jsonObject { members in
            members.text("subject", root.subject)
            members.text("not_before", timeText(root.notBefore))
            members.text("not_after", timeText(root.notAfter))
            members.text("fingerprint", "\(root.fingerprint)")
            members.text("serial", root.serial)
            members.texts("name_constraints", words(root))
            members.objects("previous", parts.previous) { root, members in
                members.text("fingerprint", "\(root.certificate.fingerprint)")
                members.text("trusted_until", timeText(root.until))
            }
            members.text("problem", orNull: fault.map { "\($0)" })
        } + "\n"
    }

    /// The name constraints: `Permitted: DNS:example.com`.
    private func words(_ root: Certificate) -> [String] {
        var heading = ""
        return root.nameConstraints.split(separator: "\n").compactMap { line in
            let word = line.drop { $0 == " " }
            guard !word.hasSuffix(":") || word.hasPrefix("IP:") || word.hasPrefix("DNS:") else {
                heading = String(word)
                return nil
            }
            return "\(heading) \(word)"
        }
    }
}
