import LinuxBindings

/// The audit file, opened for appending and locked against a second daemon.
struct AuditFile: ~Copyable {
    private let descriptor: OwnedDescriptor
    /// What the file's size is as long as nobody else touches it, in bytes.
    private(set) var size: Int
    /// Whether it is standard output, which nobody can read back and nobody else can touch.
    let isStream: Bool

    /// Opens the file, or makes it with access for its owner only.
    static func open(in directory: AuditDirectory, durability: AuditDurability) throws(AuditError) -> AuditFile {
        // Reading too, because what it holds is read back; and a pipe opened so does not make us wait.
        let file = try open(directory.activeName, in: directory, [.readWrite, .append, .create])
        if file.size == 0, durability == .synced {
            do throws(SystemCallError) {
                // A new file's name is the directory's data.
                try directory.synchronize()
            } catch {
                throw .notOpened(error)
            }
        }
        return file
    }

    /// Opens a file that must not be there yet.
    static func make(_ name: String, in directory: AuditDirectory) throws(AuditError) -> AuditFile {
        try open(name, in: directory, [.readWrite, .append, .create, .exclusive])
    }

    /// A file that was left, to be read back.
    static func segment(_ name: String, in directory: AuditDirectory) throws(AuditError) -> AuditFile {
        try open(name, in: directory, [.readOnly])
    }

    private static func open(
        _ name: String,
        in directory: AuditDirectory,
        _ opening: FileOpening
    ) throws(AuditError) -> AuditFile {
        let fault: AuditError
        do throws(SystemCallError) {
            let descriptor = try directory.open(name, opening)
            let status = try fileStatus(descriptor)
            if let found = Self.fault(of: status) {
                fault = found
            } else if try !lockExclusively(descriptor) {
                fault = .inUse
            } else {
                return AuditFile(adopting: descriptor.release(), size: status.size)
            }
        } catch {
            fault = .notOpened(error)
        }
        throw fault
    }

    /// Takes over what `release` gave up.
    init(adopting number: Int32, size: Int, isStream: Bool = false) {
        descriptor = OwnedDescriptor(adopting: number)
        self.size = size
        self.isStream = isStream
    }

    /// Standard output, which must be open for writing: what is held in the place of one that is closed is not.
    static func standardOutput() throws(AuditError) -> AuditFile {
        guard isOpenForWriting(descriptor: 1) else { throw .noStandardOutput }
        do throws(SystemCallError) {
            return AuditFile(adopting: try duplicate(ofDescriptor: 1).release(), size: 0, isStream: true)
        } catch {
            throw .notOpened(error)
        }
    }

    /// Gives the descriptor up, for another thread to adopt.
    consuming func release() -> Int32 {
        descriptor.release()
    }

    /// Lets the next writer take the file, at once, whoever else has its descriptor by a fork.
    borrowing func unlock() {
        if !isStream { LinuxBindings.unlock(descriptor) }
    }

    /// Whether the file is as we left it: not cut short, not written to, not removed.
    func isUntouched() throws(SystemCallError) -> Bool {
        guard !isStream else { return true }
        let now = try sizeAndLinks(of: descriptor)
        return now.size == size && now.links > 0
    }

    /// Appends the bytes from this index on and says how many of them the file took; at least one.
    mutating func append(_ bytes: [UInt8], from start: Int) throws(SystemCallError) -> Int {
        let written = try writeBytes(descriptor, bytes.span.extracting(start...))
        guard written > 0 else { throw .inputOutput("write") }
        size += written
        return written
    }

    /// Waits until the disk has all that was appended.
    ///
    /// - Throws: `.notSynchronized`. It cannot be tried again: the kernel forgets what it could not write, and a second
    ///   call would succeed.
    func synchronize() throws(AuditError) {
        guard !isStream else { return }
        do throws(SystemCallError) {
            try synchronizeData(descriptor)
        } catch {
            throw .notSynchronized(error)
        }
    }

    /// Reads exactly these bytes.
    func read(_ range: Range<Int>) throws(AuditError) -> [UInt8] {
        do throws(SystemCallError) {
            var bytes = try readBytes(descriptor, atMost: range.count, at: range.lowerBound)
            while bytes.count < range.count {
                let more = try readBytes(
                    descriptor,
                    atMost: range.count - bytes.count,
                    at: range.lowerBound + bytes.count
                )
                // It ends before the size that it had when it was opened.
                if more.isEmpty { break }
                bytes += more
            }
            if bytes.count == range.count { return bytes }
        } catch {
            throw .notOpened(error)
        }
        throw .changedByOthers
    }

    /// Whether it is the file that has this name now.
    func isNamed(_ name: String, in directory: AuditDirectory) throws(SystemCallError) -> Bool {
        let own = try fileStatus(descriptor)
        guard let named = try directory.status(name) else { return false }
        return named.device == own.device && named.inode == own.inode
    }

    /// Why a file is not to be trusted; nil where it is.
    static func fault(of status: FileStatus) -> AuditError? {
        guard status.isRegular else { return .notRegular }
        guard status.owner == effectiveIdentity().user else { return .foreignOwner(status.owner) }
        guard status.linkCount == 1 else { return .severalNames(status.linkCount) }
        return nil
    }
}
