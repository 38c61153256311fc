import Foundation
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Testing

/// A folder with an authority that openssl has made, with these extensions; `ca.cnf` is what it was made by.
private func foreignAuthority(_ extensions: String) throws -> Folder {
    let folder = try Folder([
        "ca.cnf": "[req]\ndistinguished_name=d\nx509_extensions=x\n[d]\n[x]\nbasicConstraints=critical,CA:TRUE\n"
            + "keyUsage=critical,keyCertSign\n\(extensions)\n"
    ])
    let script = """
        mkdir ca && openssl req -x509 -config ca.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
          -keyout ca/ca.key -out ca/ca.pem -subj "/CN=of others" 2>&1 && chmod 600 ca/ca.key
        """
    let made = try spawn(["sh", "-c", script], in: folder)
    try #require(made.status == 0, "\(made)")
    return folder
}

@Suite("An authority that others have made")
struct ForeignAuthorityTests {
    @Test("one without a key identifier signs, and a client takes what it signs")
    func withoutKeyIdentifier() throws {
        let folder = try foreignAuthority("subjectKeyIdentifier=none")
        let text = try spawn(["openssl", "x509", "-in", "ca/ca.pem", "-noout", "-text"], in: folder)
        try #require(!text.output.contains("Subject Key Identifier"), "\(text)")
        let shown = try penstock("ca", "show", "ca", in: folder)
        #expect(shown.status == 0, "\(shown)")
        try sign(for: .host(HostName("a.test")), in: folder)
        let verified = try spawn(
            [
                "openssl", "verify", "-purpose", "sslserver", "-verify_hostname", "a.test", "-CAfile", "ca/ca.pem",
                "leaf.pem",
            ],
            in: folder
        )
        #expect(verified.output == "leaf.pem: OK\n", "\(verified)")
    }

    @Test(
        "one whose extended key usage leaves servers out is refused by name, and one that names them is not",
        arguments: [
            ("clientAuth", false), ("codeSigning,emailProtection", false), ("serverAuth", true),
            ("clientAuth,anyExtendedKeyUsage", true),
        ]
    )
    func extendedKeyUsage(usage: String, isSound: Bool) throws {
        let folder = try foreignAuthority("subjectKeyIdentifier=hash\nextendedKeyUsage=\(usage)")
        let shown = try penstock("ca", "show", "ca", in: folder)
        #expect(shown.status == (isSound ? 0 : 1), "\(shown)")
        #expect(shown.output.contains("may not sign for servers: its extended key usage") == !isSound, "\(shown)")
        let bundle = try penstock("ca", "bundle", "--ca", "ca", "--out", "trust", in: folder)
        #expect(bundle.status == (isSound ? 0 : 1), "\(bundle)")
    }

    @Test("one that OpenSSL cannot make out is refused before anybody is intercepted")
    func unusable() throws {
        // Name constraints that cannot be read.
        let folder = try foreignAuthority("subjectKeyIdentifier=hash\nnameConstraints=DER:0500")
        let shown = try penstock("ca", "show", "ca", in: folder)
        #expect(shown.status == 1 && shown.output.contains("an extension of it cannot be read"), "\(shown)")
    }

    @Test("with name constraints for DNS alone, its leaf for an address is taken by clients")
    func addressUnderNames() throws {
        let folder = try foreignAuthority(
            "subjectKeyIdentifier=hash\nnameConstraints=critical,permitted;DNS:example.com"
        )
        try sign(for: .address(try #require(IPAddress("203.0.113.40"))), in: folder)
        let verified = try spawn(
            [
                "openssl", "verify", "-purpose", "sslserver", "-verify_ip", "203.0.113.40", "-CAfile", "ca/ca.pem",
                "leaf.pem",
            ],
            in: folder
        )
        #expect(verified.output == "leaf.pem: OK\n", "\(verified)")
    }

    @Test("the state that a rotation leaves which was cut off is told of by `bundle`, too, with what to do")
    func cutOff() throws {
        let folder = try Folder()
        _ = try penstock("ca", "create", "--out", "ca", in: folder)
        let old = try folder.text("ca/ca.pem")
        _ = try penstock("ca", "rotate", "ca", in: folder)
        try FileManager.default.moveItem(atPath: "\(folder.path)/ca/ca.pem", toPath: "\(folder.path)/ca/ca.pem.part")
        try Data(old.utf8).write(to: URL(filePath: "\(folder.path)/ca/ca.pem"))
        let bundle = try penstock("ca", "bundle", "--ca", "ca", "--out", "trust", in: folder)
        #expect(
            bundle.status == 1 && bundle.errors.contains("ca/ca.pem.part is there: a rotation was cut off"),
            "\(bundle)"
        )
        do {
            let rotating = try openFile("\(folder.path)/ca", [.readOnly, .directory])
            #expect(try lockExclusively(rotating))
            let beside = try penstock("ca", "bundle", "--ca", "ca", "--out", "trust", in: folder)
            #expect(beside.status == 73 && beside.errors.contains("somebody else is changing ca; try again"))
        }
        #expect(try penstock("ca", "show", "ca", in: folder).output.contains("a rotation was cut off: rename that"))
        try FileManager.default.removeItem(atPath: "\(folder.path)/ca/ca.pem")
        try FileManager.default.moveItem(atPath: "\(folder.path)/ca/ca.pem.part", toPath: "\(folder.path)/ca/ca.pem")
        let mended = try penstock("ca", "bundle", "--ca", "ca", "--out", "trust", in: folder)
        #expect(mended.status == 0 && mended.output.contains(": 2 of ours"), "\(mended)")
    }

    private func sign(for name: CertifiedName, in folder: Folder) throws {
        let now = Int64(Date().timeIntervalSince1970)
        let authority = try Authority(folder: "\(folder.path)/ca", at: now)
        let leaf = try authority.leaf(for: name, notBefore: now - 60, notAfter: now + 3600, key: try P256PrivateKey())
        try Data(leaf.pem()).write(to: URL(filePath: "\(folder.path)/leaf.pem"))
    }
}
