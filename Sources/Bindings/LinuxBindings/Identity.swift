import CLinux
import Glibc

/// Becomes another user and group for good, and keeps of all capabilities CAP_NET_ADMIN alone.
///
/// A capability that is added for a user other than root does not survive the start of a program; so the program starts as
/// root and comes down here. It must be called before any other thread is started.
///
/// - Throws: `EPERM` where CAP_SETUID, CAP_SETGID or CAP_NET_ADMIN is missing.
package func becomeUserKeepingNetworkAdministration(user: UInt32, group: UInt32) throws(SystemCallError) {
    _ = try systemCall("prctl") { clinux_keep_capabilities() }
    _ = try systemCall("setgroups") { setgroups(0, nil) }
    _ = try systemCall("setgid") { setgid(group) }
    _ = try systemCall("setuid") { setuid(user) }
    try keepNetworkAdministrationOnly()
}

/// Gives up every capability but CAP_NET_ADMIN, and every way to get one back.
///
/// - Throws: `EPERM` where the process does not have it.
package func keepNetworkAdministrationOnly() throws(SystemCallError) {
    _ = try systemCall("capset") { clinux_keep_only_capabilities(UInt32(1) << UInt32(CLINUX_CAP_NET_ADMIN)) }
}
