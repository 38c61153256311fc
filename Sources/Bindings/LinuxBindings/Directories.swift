import CLinux
import Glibc

/// The names in an open directory, in no order, without `.` and `..`.
///
/// A name that is no UTF-8 comes out with U+FFFD in it, and nothing can be opened by it.
///
/// - Parameters:
///   - directory: stays open, and its own.
///   - limit: the most names.
/// - Returns: the names; `nil` where there are more.
/// - Throws: what the kernel says.
package func namesInDirectory(
    _ directory: borrowing OwnedDescriptor,
    limit: Int
) throws(SystemCallError) -> [String]? {
    // A second description of the directory, so that its position is not the caller's; closedir closes it.
    let copy = try openFile(below: directory, ".", [.readOnly, .directory]).release()
    guard let stream = unsafe fdopendir(copy) else {
        let code = errno
        _ = close(copy)
        throw SystemCallError(call: "fdopendir", code: code)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
        errno = 0
        guard let entry = unsafe readdir(stream) else {
            let code = errno
            guard code == 0 else { throw SystemCallError(call: "readdir", code: code) }
            return names
        }
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { unsafe String(cString: $0) }
        }
        guard name != ".", name != ".." else { continue }
        guard names.count < limit else { return nil }
        names.append(name)
    }
}
