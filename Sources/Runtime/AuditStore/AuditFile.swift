import LinuxBindings

/// The audit file, opened for appending and locked against a second daemon.
struct AuditFile: ~Copyable {
    private let descriptor: OwnedDescriptor
    /// What the file's size is as long as nobody else touches it, in bytes.
    private(set) var size: Int

    /// Opens the file, or makes it with access for its owner only.
    static func open(_ path: String, durability: AuditDurability) throws(AuditError) -> AuditFile {
        let fault: AuditError
        do throws(SystemCallError) {
            // Reading too, because what it holds is read back; and a pipe opened so does not make us wait.
            let descriptor = try openFile(path, [.readWrite, .append, .create, .noFollow], mode: 0o600)
            let status = try fileStatus(descriptor)
            guard let found = try Self.fault(of: descriptor, status) else {
                if status.size == 0, durability == .synced { try keepName(path) }
                return AuditFile(adopting: descriptor.release(), size: status.size)
            }
            fault = found
        } catch {
            fault = .notOpened(error)
        }
        throw fault
    }

    /// Takes over what `release` gave up.
    init(adopting number: Int32, size: Int) {
        descriptor = OwnedDescriptor(adopting: number)
        self.size = size
    }

    /// Gives the descriptor up, for another thread to adopt.
    consuming func release() -> Int32 {
        descriptor.release()
    }

    /// Whether the file is as we left it: not cut short, not written to, not removed.
    func isUntouched() throws(SystemCallError) -> Bool {
        let status = try fileStatus(descriptor)
        return status.size == size && status.linkCount > 0
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

    private static func fault(
        of file: borrowing OwnedDescriptor,
        _ status: FileStatus
    ) throws(SystemCallError) -> AuditError? {
        guard status.isRegular else { return .notRegular }
        guard status.owner == effectiveIdentity().user else { return .foreignOwner(status.owner) }
        guard status.linkCount == 1 else { return .severalNames(status.linkCount) }
        return try lockExclusively(file) ? nil : .inUse
    }

    /// Has the folder synchronized as well: a new file's name is the folder's data.
    private static func keepName(_ path: String) throws(SystemCallError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        try LinuxBindings.synchronize(openFile(folder, [.readOnly, .directory]))
    }
}
