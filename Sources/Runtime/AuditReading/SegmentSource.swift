import LinuxBindings
import ZstdBindings

/// The bytes of one file of the trail, from its beginning on, decompressed where it is compressed.
///
/// Which it is its first bytes say: a line begins with a brace.
struct SegmentSource: ~Copyable {
    private static let blockBytes = 1 << 18

    private let path: String
    private let file: OwnedDescriptor
    private var decompressor: ZstdDecompressor?
    /// Bytes as the file has them, read and not used.
    private var input: [UInt8]
    private var unused: Range<Int>
    /// Bytes of the file that were read: of the compressed ones, where it is compressed.
    private(set) var bytesRead = 0

    static func open(_ path: String) throws(AuditReadingError) -> SegmentSource {
        var source: SegmentSource
        do throws(SystemCallError) {
            source = SegmentSource(path, try openFile(path, .readOnly))
        } catch {
            throw .file(path: path, error)
        }
        try source.begin()
        return source
    }

    private init(_ path: String, _ file: consuming OwnedDescriptor) {
        self.path = path
        self.file = file
        decompressor = nil
        input = [UInt8](repeating: 0, count: ZstdDecompressor.magic.count)
        unused = 0..<0
    }

    /// The offset in a plain file of what is read next.
    var position: Int { bytesRead - unused.count }

    var isCompressed: Bool {
        switch decompressor {
        case .none: false
        case .some: true
        }
    }

    /// What the kernel knows of the file.
    func status() throws(AuditReadingError) -> FileStatus {
        do throws(SystemCallError) {
            return try fileStatus(file)
        } catch {
            throw .file(path: path, error)
        }
    }

    /// Has the next byte be the one at this offset of a plain file.
    mutating func skip(to offset: Int) throws(AuditReadingError) {
        do throws(SystemCallError) {
            try seek(file, to: offset)
        } catch {
            throw .file(path: path, error)
        }
        unused = 0..<0
        bytesRead = offset
    }

    /// Reads the first bytes and sees what they are.
    private mutating func begin() throws(AuditReadingError) {
        do throws(SystemCallError) {
            while unused.count < ZstdDecompressor.magic.count {
                let count = try readBytes(file, into: &input, from: unused.upperBound)
                if count == 0 { break }
                unused = 0..<unused.upperBound + count
            }
        } catch {
            throw .file(path: path, error)
        }
        bytesRead = unused.count
        guard input[unused].starts(with: ZstdDecompressor.magic) else { return }
        input += [UInt8](repeating: 0, count: Self.blockBytes - input.count)
        do throws(ZstdError) {
            decompressor = try ZstdDecompressor()
        } catch {
            throw .noMemory(path: path)
        }
    }

    /// Puts what comes next into the array from the index `start` on; 0 is the end.
    mutating func read(into buffer: inout [UInt8], from start: Int) throws(AuditReadingError) -> Int {
        guard isCompressed else { return try readPlain(into: &buffer, from: start) }
        while true {
            if unused.isEmpty { try refill() }
            let step = try decompress(into: &buffer, from: start)
            if step.produced > 0 { return step.produced }
            if unused.isEmpty, step.consumed == 0 { return 0 }
        }
    }

    private mutating func readPlain(into buffer: inout [UInt8], from start: Int) throws(AuditReadingError) -> Int {
        if !unused.isEmpty {
            let count = min(unused.count, buffer.count - start)
            for index in 0..<count { buffer[start + index] = input[unused.lowerBound + index] }
            unused = unused.lowerBound + count..<unused.upperBound
            return count
        }
        do throws(SystemCallError) {
            let count = try readBytes(file, into: &buffer, from: start)
            bytesRead += count
            return count
        } catch {
            throw .file(path: path, error)
        }
    }

    private mutating func refill() throws(AuditReadingError) {
        do throws(SystemCallError) {
            let count = try readBytes(file, into: &input, from: 0)
            bytesRead += count
            unused = 0..<count
        } catch {
            throw .file(path: path, error)
        }
    }

    private mutating func decompress(
        into buffer: inout [UInt8],
        from start: Int
    ) throws(AuditReadingError) -> ZstdDecompressor.Step {
        guard var stream = decompressor.take() else { return ZstdDecompressor.Step(consumed: 0, produced: 0) }
        let isAtEnd = unused.isEmpty
        let step: ZstdDecompressor.Step
        do throws(ZstdError) {
            let compressed = input.span.extracting(unused)
            step = try stream.decompress(compressed, into: &buffer, from: start)
        } catch {
            throw .damaged(path: path)
        }
        let isCutShort = isAtEnd && step.produced == 0 && stream.isInsideFrame
        decompressor = consume stream
        unused = unused.lowerBound + step.consumed..<unused.upperBound
        if isCutShort { throw .cutShort(path: path) }
        return step
    }
}
