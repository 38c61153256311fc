import CLinux
import Glibc

/// How many descriptors this process may have open (`RLIMIT_NOFILE`), after raising the soft limit to the hard one.
package func raiseDescriptorLimit() throws(SystemCallError) -> Int {
    var limit = rlimit()
    _ = try systemCall("getrlimit") { unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    if limit.rlim_cur < limit.rlim_max {
        var raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        _ = try systemCall("setrlimit") { unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) }
    }
    return Int(min(limit.rlim_max, 1 << 30))
}

/// Keeps this process from being traced, dumped or read through /proc by others of its UID.
package func forbidDumping() throws(SystemCallError) {
    _ = try systemCall("prctl") { clinux_set_dumpable(0) }
}

/// Gives up every capability of the calling thread for good, and any that a program could bring (`no_new_privs`).
///
/// For a process that has one thread only.
package func giveUpCapabilities() throws(SystemCallError) {
    _ = try systemCall("capset") { clinux_keep_only_capabilities(0) }
}

/// The process's number.
package func processIdentifier() -> Int32 { getpid() }

/// The effective UID and GID of this process.
package func effectiveIdentity() -> (user: UInt32, group: UInt32) { (geteuid(), getegid()) }

/// How many processors this process may run on.
package func usableProcessors() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

/// Writes text to standard error; what cannot be written there has no other place to go.
package func writeToStandardError(_ text: String) { try? write(text, to: 2) }

/// Writes text to standard output.
///
/// - Throws: where not all of it could be written; what was written before that stays.
package func deliverToStandardOutput(_ text: String) throws(SystemCallError) { try write(text, to: 1) }

/// Keeps standard streams that this process was started without from becoming files and sockets that it opens.
///
/// What is written to such a stream fails, and goes nowhere else; `isOpenForWriting` is false of it.
package func holdStandardStreams() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 {
        // The lowest number that is free is the one that is missing.
        _ = unsafe open("/dev/null", O_RDONLY)
    }
}

/// Sleeps on the calling thread, which must not be a loop's.
package func sleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }

/// Ends the process at once.
///
/// Other threads run on until it has: what libraries have registered with `atexit` would take from under them what they use.
package func exitProcess(_ code: Int32) -> Never { _exit(code) }

/// Gives the calling thread up for good; the process ends on another.
package func sleepForever() -> Never {
    while true { pause() }
}

private func write(_ text: String, to descriptor: Int32) throws(SystemCallError) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count == -1, errno == EINTR { continue }
        // Not by `systemCall`: that a stream is not open is no defect of ours.
        guard count > 0 else { throw SystemCallError(call: "write", code: errno) }
        bytes = bytes.dropFirst(count)
    }
}
