import LinuxBindings
import OpenSSLBindings
import TLSInterception
import Telemetry

/// What `penstock ca bundle` is asked.
struct AuthorityBundle: Hashable {
    var authority: String
    var output: String
    /// `nil`: where distributions have them.
    var roots: String?

    /// Reads the words after `ca bundle`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.value("--ca"), .value("--out"), .value("--roots")], .bundle)
        guard !options.wantsHelp else { return nil }
        try options.refuseOperands()
        _ = try options.required("--ca", "DIR")
        _ = try options.required("--out", "DIR")
        authority = try options.folder(option: "--ca") ?? ""
        output = try options.folder(option: "--out") ?? ""
        roots = options.value("--roots")
        guard authority != output else { throw options.misuse("--out is --ca: agents read the one, never the other") }
    }
}

extension AuthorityBundle {
    /// Writes what agents are given.
    func run() throws(AuthorityError) -> ExitCode {
        let now = wallClockSeconds()
        let parts = try AuthorityParts(folder: authority)
        try parts.check(at: now)
        try parts.checkIsSettled()
        guard let place = roots ?? SystemRoots.place() else { throw .noRoots(SystemRoots.places[0]) }
        let system = try SystemRoots.read(place)
        let ours = parts.trusted(at: now)
        let bundle: TrustBundle
        do throws(CertificateError) {
            bundle = try TrustBundle(ours: ours, system: system)
        } catch {
            throw .failed(error)
        }
        try bundle.write(to: output)
        let absolute = output.hasPrefix("/") ? output : "\"$PWD/\(output)\""
        let counts = "\(ours.count) of ours, \(system.count) of \(place)"
        deliver(printable("\(output): \(counts); `penstock ca env --bundle \(absolute)`") + "\n")
        return .done
    }
}
