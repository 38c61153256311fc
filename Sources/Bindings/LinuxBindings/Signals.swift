import CLinux
import Glibc

/// The signals that the daemon listens to.
package enum ProcessSignal: Hashable, Sendable {
    case terminate
    case interrupt
    case hangUp
}

/// True where SIGTERM or SIGINT has come that nobody has taken from a `SignalDescriptor` yet.
package func isToldToEnd() -> Bool {
    var pending = sigset_t()
    unsafe sigemptyset(&pending)
    guard unsafe sigpending(&pending) == 0 else { return false }
    return unsafe sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1
}

/// Signals as something to wait for, instead of something that interrupts.
package struct SignalDescriptor: ~Copyable {
    package let descriptor: OwnedDescriptor

    /// Takes SIGTERM, SIGINT and SIGHUP away from their default actions, for this thread and all that it starts later,
    /// and SIGPIPE and SIGXFSZ for the whole process: what cannot be written is an error of the call.
    package init() throws(SystemCallError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, number) }
        let code = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        guard code == 0 else { throw SystemCallError(call: "pthread_sigmask", code: code) }
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        descriptor = OwnedDescriptor(
            adopting: try systemCall("signalfd") {
                unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
            }
        )
    }

    /// Takes over what `release` gave up.
    package init(adopting number: Int32) {
        descriptor = OwnedDescriptor(adopting: number)
    }

    /// Gives the descriptor up; the signals stay blocked.
    package consuming func release() -> Int32 { descriptor.release() }

    /// The next signal; blocks the calling thread, which must not be a loop's, until there is one.
    package func wait() throws(SystemCallError) -> ProcessSignal {
        while true {
            if let signal = try next() { return signal }
            var question = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&question, 1, -1)
        }
    }

    /// The next signal that came; `nil` where none waits.
    package func next() throws(SystemCallError) -> ProcessSignal? {
        var information = signalfd_siginfo()
        let number = descriptor.number
        let size = MemoryLayout<signalfd_siginfo>.size
        guard case .done = try nonblockingCall("read", { unsafe read(number, &information, size) }) else { return nil }
        return switch Int32(information.ssi_signo) {
        case SIGTERM: .terminate
        case SIGINT: .interrupt
        default: .hangUp
        }
    }
}
