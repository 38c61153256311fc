/// The connection marks by which the rules know a flow whose socket is gone: closed sockets have no owner.
///
/// They are conntrack's marks, which no packet mark and no socket option can set.
package struct FlowMarks: Hashable, Sendable {
    package let base: UInt32

    /// A multiple of 256, not 0; `nil` for anything else.
    package init?(base: UInt32) {
        guard base != 0, base.isMultiple(of: 256) else { return nil }
        self.base = base
    }

    /// A flow that the daemon opened.
    package var daemon: UInt32 { base | 1 }
    /// A flow that the daemon answered on one of its ports.
    package var answer: UInt32 { base | 2 }
    /// A flow that was marked for the daemon, and is not answered yet.
    package var captured: UInt32 { base | 4 }
    /// A flow that was marked for the daemon, and that the daemon has answered.
    package var served: UInt32 { base | 5 }
    /// A flow from outside to a declared port.
    package var inbound: UInt32 { base | 3 }

    /// A flow through a gateway that is let by.
    package var granted: UInt32 { base | 8 }

    /// A flow that the exempt owner of this number opened.
    package func exemption(_ index: Int) -> UInt32 { base | UInt32(16 + index) }
}
