import LinuxBindings
import Synchronization

/// The directory of what the daemon keeps for itself: opened once, and every file in it opened below it.
///
/// Its files are replaced in one step that a loss of power does not halve, and are for the daemon's user only.
final class StateDirectory: Sendable {
    private static let byteLimit = 65_536

    private let descriptor: OwnedDescriptor
    private let report: AuditStoreSettings.Report
    /// Of which files the operator was told that others may read them.
    private let exposed = Mutex<Set<String>>([])

    /// Opens the directory; `report` receives what is not as it should be and keeps nothing back.
    init(_ path: String, report: AuditStoreSettings.Report) throws(AuditError) {
        self.report = report
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
    /// The operator is told where others may read what is secret.
    ///
    /// - Throws: `.foreignState` for one that somebody else may have put there, or that cannot be read.
    func read(_ name: String, isSecret: Bool = false) throws(AuditError) -> [UInt8]? {
        let fault: StateFault
        do throws(SystemCallError) {
            let file = try openFile(below: descriptor, name, [.readOnly, .noFollow, .nonblocking])
            let status = try fileStatus(file)
            guard let found = Self.fault(of: status) else {
                if isSecret { warn(of: name, status.permissions) }
                return try readBytes(file, atMost: Self.byteLimit, at: 0)
            }
            fault = found
        } catch {
            if error.isMissing { return nil }
            fault = faultNotOpened(name, error)
        }
        throw .foreignState(name, fault)
    }

    /// Why a file could not be opened: what others own, often only they may read.
    private func faultNotOpened(_ name: String, _ error: SystemCallError) -> StateFault {
        if error.isLink { return .link }
        guard let status = try? fileStatus(below: descriptor, name) else { return .unreadable(error) }
        return Self.fault(of: status) ?? .unreadable(error)
    }

    private static func fault(of status: FileStatus) -> StateFault? {
        switch AuditFile.fault(of: status) {
        case nil: nil
        case .foreignOwner(let uid): .owner(uid)
        case .severalNames(let count): .names(count)
        default: .notRegular
        }
    }

    /// Tells the operator, once for each file, that others may read it.
    private func warn(of name: String, _ permissions: UInt32) {
        let isOpen = permissions & 0o077 != 0
        let isNews = exposed.withLock { told in isOpen ? told.insert(name).inserted : false }
        guard isNews else { return }
        report.say(
            "warning: audit: \(name) in state.path is secret, and its mode \(String(permissions & 0o7777, radix: 8)) lets others at it: chmod 600, and change it if others may have read it"
        )
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
            if let found = Self.fault(of: try fileStatus(file)) {
                fault = .foreignState(name, found)
            } else if try lockExclusively(file) {
                return file
            } else {
                fault = .stateInUse
            }
        } catch {
            fault = error.isLink ? .foreignState(name, .link) : .noState(error)
        }
        throw fault
    }

    private func remove(_ name: String) throws(SystemCallError) {
        do throws(SystemCallError) {
            try removeFile(below: descriptor, name)
        } catch {
            guard error.isMissing else { throw error }
        }
    }
}
