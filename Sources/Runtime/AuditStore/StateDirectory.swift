import LinuxBindings

/// The directory of what the daemon keeps for itself: opened once, and every file in it opened below it.
///
/// Its files are replaced in one step that a loss of power does not halve, and are for the daemon's user only.
final class StateDirectory: Sendable {
    private static let byteLimit = 65_536

    private let descriptor: OwnedDescriptor

    init(_ path: String) throws(AuditError) {
        do throws(SystemCallError) {
            descriptor = try openFile(path, [.readOnly, .directory])
        } catch {
            throw .noState(error)
        }
    }

    /// Takes the directory for the one daemon that writes there, as long as this lives or until `unlock`.
    ///
    /// Whoever only reads does not call it.
    ///
    /// - Throws: `.stateInUse` where another daemon has it.
    func lock() throws(AuditError) {
        let isOurs: Bool
        do throws(SystemCallError) {
            isOurs = try lockExclusively(descriptor)
        } catch {
            throw .noState(error)
        }
        guard isOurs else { throw .stateInUse }
    }

    /// Lets the next daemon have the directory, at once, whoever else has its descriptor by a fork.
    func unlock() { LinuxBindings.unlock(descriptor) }

    /// The content of a file; nil where there is none.
    ///
    /// - Throws: `.foreignState` for one that somebody else may have put there.
    func read(_ name: String) throws(AuditError) -> [UInt8]? {
        do throws(SystemCallError) {
            let file = try openFile(below: descriptor, name, [.readOnly, .noFollow, .nonblocking])
            let status = try fileStatus(file)
            let bytes = try readBytes(file, atMost: Self.byteLimit, at: 0)
            if AuditFile.fault(of: status) == nil { return bytes }
        } catch {
            if error.isNotFound { return nil }
            throw .noState(error)
        }
        throw .foreignState(name)
    }

    /// Replaces a file.
    func write(_ bytes: [UInt8], to name: String) throws(SystemCallError) {
        let new = name + ".part"
        try remove(new)
        let file = try openFile(below: descriptor, new, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
        try writeBytes(file, bytes, at: 0)
        try synchronizeData(file)
        try replaceFile(below: descriptor, name, with: new)
        try synchronize(descriptor)
    }

    /// Gives a file the name of another, which is replaced.
    func replace(_ name: String, with newName: String) throws(SystemCallError) {
        try replaceFile(below: descriptor, name, with: newName)
        try synchronize(descriptor)
    }

    /// Whether there is anything of this name.
    func has(_ name: String) throws(SystemCallError) -> Bool { try fileStatus(below: descriptor, name) != nil }

    /// Opens a file that is overwritten in place, and that nobody else opens so.
    func openForOverwriting(_ name: String) throws(AuditError) -> OwnedDescriptor {
        let fault: AuditError
        do throws(SystemCallError) {
            let file = try openFile(
                below: descriptor,
                name,
                [.readWrite, .create, .noFollow, .nonblocking],
                mode: 0o600
            )
            if AuditFile.fault(of: try fileStatus(file)) != nil {
                fault = .foreignState(name)
            } else if try lockExclusively(file) {
                return file
            } else {
                fault = .stateInUse
            }
        } catch {
            fault = .noState(error)
        }
        throw fault
    }

    private func remove(_ name: String) throws(SystemCallError) {
        do throws(SystemCallError) {
            try removeFile(below: descriptor, name)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }
}
