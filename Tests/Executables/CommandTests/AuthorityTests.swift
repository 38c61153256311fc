import Foundation
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Testing

/// Serves one page over TLS on loopback, and runs a client, in whose words {port} is replaced.
private let server = """
    import http.server, socket, ssl, subprocess, sys, threading
    certificate, key, *client = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            pages = {'/': b'served', '/none/': b'<a href="none-1.0.tar.gz">none-1.0.tar.gz</a>'}
            found, body = self.path in pages, pages.get(self.path, b'')
            self.send_response(200 if found else 404)
            self.send_header('Content-Type', 'text/html')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *_): pass
    class Server(http.server.ThreadingHTTPServer):
        def get_request(self):
            connection, address = self.socket.accept()
            return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address
        def handle_error(self, *_): pass
    class Server6(Server):
        address_family = socket.AF_INET6
    first = Server(('127.0.0.1', 0), Page)
    port = first.server_address[1]
    servers = [first]
    try: servers.append(Server6(('::1', port), Page))
    except OSError: pass
    for each in servers: threading.Thread(target=each.serve_forever, daemon=True).start()
    words = [word.replace('{port}', str(port)) for word in client]
    sys.exit(subprocess.run(words, timeout=60, stdin=subprocess.DEVNULL).returncode)
    """

private let requests = "import requests; print(requests.get('https://localhost:{port}/').text)"
private let urllib = "import urllib.request as u; print(u.urlopen('https://localhost:{port}/').read().decode())"
private let fetch = "fetch('https://localhost:{port}/').then(r=>r.text()).then(console.log)"

/// A client that reads one of the variables: what it says where it trusts the server.
struct Client: CustomTestStringConvertible {
    var variable: String
    var words: [String]
    var said: String

    init(_ variable: String, _ words: [String], _ said: String = "served") {
        self.variable = variable
        self.words = words
        self.said = said
    }

    var testDescription: String { "\(words[0]) by \(variable)" }

    static let all = [
        Client("CURL_CA_BUNDLE", ["curl", "-sS", "https://localhost:{port}/"]),
        Client("SSL_CERT_FILE", ["curl", "-sS", "https://localhost:{port}/"]),
        Client("SSL_CERT_FILE", ["/usr/bin/python3", "-c", urllib]),
        Client("REQUESTS_CA_BUNDLE", ["/usr/bin/python3", "-c", requests]),
        Client("NODE_EXTRA_CA_CERTS", ["node", "-e", fetch]),
        Client("GIT_SSL_CAINFO", ["git", "ls-remote", "https://localhost:{port}/x"], "not found"),
        Client(
            "PIP_CERT",
            ["/usr/bin/python3", "-m", "pip", "download", "--retries=0", "-i", "https://localhost:{port}/", "none==9"],
            "from versions: 1.0"
        ),
    ]
}

/// A folder with an authority, what agents are given of it, and a leaf with its key.
private struct World {
    let folder: Folder
    let variables: [String: String]

    init(_ words: String..., name: CertifiedName? = nil) throws {
        folder = try Folder(["serve.py": server])
        let made = try run(["ca", "create", "--out", "\(folder.path)/ca"] + words)
        try #require(made.status == 0, "\(made)")
        let bundle = try penstock("ca", "bundle", "--ca", "\(folder.path)/ca", "--out", "\(folder.path)/trust")
        try #require(bundle.status == 0, "\(bundle)")
        let printed = try penstock("ca", "env", "--bundle", "\(folder.path)/trust", "--json")
        variables = try JSONDecoder().decode([String: String].self, from: Data(printed.output.utf8))
        try makeLeaf(for: try name ?? .host(HostName("localhost")))
    }

    private func makeLeaf(for name: CertifiedName) throws {
        let now = Int64(Date().timeIntervalSince1970)
        let key = try P256PrivateKey()
        let authority = try Authority(folder: "\(folder.path)/ca", at: now)
        let leaf = try authority.leaf(for: name, notBefore: now - 600, notAfter: now + 3600, key: key)
        try Data(leaf.pem()).write(to: URL(filePath: "\(folder.path)/leaf.pem"))
        try Data(key.pem()).write(to: URL(filePath: "\(folder.path)/leaf.key"))
    }

    func visit(_ client: [String], _ environment: [String] = []) throws -> Ending {
        try spawn(
            ["/usr/bin/python3", "serve.py", "leaf.pem", "leaf.key"] + client,
            in: folder,
            environment: ["HOME=\(folder.path)"] + environment
        )
    }
}

@Suite("penstock ca")
struct AuthorityTests {
    @Test(
        "a real client trusts a server with our leaf by the one variable that `ca env` prints, and not without it",
        arguments: Client.all
    )
    func variables(client: Client) throws {
        let world = try World()
        let value = try #require(world.variables[client.variable])
        let trusted = try world.visit(client.words, ["\(client.variable)=\(value)"])
        #expect((trusted.output + trusted.errors).contains(client.said), "\(trusted)")
        let without = try world.visit(client.words)
        #expect(!(without.output + without.errors).contains(client.said), "\(without)")
        #expect(without.status != 0)
    }

    @Test("G10: a leaf for an address is taken by a client that goes to the address")
    func address() throws {
        let world = try World(name: .address(try #require(IPAddress("127.0.0.1"))))
        let value = try #require(world.variables["CURL_CA_BUNDLE"])
        let said = try world.visit(["curl", "-sS", "https://127.0.0.1:{port}/"], ["CURL_CA_BUNDLE=\(value)"])
        #expect(said.output == "served", "\(said)")
    }

    @Test("G01: a stolen key of a constrained authority is no good outside its domains: a real client refuses")
    func constraints() throws {
        let world = try World("--permit", "localhost", "--permit", "example.com")
        let value = try #require(world.variables["CURL_CA_BUNDLE"])
        let words = ["curl", "-sS", "https://localhost:{port}/", "--resolve", "other.test:{port}:127.0.0.1"]
        let inside = try world.visit(words, ["CURL_CA_BUNDLE=\(value)"])
        #expect(inside.output == "served", "\(inside)")
        // What a thief would do: sign with the key, and never ask us.
        let script = """
            openssl req -new -key leaf.key -subj /CN=other.test -out r.csr 2>&1 && printf 'subjectAltName=DNS:other.test' > x &&
            openssl x509 -req -in r.csr -CA ca/ca.pem -CAkey ca/ca.key -CAcreateserial -days 1 -extfile x -out leaf.pem
            """
        let forged = try spawn(["sh", "-c", script], in: world.folder)
        try #require(forged.status == 0, "\(forged)")
        let outside = try world.visit(
            ["curl", "-sS", "https://other.test:{port}/", "--resolve", "other.test:{port}:127.0.0.1"],
            ["CURL_CA_BUNDLE=\(value)"]
        )
        #expect(outside.errors.contains("permitted subtree violation"), "\(outside)")
        #expect(outside.output.isEmpty)
    }

    @Test("Java reads the trust store, and takes ours and the system's for roots to trust")
    func java() throws {
        let world = try World()
        let store = "\(world.folder.path)/trust/truststore.p12"
        #expect(world.variables["JAVA_TOOL_OPTIONS"]?.contains("trustStore=\(store) ") == true)
        let info = try spawn(["openssl", "pkcs12", "-in", store, "-passin", "pass:changeit", "-info", "-nokeys"])
        #expect(info.status == 0)
        #expect(info.output.contains("friendlyName: penstock-1"))
        #expect(info.output.contains("2.16.840.1.113894.746875.1.1"))
        #expect(info.output.components(separatedBy: "BEGIN CERTIFICATE").count > 100)
        let list = try spawn(["keytool", "-list", "-keystore", store, "-storepass", "changeit"])
        #expect(list.output.contains("penstock-1,"), "\(list)")
        #expect(list.output.components(separatedBy: "trustedCertEntry").count > 100)
    }

    @Test("what is there is never overwritten, and a rotation keeps the old root in bundles: old and new leaves verify")
    func rotation() throws {
        let world = try World("--name", "First")
        let folder = world.folder
        let before = try folder.text("ca/ca.pem")
        let again = try penstock("ca", "create", "--out", "\(folder.path)/ca")
        #expect(again.status == 73 && again.errors.contains("is there already and was left as it is"), "\(again)")
        #expect(try folder.text("ca/ca.pem") == before)
        let rotated = try penstock("ca", "rotate", "\(folder.path)/ca", "--overlap", "7")
        #expect(rotated.status == 0 && rotated.output.contains("still trusted: sha256:"), "\(rotated)")
        #expect(try folder.text("ca/ca.pem") != before)
        _ = try penstock("ca", "bundle", "--ca", "\(folder.path)/ca", "--out", "\(folder.path)/trust")
        let old = try spawn(["openssl", "verify", "-CAfile", "trust/ca.pem", "leaf.pem"], in: folder)
        #expect(old.output == "leaf.pem: OK\n", "\(old)")
        let new = try spawn(["openssl", "verify", "-CAfile", "trust/ca.pem", "ca/ca.pem"], in: folder)
        #expect(new.output == "ca/ca.pem: OK\n", "\(new)")
        #expect(try penstock("ca", "show", "\(folder.path)/ca").output.contains("subject      CN=First"))
        let atOnce = try penstock("ca", "rotate", "\(folder.path)/ca", "--overlap", "0")
        #expect(atOnce.status == 0 && !atOnce.output.contains("still trusted"), "\(atOnce)")
        _ = try penstock("ca", "bundle", "--ca", "\(folder.path)/ca", "--out", "\(folder.path)/trust")
        let late = try spawn(["openssl", "verify", "-CAfile", "trust/ca.pem", "leaf.pem"], in: folder)
        #expect(late.status != 0, "\(late)")
    }

    @Test("G01: the key is its owner's alone, and agents are never given the folder that holds it")
    func secrecy() throws {
        let world = try World()
        let key = "\(world.folder.path)/ca/ca.key"
        #expect(try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int == 0o600)
        let ca = "\(world.folder.path)/ca"
        #expect(try penstock("ca", "bundle", "--ca", ca, "--out", "\(ca)/").status == 64)
        let other = try penstock("ca", "bundle", "--ca", ca, "--out", "\(ca)/../ca")
        #expect(other.status == 73 && other.errors.contains("no agent may read"), "\(other)")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
        let shown = try penstock("ca", "show", ca)
        #expect(shown.status == 1 && shown.output.contains("mode 0640"), "\(shown)")
        #expect(!shown.output.contains("PRIVATE"))
    }

    @Test("everybody can read what agents are given, whatever the mask; the key stays its owner's alone")
    func mask() throws {
        let folder = try Folder()
        for words in ["ca create --out ca", "ca bundle --ca ca --out trust"] {
            let said = try spawn(["sh", "-c", "umask 077; exec \(program) \(words)"], in: folder)
            #expect(said.status == 0, "\(said)")
        }
        let modes = [
            "ca": 0o700, "ca/ca.key": 0o600, "ca/ca.pem": 0o644, "trust": 0o755, "trust/ca.pem": 0o644,
            "trust/bundle.pem": 0o644, "trust/truststore.p12": 0o644,
        ]
        for (name, mode) in modes {
            let found = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")[.posixPermissions]
            #expect(found as? Int == mode, "\(name)")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: "\(folder.path)/trust")
        #expect(try penstock("ca", "bundle", "--ca", "ca", "--out", "trust", in: folder).status == 0)
        let kept = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/trust")[.posixPermissions]
        #expect(kept as? Int == 0o750)
    }

    @Test("what is said of the key, of a rotation and of what is missing is true of this authority")
    func words() throws {
        let folder = try Folder()
        let whole = try penstock("ca", "create", "--out", "whole", in: folder)
        #expect(whole.errors.contains("whole/ca.key can speak for every host: keep it"), "\(whole)")
        let words = ["ca", "create", "--out", "some", "--permit", "example.com", "--permit", "a.test"]
        let some = try run(words, in: folder)
        #expect(some.errors.contains("can speak for example.com, a.test and every host below: keep it"), "\(some)")
        let homeless = try penstock("ca", "create", "--out", "none/ca", in: folder)
        #expect(homeless.status == 73 && homeless.errors.contains("the folder above it is not there"), "\(homeless)")
        #expect(try penstock("ca", "rotate", "--help").output.contains("then send the daemon SIGHUP"))
        let env = try penstock("ca", "env", "--bundle", "\(folder.path)/whole")
        #expect(env.status == 66 && env.errors.contains("`penstock ca bundle --ca DIR --out DIR2` writes"), "\(env)")
        #expect(!env.errors.contains("ca create"), "\(env)")
    }

    @Test("the variables come as shell, YAML and JSON, for the place where the agent sees them")
    func forms() throws {
        let world = try World()
        let base = ["ca", "env", "--bundle", "\(world.folder.path)/trust", "--at", "/etc/trust"]
        let shell = try run(base)
        #expect(shell.output.contains("export CURL_CA_BUNDLE='/etc/trust/bundle.pem'\n"))
        #expect(shell.output.contains("export NODE_EXTRA_CA_CERTS='/etc/trust/ca.pem'\n"))
        #expect(shell.lines.filter { $0.hasPrefix("export ") }.count == 12)
        let yaml = try run(base + ["--yaml"])
        #expect(yaml.output.contains("- name: PIP_CERT\n  value: \"/etc/trust/bundle.pem\"\n"))
        let added = try penstock("ca", "env", "--ca", "\(world.folder.path)/ca", "--json")
        #expect(added.output.contains("DENO_CERT") && !added.output.contains("SSL_CERT_FILE"))
    }

    @Test(
        "a command line that asks for nothing ends with 64, and says why",
        arguments: [
            (["ca", "create"], "--out DIR is required"), (["ca", "make"], "unknown command 'ca make'"),
            (["ca", "create", "--out", "x", "--permit", "*.a.com"], "is no domain; write example.com"),
            (["ca", "create", "--out", "x", "--days", "0"], "is no number of days"),
            (["ca", "create", "--out", "x", "--name", ""], "is no common name"), (["ca", "show"], "DIR is needed"),
            (["ca", "env"], "one of --bundle DIR and --ca DIR is needed"),
            (["ca", "env", "--bundle", "relative"], "does not begin with /"),
            (["ca", "env", "--bundle", "/it's"], "has quotes"),
        ]
    )
    func misuse(words: [String], complaint: String) throws {
        let said = try run(words)
        #expect(said.status == 64 && said.errors.contains(complaint), "\(said)")
    }

    @Test("a folder or roots that are not there are named, with 66; roots that are none, with 1")
    func missing() throws {
        let world = try World()
        let said = try penstock("ca", "show", "/nonexistent/ca")
        #expect(said.status == 66 && said.errors.contains("/nonexistent/ca is not there"), "\(said)")
        let base = ["ca", "bundle", "--ca", "\(world.folder.path)/ca", "--out", "\(world.folder.path)/t", "--roots"]
        let absent = try run(base + ["/nonexistent"])
        #expect(absent.status == 66 && absent.errors.contains("name a file with root certificates"), "\(absent)")
        let wrong = try run(base + ["\(world.folder.path)/serve.py"])
        #expect(wrong.status == 1 && wrong.errors.contains("no certificate in PEM"), "\(wrong)")
    }
}
