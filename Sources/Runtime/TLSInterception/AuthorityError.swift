import LinuxBindings
import OpenSSLBindings

/// Why there is no authority to be had from a folder, or none to be made in it.
package enum AuthorityError: Error, Hashable, Sendable {
    /// The folder, or a file in it that must be there, is missing.
    case missing(String)
    /// What agents are given is not there.
    case noBundle(String)
    /// The file of root certificates to trust is missing.
    case noRoots(String)
    case unreadable(String, SystemCallError)
    /// A symbolic link, a folder or a device stands where a file should.
    case notRegular(String)
    case tooLarge(String)
    /// The file belongs to the first user, and should to the second.
    case foreignOwner(String, UInt32, UInt32)
    /// What is to be trusted belongs to the first user, and the second reads it.
    case foreignRoot(String, UInt32, UInt32)
    /// Others than the owner may read or write the key; these are its permissions.
    case exposed(String, UInt32)
    /// Others than the owner may write what is to be trusted; these are its permissions.
    case changeable(String, UInt32)
    case badCertificate(String, CertificateError)
    case badKey(String, CertificateError)
    /// The key is another certificate's.
    case mismatch(String)
    /// The folder has a key, and no certificate.
    case keyAlone(String)
    /// The folder has a certificate, and no key.
    case certificateAlone(String)
    /// Beside the certificate is one that was about to take its place.
    case cutOff(String)
    /// It may not sign certificates.
    case notAnAuthority(String)
    /// Its extended key usage leaves servers out.
    case notForServers(String)
    /// No certificate can be signed under it.
    case cannotSign(String, CertificateError)
    /// It was signed by another.
    case notARoot(String)
    /// It ended at that second.
    case expired(String, Int64)
    /// It begins at that second.
    case notYetValid(String, Int64)
    /// There is an authority, or a part of one, in the folder where one should be made.
    case alreadyThere(String)
    /// The folder that agents are to read holds a key of an authority.
    case holdsKey(String)
    /// Somebody else is changing the folder.
    case inUse(String)
    /// A folder cannot be made, because the one above it is missing.
    case noParent(String)
    case unwritable(String, SystemCallError)
    /// OpenSSL failed.
    case failed(CertificateError)
}

extension AuthorityError: CustomStringConvertible {
    /// What is wrong with which file, and what to do about it.
    package var description: String {
        switch self {
        case .missing(let path):
            "\(path) is not there; `penstock ca create --out DIR` makes an authority"
        case .noBundle(let path):
            "\(path) is not there; `penstock ca bundle --ca DIR --out DIR2` writes what agents are given"
        case .noRoots(let path): "\(path) is not there; name a file with root certificates in PEM"
        case .unreadable(let path, let error): "cannot read \(path): \(error)"
        case .notRegular(let path):
            "\(path) is no regular file; put the file itself there, for links are not followed"
        case .tooLarge(let path): "\(path) is too long to be what it should be"
        case .foreignOwner(let path, let owner, let wanted):
            "\(path) belongs to UID \(owner), not to \(wanted), who runs this; give it to that user (chown \(wanted)), or run "
                + "this as the other"
        case .foreignRoot(let path, let owner, let reader):
            "\(path) belongs to UID \(owner), and agents would trust what that user puts there: if it is the authority's owner, run this "
                + "as UID \(owner) and not as \(reader); else look at what it holds, and give it to the owner of the key"
        case .exposed(let path, let permissions):
            "\(path) has mode 0\(String(permissions, radix: 8)): others than its owner can have the key; if nobody had it "
                + "yet, chmod 0600 it, else make another authority"
        case .changeable(let path, let permissions):
            "\(path) has mode 0\(String(permissions, radix: 8)): others than its owner may put a root of theirs there; look at what it "
                + "holds, then chmod 0644 it"
        case .badCertificate(let path, let error): "\(path): \(error); put a root certificate in PEM there"
        case .badKey(let path, let error): "\(path): \(error); put the unencrypted P-256 key of the certificate there"
        case .mismatch(let folder):
            "\(folder)/ca.key is not the key of \(folder)/ca.pem; if ca.pem.part is there, a rotation was cut off: rename that to "
                + "ca.pem; else put the pair there again, or make another authority"
        case .keyAlone(let folder):
            "\(folder)/ca.key is there, and ca.pem is not; put its certificate there (if ca.pem.part is there, rename that), or "
                + "remove the key and make another authority"
        case .certificateAlone(let folder):
            "\(folder)/ca.key is not there, and ca.pem is; put the key of that certificate there, or remove what the folder holds and "
                + "make another authority"
        case .cutOff(let path):
            "\(path).part is there: a rotation was cut off; if `penstock ca show` says that the key is another's, rename it to "
                + "\(path), else remove it"
        case .notAnAuthority(let path):
            "\(path) may not sign certificates: it lacks CA:TRUE or the key usage, or an extension of it cannot be read; use a "
                + "root certificate"
        case .notForServers(let path):
            "\(path) may not sign for servers: its extended key usage has neither serverAuth nor anyExtendedKeyUsage; use a "
                + "root without that extension"
        case .cannotSign(let path, let error):
            "\(path): nothing can be signed under it (\(error)); make another authority"
        case .notARoot(let path):
            "\(path) is not self-signed; use a root: clients would have to trust whoever signed this"
        case .expired(let path, let end):
            "\(path) expired at \(timeText(end)); make another one with `penstock ca rotate`, and distribute it"
        case .notYetValid(let path, let start):
            "\(path) is valid from \(timeText(start)) on; set the clock, or make another authority"
        case .alreadyThere(let path):
            "\(path) is there already and was left as it is; `penstock ca rotate` puts a new root in its place, or name "
                + "another folder"
        case .holdsKey(let folder):
            "\(folder) holds ca.key, which no agent may read; write what agents are given to another folder"
        case .inUse(let folder): "somebody else is changing \(folder); try again"
        case .noParent(let path): "cannot make \(path): the folder above it is not there; make that first"
        case .unwritable(let path, let error): "cannot write \(path): \(error)"
        case .failed(let error): "\(error)"
        }
    }
}
