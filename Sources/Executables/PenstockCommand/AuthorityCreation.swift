import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Telemetry

/// What `penstock ca create` is asked.
struct AuthorityCreation: Hashable {
    var folder: String
    var wish: AuthorityWish

    /// Reads the words after `ca create`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let forms: [Options.Form] = [.value("--out"), .value("--name"), .values("--permit"), .value("--days")]
        let options = try Options(words, forms, .create)
        guard !options.wantsHelp else { return nil }
        try options.refuseOperands()
        _ = try options.required("--out", "DIR")
        folder = try options.folder(option: "--out") ?? ""
        wish = AuthorityWish()
        if let name = options.value("--name") {
            let isName =
                (1...Certificate.commonNameLimit).contains(name.unicodeScalars.count) && printable(name) == name
            guard isName else {
                throw options.misuse("--name '\(name)' is no common name: 1 to 64 characters, no control characters")
            }
            wish.name = name
        }
        if let days = try options.days("--days") { wish.days = days }
        for text in options.all("--permit") {
            guard let domain = try? HostName(text) else {
                throw options.misuse(
                    "--permit '\(text)' is no domain; write example.com, which stands for itself and everything below it"
                )
            }
            wish.permitted.append(domain)
        }
    }
}

extension AuthorityCreation {
    /// Makes the authority, and says what to do with it.
    func run() throws(AuthorityError) -> ExitCode {
        let authority = try Authority.create(in: folder, wish, at: wallClockSeconds())
        let certificate = authority.certificate
        say(
            "\(folder)/ca.key can speak for \(reach): keep it where no agent can read it. `penstock ca bundle --ca \(folder) "
                + "--out DIR` writes what agents are given"
        )
        deliver(
            printable(
                "\(folder): \(certificate.subject), \(certificate.fingerprint), until \(timeText(certificate.notAfter))"
            )
                + "\n"
        )
        return .done
    }

    /// Whom the authority may sign for.
    private var reach: String {
        guard !wish.permitted.isEmpty else { return "every host" }
        return "\(wish.permitted.map(\.text).joined(separator: ", ")) and every host below"
    }
}
