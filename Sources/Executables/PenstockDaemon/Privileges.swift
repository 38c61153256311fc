import Configuration
import LinuxBindings
import NetworkTypes

/// What the daemon may do beyond others, and how it ceases to.
///
/// Only listeners for TPROXY need a capability, and only until they are there: what they accept is transparent without. All of
/// this is done before the second thread starts, as each thread has capabilities of its own.
enum Privileges {
    /// Becomes the user and group that the kernel's rules know, and keeps CAP_NET_ADMIN alone.
    ///
    /// Before any socket is opened: the rules know a socket by who opened it.
    static func comeDown(to owner: ListenSettings.AdminOwner) throws(Complaint) {
        do throws(SystemCallError) {
            try becomeUserKeepingNetworkAdministration(user: owner.user, group: owner.group)
        } catch {
            throw Complaint(
                "--run-as \(owner.user):\(owner.group): \(error): it is for a start as root with the capabilities NET_ADMIN, SETUID "
                    + "and SETGID; give the container these, or start the daemon as its own user",
                .permission
            )
        }
    }

    /// Gives up every capability, and every way to get one; `keepsMarking`: but the one that a way out by a mark takes.
    static func giveUp(keepsMarking: Bool) throws(Complaint) {
        do throws(SystemCallError) {
            if keepsMarking { try keepNetworkAdministrationOnly() } else { try giveUpCapabilities() }
        } catch {
            throw Complaint("cannot give up capabilities: \(error)", .unavailable)
        }
    }

    /// What is said where a listener cannot be made transparent.
    static func missing(_ error: SystemCallError, for address: SocketAddress) -> Complaint {
        let (user, group) = effectiveIdentity()
        return Complaint(
            "listen.transparent.tproxy: cannot make the listener on \(address) transparent: \(error): CAP_NET_ADMIN is missing "
                + "(the daemon runs as UID \(user) and GID \(group))\n"
                + "in a container: add the capabilities NET_ADMIN, SETUID and SETGID, start it as root with --run-as UID:GID; "
                + "by systemd: AmbientCapabilities=CAP_NET_ADMIN; it is given up once the daemon listens\n"
                + "or do without: remove `tproxy`, and install the rules with --mode redirect",
            .permission
        )
    }

    /// What is said where nothing needs a capability.
    static let needless = Complaint(
        "--run-as is for listen.transparent.tproxy, which is not set: start the daemon as its own user, without capabilities",
        .usage
    )
}
