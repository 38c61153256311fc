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

/// The process's number.
package func processIdentifier() -> Int32 { getpid() }

/// The effective UID and GID of this process.
package func effectiveIdentity() -> (user: UInt32, group: UInt32) { (geteuid(), getegid()) }

/// How many processors this process may run on.
package func usableProcessors() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

/// Fills a 128-bit number from the kernel's randomness.
package func randomBits128() throws(SystemCallError) -> (UInt64, UInt64) {
    var words: (UInt64, UInt64) = (0, 0)
    let wanted = MemoryLayout<(UInt64, UInt64)>.size
    _ = try systemCall("getrandom") { unsafe getrandom(&words, wanted, 0) }
    return words
}
