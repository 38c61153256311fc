import CLinux
import Glibc

/// Starts a thread that runs `body` once.
///
/// `name` has at most 15 octets and is what `top -H` shows.
///
/// - Throws: `EAGAIN` where the machine has no room for another thread.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
    let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
    var thread = pthread_t()
    let code = unsafe pthread_create(&thread, nil, runThread, start.toOpaque())
    guard code == 0 else {
        unsafe start.release()
        throw SystemCallError(call: "pthread_create", code: code)
    }
    pthread_detach(thread)
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    _ = unsafe clinux_set_thread_name(start.name)
    start.body()
    return nil
}

/// A number that no other living thread of this process has.
package func threadIdentity() -> UInt { UInt(pthread_self()) }

/// Lets every other thread of the machine go before the calling one (nice 19); reading and writing follow.
package func yieldToOtherThreads() { _ = clinux_set_thread_nice(19) }

/// Keeps SIGPIPE from the calling thread: what is sent to a peer that is gone is an error of the call.
package func blockBrokenPipes() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGPIPE)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
}

/// Has the calling thread interrupt nobody when it is woken (`SCHED_BATCH`): it runs once a processor is free, or who is on it has had
/// its turn.
///
/// A thread that is in another class than the ordinary one stays there. Where the kernel forbids the change (a seccomp filter) nothing
/// but speed is lost.
package func interruptNobody() { _ = clinux_set_thread_batch() }
