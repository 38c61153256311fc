import Configuration
import LinuxBindings
import OpenSSLBindings
import TLSInterception

/// What servers are verified by, and what those are shown that ask.
extension InterceptionPlan {
    /// The most certificates that stand behind one for servers that ask, and itself.
    private static let longestChain = 16

    /// What the files of `dial.trust` and `client_certificates` hold.
    private struct Texts {
        var roots: [[UInt8]]
        var certificates: [[UInt8]]
        var keys: [[UInt8]]
    }

    /// The files that TLS with servers is made of; another one in their place is a reason to read them again.
    var upstreamPaths: [String] { roots + settings.clientCertificates.flatMap { [$0.certificate, $0.key] } }

    /// What TLS with servers is begun with, by what the files hold now; `before` where that is the same as then.
    func upstreamTLS(after before: UpstreamTLS?) throws(Complaint) -> UpstreamTLS {
        let texts = Texts(
            roots: try roots.map { path throws(Complaint) in try readRoots(path) },
            certificates: try settings.clientCertificates.map { wanted throws(Complaint) in try read(wanted.certificate)
            },
            keys: try settings.clientCertificates.map { wanted throws(Complaint) in try read(wanted.key) }
        )
        let source = (texts.roots + texts.certificates + texts.keys).map { SHA256Digest(of: $0.span) }
        if let before, before.isMade(of: source) { return before }
        let trusted = try trusted(texts)
        let identities = try identities(texts)
        do throws(TLSFailure) {
            return try UpstreamTLS(trusting: trusted, identities: identities, source: source, after: before)
        } catch {
            throw Complaint("cannot set up TLS with servers: \(error)", .unavailable)
        }
    }

    private func readRoots(_ path: String) throws(Complaint) -> [UInt8] {
        do throws(AuthorityError) {
            return try SystemRoots.text(path)
        } catch {
            throw Complaint("dial.trust: \(error)", .configuration)
        }
    }

    private func trusted(_ texts: Texts) throws(Complaint) -> [Certificate] {
        var trusted: [Certificate] = []
        for (path, text) in zip(roots, texts.roots) {
            do throws(AuthorityError) {
                trusted += try SystemRoots.certificates(of: text, from: path)
            } catch {
                throw Complaint("dial.trust: \(error)", .configuration)
            }
        }
        return trusted
    }

    private func read(_ path: String) throws(Complaint) -> [UInt8] {
        do throws(SystemCallError) {
            return try readFile(path, limit: 1 << 20)
        } catch {
            throw complaint(error, aboutShown: path)
        }
    }

    private func identities(_ texts: Texts) throws(Complaint) -> [ClientIdentity] {
        var identities: [ClientIdentity] = []
        for (index, wanted) in settings.clientCertificates.enumerated() {
            var path = wanted.certificate
            do throws(CertificateError) {
                let chain = try Certificate.all(pem: texts.certificates[index], limit: Self.longestChain)
                path = wanted.key
                let identity = try TLSIdentity(chain: chain, key: texts.keys[index])
                identities.append(ClientIdentity(hosts: wanted.hosts, identity: identity))
            } catch {
                throw complaint(error, aboutShown: path)
            }
        }
        return identities
    }

    private func complaint(_ error: any Error, aboutShown path: String) -> Complaint {
        Complaint("interception.client_certificates: \(path): \(error)", .configuration)
    }
}
