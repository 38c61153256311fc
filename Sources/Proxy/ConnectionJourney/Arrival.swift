import AuditTrail

/// How a connection comes to a listener, and so from whom its destination is learned.
package enum Arrival: Hashable, Sendable {
    /// The kernel rewrote its destination to the listener (nat) and remembers the original one.
    case redirected
    /// The kernel handed it over unchanged (TPROXY): the accepted socket has the original destination as its own address.
    case routed
    /// The client asks for its destination, as of a proxy.
    case asked

    /// As records name it: they do not tell the kernel's two ways apart.
    package var capture: CaptureMode {
        switch self {
        case .redirected, .routed: .transparent
        case .asked: .explicit
        }
    }
}
