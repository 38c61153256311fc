import CLinux
import Glibc

/// A system call that failed: which one, and the number the kernel gave.
package struct SystemCallError: Error, Hashable, Sendable {
    /// The name of the call: `connect`.
    package let call: String
    /// The value of `errno`.
    package let code: Int32

    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }
}

extension SystemCallError {
    /// What a peer that breaks its protocol is answered with: `EPROTO`.
    package static func brokenProtocol(call: String) -> SystemCallError { SystemCallError(call: call, code: EPROTO) }

    /// What is sent behind the end of the sending side is answered with, and behind both ends of the peer's: `EPIPE`.
    package static let afterEnd = SystemCallError(call: "send", code: EPIPE)
}

extension SystemCallError: CustomStringConvertible {
    /// `connect: Connection refused (111)`.
    package var description: String { "\(call): \(errorText(code)) (\(code))" }
}

/// What a call on a nonblocking descriptor came to.
package enum Completion<Value> {
    case done(Value)
    case wouldBlock
}

extension Completion: Sendable where Value: Sendable {}

/// The kernel's words for an error number.
package func errorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Makes a system call: again where a signal interrupted it; `errno` is taken before anything else can change it.
///
/// `EBADF` and `EFAULT` can only be a defect of our own, and going on would be a danger: they stop the process.
@inline(__always)
func systemCall<Result: FixedWidthInteger & SignedInteger>(
    _ name: StaticString,
    _ body: () -> Result
) throws(SystemCallError) -> Result {
    while true {
        let result = body()
        guard result == -1 else { return result }
        let code = errno
        if code == EINTR { continue }
        throw failure(name, code)
    }
}

/// As `systemCall`, for a nonblocking descriptor: that it would block is an answer, not a failure.
@inline(__always)
func nonblockingCall<Result: FixedWidthInteger & SignedInteger>(
    _ name: StaticString,
    _ body: () -> Result
) throws(SystemCallError) -> Completion<Result> {
    while true {
        let result = body()
        guard result == -1 else { return .done(result) }
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN { return .wouldBlock }
        throw failure(name, code)
    }
}

@inline(never)
private func failure(_ name: StaticString, _ code: Int32) -> SystemCallError {
    precondition(code != EBADF && code != EFAULT, "\(name): a descriptor or a buffer of ours is not valid")
    return SystemCallError(call: name.description, code: code)
}
