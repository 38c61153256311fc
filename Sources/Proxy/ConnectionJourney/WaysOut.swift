import AuditTrail
import LinuxBindings
import NetworkTypes
import PolicyEngine
import TLSInterception
import WireFormats

/// What the ways out are that policies name.
///
/// Replaced whole, with the policy.
package struct WaysOut: Sendable {
    private let ways: [EgressName: WayOut]
    /// What the files of the ways hold, by their paths: others in their place are other ways.
    private let files: [String: [UInt8]]

    /// Nothing but `direct`.
    package static let direct = WaysOut([:], from: [:])

    /// - Parameters:
    ///   - ways: By their names; a blackhole needs none.
    ///   - files: What was read from files to make them, by path.
    package init(_ ways: [EgressName: WayOut], from files: [String: [UInt8]]) {
        self.ways = ways
        self.files = files
    }

    /// Where nothing is known of a name, that way is closed.
    subscript(_ name: EgressName) -> WayOut? {
        name == .direct ? WayOut() : ways[name]
    }

    /// True where both were made of the same; the configuration itself is read once.
    package func isMadeOfTheSame(as other: WaysOut) -> Bool { files == other.files }
}

extension WaysOut: CustomStringConvertible, CustomReflectable {
    package var description: String { "(ways out: \(ways.count))" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// One way out.
package struct WayOut: Sendable {
    /// `nil`: what is let through is dialled itself.
    package var proxy: UpstreamProxy?
    /// `nil`: the machine chooses.
    package var source: SocketSource?

    package init(proxy: UpstreamProxy? = nil, source: SocketSource? = nil) {
        self.proxy = proxy
        self.source = source
    }
}

/// A proxy that leads out.
package struct UpstreamProxy: Sendable {
    package var place: ProxyDestination
    package var dialect: Dialect
    /// `nil`: nobody looks after what is said to it.
    package var tls: ProxyTLS?

    /// What is spoken with it, and who we are to it.
    package enum Dialect: Sendable {
        /// With the value of Proxy-Authorization.
        case httpConnect(authorization: [UInt8]?)
        case socks5(SOCKS5Credentials?)
    }

    package init(_ place: ProxyDestination, _ dialect: Dialect, tls: ProxyTLS? = nil) {
        self.place = place
        self.dialect = dialect
        self.tls = tls
    }

    /// What is said to it, so that it connects us; `nil` where our credentials cannot be said.
    func dialogue(to destination: ProxyDestination, _ limits: HTTP1Limits) -> ProxyDialogue? {
        switch dialect {
        case .httpConnect(let authorization):
            HTTPConnectAsking(to: destination, authorization: authorization, limits: limits)
                .map(ProxyDialogue.httpConnect)
        case .socks5(let credentials): .socks5(SOCKS5Asking(to: destination, credentials: credentials))
        }
    }
}
