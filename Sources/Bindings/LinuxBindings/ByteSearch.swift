import CLinux
import Glibc

/// The index of the first such byte at `start` or behind it; nil where there is none.
package func firstIndex(of byte: UInt8, in bytes: borrowing Span<UInt8>, from start: Int) -> Int? {
    unsafe bytes.withUnsafeBufferPointer { buffer in
        guard start < buffer.count, let base = buffer.baseAddress,
            let found = unsafe memchr(base + start, Int32(byte), buffer.count - start)
        else { return nil }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
}

/// The index of the first place where `part` stands whole; nil where there is none.
package func firstIndex(of part: [UInt8], in bytes: borrowing Span<UInt8>) -> Int? {
    unsafe bytes.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress, let found = unsafe memmem(base, buffer.count, part, part.count) else {
            return nil
        }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
}
