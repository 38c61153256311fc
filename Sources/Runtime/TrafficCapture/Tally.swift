/// The kinds of packet that the rules count: the comment of the rule whose counter counts them.
package enum Tally: String, CaseIterable, Sendable {
    /// Connections handed to the daemon.
    case captured
    case refusedTCP = "refused: tcp"
    case refusedUDP = "refused: udp"
    /// Neither TCP nor UDP.
    case refusedOther = "refused: other"
    /// Somebody but the daemon answering on one of its ports.
    case squatter = "refused: squatter"
    /// Answers on one of the daemon's ports that nobody owns, in a flow that the daemon never answered.
    case ownerlessAnswer = "refused: ownerless answer"
    /// Somebody but its owner going on with the daemon's flow, or with an exempt one; or somebody who is not
    /// captured, the daemon as well, led by what the kernel remembers of a captured flow.
    case staleFlow = "refused: stale flow"
    /// What the closed sockets of the daemon still had to say. Not refused.
    case leftover = "leftovers of closed sockets"
    /// A packet from an address that this machine does not have: a socket may bind one (`IPV6_FREEBIND`) without a capability.
    case foreignSource = "refused: foreign source"
    case simultaneousOpen = "refused: simultaneous open"
    /// Captured connections that the daemon does not take: it is away, or is not there as a transparent proxy.
    case unanswered = "refused: no daemon"
    /// Captured connections that were about to leave: policy routing did not lead them back to this machine.
    case stray = "refused: not led to the daemon"
    /// What the fence let through and was then about to leave by the wrong device.
    case wire = "refused: on the wire"
    case forwarded = "refused: forwarded"
    /// The kernel's word to whom a client has called that an answer did not reach the client.
    case untold = "refused: undeliverable answer"
    /// Whatever is in a fenced cgroup and in none of the captured ones.
    case fenced = "refused: fenced cgroup"
    /// A flow from outside that is older than the rules.
    case midStream = "refused: inbound mid-stream"
    case inboundUDP = "refused: inbound udp"
    case inbound = "refused: inbound"
}
