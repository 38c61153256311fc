import LinuxBindings
import OpenSSLBindings

/// The folder of an authority: `ca.pem`, `ca.key`, and `previous.pem` with the roots before.
struct AuthorityFolder: ~Copyable {
    static let certificate = "ca.pem"
    static let key = "ca.key"
    static let previous = "previous.pem"
    /// What stands behind the name of a file that is not in its place yet.
    static let part = ".part"
    private static let byteLimit = 1 << 20

    let path: String
    private let descriptor: OwnedDescriptor
    /// Nothing is signed by what it holds: its owner may be another user.
    private let isForReading: Bool

    init(_ path: String, forReading isForReading: Bool = false) throws(AuthorityError) {
        self.path = path
        self.isForReading = isForReading
        do throws(SystemCallError) {
            descriptor = try openFile(path, [.readOnly, .directory])
        } catch {
            throw error.isMissing ? .missing(path) : Self.foreignOwner(path, error) ?? .unreadable(path, error)
        }
    }

    /// Whose the folder is, where that is why it cannot be opened.
    private static func foreignOwner(_ path: String, _ error: SystemCallError) -> AuthorityError? {
        let user = effectiveIdentity().user
        guard error.isNotPermitted, let owner = try? fileStatus(at: path).owner, owner != user else {
            return nil
        }
        return .foreignOwner(path, owner, user)
    }

    func place(_ name: String) -> String { "\(path)/\(name)" }

    /// The content of a file that must be there.
    ///
    /// Its owner alone may write to it: this process's user or root; for reading also the owner of a folder that no other user may
    /// write to.
    func read(_ name: String) throws(AuthorityError) -> [UInt8] {
        guard let bytes = try readIfThere(name) else { throw .missing(place(name)) }
        return bytes
    }

    /// The content of a file; nil where there is none.
    ///
    /// A secret one must be its owner's alone, and its owner this process's user.
    func readIfThere(_ name: String, isSecret: Bool = false) throws(AuthorityError) -> [UInt8]? {
        guard let before = try status(name) else { return nil }
        // One of somebody else cannot even be opened.
        var fault = fault(of: before, name, isSecret: isSecret)
        if let fault { throw fault }
        do throws(SystemCallError) {
            let file = try openFile(below: descriptor, name, [.readOnly, .noFollow, .nonblocking])
            // Of the file that was opened: another may have taken its place by now.
            let status = try fileStatus(file)
            fault = self.fault(of: status, name, isSecret: isSecret)
            if fault == nil {
                let bytes = try readBytes(file, atMost: Self.byteLimit, at: 0)
                if bytes.count < Self.byteLimit { return bytes }
                fault = .tooLarge(place(name))
            }
        } catch {
            throw .unreadable(place(name), error)
        }
        throw fault ?? .notRegular(place(name))
    }

    /// What the kernel knows of a file; nil where there is none.
    func status(_ name: String) throws(AuthorityError) -> FileStatus? {
        do throws(SystemCallError) {
            return try fileStatus(below: descriptor, name)
        } catch {
            throw .unreadable(place(name), error)
        }
    }

    private func fault(of status: FileStatus, _ name: String, isSecret: Bool) -> AuthorityError? {
        guard status.isRegular else { return .notRegular(place(name)) }
        let user = effectiveIdentity().user
        guard isSecret else {
            // What agents are to trust is the authority's, and not of somebody whom the folder lets in.
            guard [user, 0].contains(status.owner) || isOfFolder(status.owner) else {
                return .foreignRoot(place(name), status.owner, user)
            }
            return status.permissions & 0o022 == 0 ? nil : .changeable(place(name), status.permissions)
        }
        guard status.owner == user else { return .foreignOwner(place(name), status.owner, user) }
        guard status.permissions & 0o077 == 0 else { return .exposed(place(name), status.permissions) }
        return nil
    }

    /// True where others than the owner of the folder can put nothing there, and it is read for who it is, not to sign by it.
    private func isOfFolder(_ owner: UInt32) -> Bool {
        guard isForReading, let status = try? fileStatus(descriptor) else { return false }
        return status.owner == owner && status.permissions & 0o022 == 0
    }

    /// Refuses a folder with a key and no certificate: neither making an authority nor rotating one would mend it.
    func refuseKeyAlone() throws(AuthorityError) {
        if try status(Self.key) != nil, try status(Self.certificate) == nil { throw .keyAlone(path) }
    }

    /// The key, of whom this process's user alone may know.
    func readKey() throws(AuthorityError) -> P256PrivateKey {
        guard let bytes = try readIfThere(Self.key, isSecret: true) else { throw .certificateAlone(path) }
        do throws(CertificateError) {
            return try P256PrivateKey(pem: bytes)
        } catch {
            throw .badKey(place(Self.key), error)
        }
    }

    /// Keeps others who ask as well from changing the folder, for as long as this value lives.
    func lock() throws(AuthorityError) {
        do throws(SystemCallError) {
            if try lockExclusively(descriptor) { return }
        } catch {
            throw .unreadable(path, error)
        }
        throw .inUse(path)
    }

    /// Why the root in its place may not be the one to go on with; nil where there is no other.
    var unsettled: AuthorityError? {
        get throws(AuthorityError) {
            let part = Self.certificate + Self.part
            guard try status(part) != nil else { return nil }
            do throws(AuthorityError) {
                try lock()
            } catch {
                return error
            }
            // Whoever was at it may have come to the end meanwhile.
            return try status(part) == nil ? nil : .cutOff(place(Self.certificate))
        }
    }

    /// Gives the folder itself these permissions, whatever the process's mask.
    func open(to mode: UInt32) throws(AuthorityError) {
        do throws(SystemCallError) {
            try setPermissions(descriptor, mode)
        } catch {
            throw .unwritable(path, error)
        }
    }

    /// Says why no file can be made in it.
    func checkIsWritable() throws(AuthorityError) {
        do throws(SystemCallError) {
            try checkWriting(in: descriptor)
        } catch {
            throw .unwritable(path, error)
        }
    }

    /// Writes a file of just this mode beside the place of another; `take` puts it there.
    func prepare(_ name: String, _ bytes: [UInt8], mode: UInt32) throws(AuthorityError) {
        let part = name + Self.part
        do throws(SystemCallError) {
            if try fileStatus(below: descriptor, part) != nil { try removeFile(below: descriptor, part) }
            let file = try openFile(below: descriptor, part, [.readWrite, .create, .exclusive, .noFollow], mode: mode)
            // What the mask has taken away: agents read as other users.
            try setPermissions(file, mode)
            try writeBytes(file, bytes, at: 0)
            try synchronize(file)
        } catch {
            throw .unwritable(place(name), error)
        }
    }

    /// Puts a prepared file in its place: in that of another, or only where there is none.
    func take(_ name: String, replacing: Bool) throws(AuthorityError) {
        do throws(SystemCallError) {
            if replacing {
                try replaceFile(below: descriptor, name, with: name + Self.part)
            } else {
                try renameFile(below: descriptor, name + Self.part, to: name)
            }
            try synchronize(descriptor)
        } catch {
            throw error.isAlreadyThere ? .alreadyThere(place(name)) : .unwritable(place(name), error)
        }
    }
}
