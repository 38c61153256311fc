import Foundation

/// Upstream certificates of every kind, sound and unsound, made once for all tests.
struct InterceptionCertificates {
    private var files: [String: Data] = [:]

    /// The files' names, without `.pem` and `.key`: what each is like.
    enum Kind: String, CaseIterable, Sendable {
        case sound, expired, notYetValid, otherHost, selfSigned, unknownIssuer, weakKey, weakSignature, forClients
        /// It has the right common name, and no alternative name.
        case nameless
        /// Not of a server: what the daemon shows.
        case daemon
    }

    static let shared = Result { try InterceptionCertificates() }

    /// Has openssl make them.
    private init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nsec-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try NetworkNamespace.must(["bash", "-ec", "cd \(folder.path)\n" + Self.script])
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where name.hasSuffix(".pem") || name.hasSuffix(".key") {
            files[name] = try Data(contentsOf: folder.appending(path: name))
        }
    }

    /// Writes `root.pem`, which signed most of them, `other.pem`, which nobody trusts, and a pair for each kind.
    func write(into folder: URL) throws {
        for (name, content) in files { try content.write(to: folder.appending(path: name)) }
    }

    private static let script = """
        cat > ca.cnf <<'END'
        [ca]
        default_ca = it
        [it]
        database = ./index
        serial = ./serial
        new_certs_dir = .
        unique_subject = no
        policy = any
        default_md = sha256
        copy_extensions = copy
        [any]
        commonName = supplied
        END
        touch index; echo 1000 > serial
        names='DNS:allowed.example,DNS:*.allowed.example,IP:203.0.113.30,IP:2001:db8:113::30'
        root() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout $1.key -out $1.pem \\
          -subj "/CN=$1 authority" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign; }
        root root; root other
        # NAME ISSUER FROM TO SAN KEY... : a certificate.
        leaf() {
          name=$1 issuer=$2 from=$3 to=$4 san=$5 digest=$6; shift 6
          openssl req -new -nodes "$@" -keyout $name.key -out $name.csr -subj "/CN=${subject:-$name}" ${san:+-addext "subjectAltName=$san"} \\
            -addext basicConstraints=critical,CA:FALSE ${usage:+-addext extendedKeyUsage=$usage}
          openssl ca -batch -notext -config ca.cnf -cert $issuer.pem -keyfile $issuer.key -startdate $from -enddate $to \\
            -md $digest -in $name.csr -out $name.pem
        }
        at() { date -u -d "$1" +%Y%m%d%H%M%SZ; }
        past=$(at '-1 day') soon=$(at '+1 day') ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256'
        leaf sound root $past $soon $names sha256 $ec
        leaf named root $past $soon 'DNS:allowed.example,DNS:*.allowed.example' sha256 $ec
        leaf daemon root $past $soon DNS:daemon.example sha256 $ec
        leaf expired root $(at '-3 days') $past $names sha256 $ec
        leaf notYetValid root $soon $(at '+3 days') $names sha256 $ec
        leaf otherHost root $past $soon DNS:other.example,IP:203.0.113.31 sha256 $ec
        leaf unknownIssuer other $past $soon $names sha256 $ec
        leaf weakKey root $past $soon $names sha256 -newkey rsa:1024
        leaf weakSignature root $past $soon $names sha1 $ec
        subject=allowed.example leaf nameless root $past $soon '' sha256 $ec
        usage=clientAuth leaf forClients root $past $soon $names sha256 $ec
        openssl req -x509 $ec -nodes -days 2 -keyout selfSigned.key -out selfSigned.pem -subj /CN=selfSigned \\
          -addext "subjectAltName=$names"
        """
}
