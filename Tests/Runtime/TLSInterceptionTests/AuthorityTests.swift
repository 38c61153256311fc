import Foundation
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Testing

let now = Int64(Date().timeIntervalSince1970)

/// A folder of its own, gone with the value.
final class Place {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: path).appending(path: name))
        try setMode(mode, of: name)
    }

    func setMode(_ mode: Int, of name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(path)/\(name)")
    }

    func text(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: path).appending(path: name), encoding: .utf8)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    func load(at time: Int64 = now) throws -> Authority { try Authority(folder: path, at: time) }
}

func host(_ text: String) throws -> CertifiedName { .host(try HostName(text)) }

@Suite("The authority in its folder")
struct AuthorityTests {
    @Test("what was made is what is read; in memory it is of the same kind")
    func roundTrip() throws {
        let place = try Place()
        let made = try Authority.create(in: place.path, AuthorityWish(name: "Überbau"), at: now)
        let read = try place.load()
        #expect(read.certificate == made.certificate)
        #expect(read.certificate.isAuthority && read.certificate.isSelfSigned)
        #expect(read.certificate.notAfter == now + 3650 * 86_400)
        let inMemory = try Authority.ephemeral(AuthorityWish(), at: now)
        #expect(inMemory.certificate.isAuthority && inMemory.certificate != read.certificate)
    }

    @Test(
        "G01: a key that others can read or write, a link, or a folder in its place is refused",
        arguments: [0o640, 0o604, 0o620, 0o666]
    )
    func keyPermissions(mode: Int) throws {
        let place = try Place()
        try Authority.create(in: place.path, AuthorityWish(), at: now)
        try place.setMode(mode, of: "ca.key")
        #expect(throws: AuthorityError.exposed("\(place.path)/ca.key", UInt32(mode))) { try place.load() }
        try place.setMode(0o400, of: "ca.key")
        _ = try place.load()
        try FileManager.default.moveItem(atPath: "\(place.path)/ca.key", toPath: "\(place.path)/real")
        try FileManager.default.createSymbolicLink(atPath: "\(place.path)/ca.key", withDestinationPath: "real")
        #expect(throws: AuthorityError.notRegular("\(place.path)/ca.key")) { try place.load() }
    }

    @Test(
        "G01: what agents are to trust is refused where others may write to it, or have made it",
        arguments: ["ca.pem", "previous.pem"]
    )
    func foreignRoots(name: String) throws {
        let place = try Place()
        try Authority.create(in: place.path, AuthorityWish(), at: now)
        try Authority.rotate(in: place.path, days: 1, overlapDays: 1, at: now)
        let file = "\(place.path)/\(name)"
        for mode in [0o664, 0o646] {
            try place.setMode(mode, of: name)
            #expect(throws: AuthorityError.changeable(file, UInt32(mode))) { try place.load() }
            #expect(throws: AuthorityError.changeable(file, UInt32(mode))) { try AuthorityParts(folder: place.path) }
        }
        try place.setMode(0o644, of: name)
        _ = try place.load()
        try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: file)
        let fault = AuthorityError.foreignRoot(file, 65534, effectiveIdentity().user)
        #expect(throws: fault) { try place.load() }
        #expect(throws: fault) { try AuthorityParts(folder: place.path) }
        #expect(throws: fault) { try Authority.rotate(in: place.path, days: 1, overlapDays: 1, at: now) }
        // It is read by others for who it is, where nobody else may write to the folder, and never signed by.
        try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: place.path)
        _ = try AuthorityParts(folder: place.path)
        #expect(throws: fault) { try place.load() }
        for mode in [0o777, 0o1777, 0o720] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place.path)
            #expect(throws: fault) { try AuthorityParts(folder: place.path) }
        }
    }

    @Test("a rotation changes nothing where the key is another root's, or one was cut off before")
    func unsettled() throws {
        let place = try Place()
        try Authority.create(in: place.path, AuthorityWish(), at: now)
        let key = try place.text("ca.key")
        let other = String(decoding: try P256PrivateKey().pem(), as: UTF8.self)
        try place.write(other, to: "ca.key")
        #expect(throws: AuthorityError.mismatch(place.path)) {
            try Authority.rotate(in: place.path, days: 1, overlapDays: 1, at: now)
        }
        #expect(try place.text("ca.key") == other)
        try place.write(key, to: "ca.key")
        try place.write("", to: "ca.pem.part")
        #expect(throws: AuthorityError.cutOff("\(place.path)/ca.pem")) {
            try Authority.rotate(in: place.path, days: 1, overlapDays: 1, at: now)
        }
        try place.remove("ca.pem.part")
        try Authority.rotate(in: place.path, days: 1, overlapDays: 1, at: now)
    }

    @Test("every broken folder is refused by what is wrong with it")
    func broken() throws {
        let place = try Place()
        let key = "\(place.path)/ca.key"
        let root = "\(place.path)/ca.pem"
        #expect(throws: AuthorityError.missing(place.path)) { try place.load() }
        let made = try Authority.create(in: place.path, AuthorityWish(days: 1), at: now)
        #expect(throws: AuthorityError.expired(root, made.certificate.notAfter)) { try place.load(at: now + 86_401) }
        #expect(throws: AuthorityError.notYetValid(root, now - 600)) { try place.load(at: now - 601) }
        #expect(throws: AuthorityError.alreadyThere(root)) {
            try Authority.create(in: place.path, AuthorityWish(), at: now)
        }
        let good = (try place.text("ca.key"), try place.text("ca.pem"))
        try place.write(String(decoding: try P256PrivateKey().pem(), as: UTF8.self), to: "ca.key")
        #expect(throws: AuthorityError.mismatch(place.path)) { try place.load() }
        try place.write(String(decoding: try Ed25519PrivateKey().pem(), as: UTF8.self), to: "ca.key")
        #expect(throws: AuthorityError.badKey(key, .otherAlgorithm)) { try place.load() }
        try place.write(
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            to: "ca.key"
        )
        #expect(throws: AuthorityError.badKey(key, .noKey)) { try place.load() }
        try place.remove("ca.key")
        #expect(throws: AuthorityError.certificateAlone(place.path)) { try place.load() }
        #expect(throws: AuthorityError.certificateAlone(place.path)) {
            try Authority.create(in: place.path, AuthorityWish(), at: now)
        }
        try place.write(good.0, to: "ca.key")
        try place.write("", to: "ca.pem")
        #expect(throws: AuthorityError.badCertificate(root, .noCertificate)) { try place.load() }
        try place.write(String(good.1.prefix(200)), to: "ca.pem")
        #expect(throws: AuthorityError.badCertificate(root, .damaged(1))) { try place.load() }
        let leaf = try made.leaf(for: try host("a.test"), notBefore: now, notAfter: now + 60, key: try P256PrivateKey())
        try place.write(String(decoding: try leaf.pem(), as: UTF8.self), to: "ca.pem")
        #expect(throws: AuthorityError.notAnAuthority(root)) { try place.load() }
        try place.write(good.1, to: "ca.pem")
        try place.write("until soon\n\(good.1)", to: "previous.pem")
        #expect(throws: AuthorityError.badCertificate("\(place.path)/previous.pem", .damaged(1))) { try place.load() }
    }

    @Test("a key without its certificate is told of by whoever finds it, with a way out")
    func keyAlone() throws {
        let place = try Place()
        try Authority.create(in: place.path, AuthorityWish(), at: now)
        try FileManager.default.moveItem(atPath: "\(place.path)/ca.pem", toPath: "\(place.path)/ca.pem.part")
        let fault = AuthorityError.keyAlone(place.path)
        #expect(throws: fault) { try place.load() }
        #expect(throws: fault) { try Authority.create(in: place.path, AuthorityWish(), at: now) }
        #expect(throws: fault) { try Authority.rotate(in: place.path, days: 1, overlapDays: 1, at: now) }
        try FileManager.default.moveItem(atPath: "\(place.path)/ca.pem.part", toPath: "\(place.path)/ca.pem")
        _ = try place.load()
    }

    @Test("a rotation keeps subject and constraints, changes the key, and trusts the old root until its time is over")
    func rotation() throws {
        let place = try Place()
        let wish = AuthorityWish(name: "First", permitted: [try HostName("example.com")])
        let first = try Authority.create(in: place.path, wish, at: now)
        try Authority.rotate(in: place.path, days: 100, overlapDays: 10, at: now)
        let third = try Authority.rotate(in: place.path, days: 100, overlapDays: 5, at: now + 86_400 * 6)
        let read = try place.load(at: now + 86_400 * 6)
        #expect(read.certificate == third.certificate)
        #expect(read.certificate.subject == first.certificate.subject)
        #expect(read.certificate.nameConstraints == first.certificate.nameConstraints)
        #expect(read.previous.count == 2 && read.previous.last?.certificate == first.certificate)
        let parts = try AuthorityParts(folder: place.path)
        #expect(parts.trusted(at: now + 86_400 * 10 + 1).count == 2)
        #expect(parts.trusted(at: now + 86_400 * 12).count == 1)
        // A key that others may have: none of the roots before is trusted any more.
        try Authority.rotate(in: place.path, days: 100, overlapDays: 0, at: now + 86_400 * 7)
        #expect(try AuthorityParts(folder: place.path).trusted(at: now + 86_400 * 7).count == 1)
    }

    @Test("G10: a leaf begins before now, never outlives its root, and stands for one name under a random serial")
    func leaves() throws {
        let authority = try Authority.ephemeral(AuthorityWish(days: 1), at: now)
        let key = try P256PrivateKey()
        let leaf = try authority.leaf(for: try host("a.test"), notBefore: now - 600, notAfter: now + 90_000, key: key)
        #expect(leaf.notBefore == now - 600 && leaf.notAfter == authority.certificate.notAfter)
        #expect(!leaf.isAuthority && leaf.belongs(to: key))
        let other = try authority.leaf(for: try host("a.test"), notBefore: now, notAfter: now + 60, key: key)
        #expect(leaf.serial != other.serial)
        #expect(throws: CertificateError.outlived) {
            try authority.leaf(for: try host("a.test"), notBefore: now + 90_000, notAfter: now + 90_001, key: key)
        }
        // The longest name there is has no room in a common name.
        let long = Array(repeating: String(repeating: "a", count: 49), count: 5).joined(separator: ".")
        _ = try authority.leaf(for: try host(long), notBefore: now, notAfter: now + 60, key: key)
    }

    @Test(
        "a constrained authority signs for its domains and what is below them, and for nothing else",
        arguments: [
            ("example.com", true), ("a.b.example.com", true), ("badexample.com", false), ("example.org", false),
            ("192.0.2.1", false), ("2001:db8::1", false),
        ]
    )
    func constraints(text: String, isPermitted: Bool) throws {
        let wish = AuthorityWish(permitted: [try HostName("example.com")])
        let authority = try Authority.ephemeral(wish, at: now)
        let name: CertifiedName = try IPAddress(text).map { .address($0) } ?? host(text)
        let key = try P256PrivateKey()
        do throws(CertificateError) {
            _ = try authority.leaf(for: name, notBefore: now, notAfter: now + 60, key: key)
            #expect(isPermitted)
        } catch {
            #expect(!isPermitted && error == .notPermitted)
        }
    }

    @Test("the system's roots are read, each once")
    func systemRoots() throws {
        let roots = try SystemRoots.read(try #require(SystemRoots.place()))
        #expect(roots.count > 50 && Set(roots).count == roots.count)
    }
}
