import Configuration
import LinuxBindings
import OpenSSLBindings
import TLSInterception

/// How TLS is ended, as it was configured; files are read when they are asked for.
struct InterceptionPlan: Sendable {
    var settings: InterceptionSettings
    /// PEM files that upstream certificates are verified by.
    var roots: [String]

    init(_ settings: InterceptionSettings, roots: [String]) {
        self.settings = settings
        self.roots = roots
    }

    /// Reads all that is configured, and changes nothing.
    func check() throws(Complaint) {
        if let folder = settings.authority.folder { _ = try readAuthority(folder) }
        _ = try upstreamTLS(after: nil)
        guard let folder = settings.publish else { return }
        do throws(AuthorityError) {
            try TrustBundle.check(folder)
        } catch {
            throw complaint(error, about: folder)
        }
    }

    /// Makes what connections are intercepted with, and writes what agents are to trust where that is asked for.
    func open() throws(Complaint) -> OpenInterception {
        let authority = try authority()
        let upstreamTLS = try upstreamTLS(after: nil)
        try publish(authority)
        do {
            let mint = try LeafMint(
                authority: authority,
                wall: wallClockSeconds,
                steady: monotonicNanoseconds
            )
            return OpenInterception(interceptor: try Interceptor(mint), upstreamTLS: upstreamTLS)
        } catch {
            throw Complaint("cannot start interception: \(error)", .unavailable)
        }
    }

    /// The authority as it is configured now.
    func authority() throws(Complaint) -> Authority {
        if let folder = settings.authority.folder { return try readAuthority(folder) }
        do throws(AuthorityError) {
            return try Authority.ephemeral(AuthorityWish(), at: wallClockSeconds())
        } catch {
            throw Complaint("interception.authority: \(error)", .unavailable)
        }
    }

    /// Writes what agents are to trust: the authority's roots, and those that agents trust anyway.
    func publish(_ authority: Authority) throws(Complaint) {
        guard let folder = settings.publish else { return }
        do {
            let ours = [authority.certificate] + authority.previous.map(\.certificate)
            let bundle = try TrustBundle(ours: ours, system: try SystemRoots.read(SystemRoots.place() ?? roots[0]))
            try bundle.write(to: folder)
        } catch {
            throw complaint(error, about: folder)
        }
    }

    private func complaint(_ error: any Error, about folder: String) -> Complaint {
        Complaint("interception.publish: \(folder): \(error)", .configuration)
    }

    private func readAuthority(_ folder: String) throws(Complaint) -> Authority {
        do throws(AuthorityError) {
            return try Authority(folder: folder, at: wallClockSeconds())
        } catch {
            throw Complaint("interception.authority: \(error)", .configuration)
        }
    }
}

/// What connections are intercepted with when the daemon starts.
struct OpenInterception {
    let interceptor: Interceptor
    let upstreamTLS: UpstreamTLS
}

extension InterceptionSettings.AuthoritySource {
    /// The directory that it is read from; `nil` where it is in memory.
    var folder: String? {
        switch self {
        case .directory(let path): path
        case .ephemeral: nil
        }
    }
}

extension Daemon {
    /// Reads the authority again: what is signed from now on is signed by it; who has a certificate keeps it.
    func reloadAuthority() {
        guard let interceptor, let interception = plan.interception, interception.settings.authority.folder != nil
        else {
            return
        }
        do throws(Complaint) {
            let authority = try interception.authority()
            // First what agents trust, then what is signed under it.
            try interception.publish(authority)
            let isNew = interceptor.mint.replace(authority)
            readiness.update { $0.refusedAuthority = nil }
            if isNew { say("authority \(authority.certificate.serial) signs from now on") }
        } catch {
            readiness.update { $0.refusedAuthority = error.text }
            say("authority not read again, the old one signs on: \(error.text)")
        }
    }
}
