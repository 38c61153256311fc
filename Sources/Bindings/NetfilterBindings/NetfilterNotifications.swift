import CNetfilter
import Glibc

/// What the kernel tells of every change to the packet filter, or to the routing, of this network namespace.
///
/// Listening to the packet filter needs `CAP_NET_ADMIN`.
@safe package struct NetfilterNotifications: ~Copyable {
    private let socket: OpaquePointer

    /// What is told of.
    package enum Subject: Sendable {
        /// `NFNLGRP_NFTABLES`.
        case packetFilter
        /// Policy rules and routes of both families, and interfaces: of IPv4 routes that go with one nothing else is told.
        case routing
        /// Nothing: a socket that never becomes readable.
        case nothing
    }

    /// Starts to listen.
    package init(_ subject: Subject) throws(NetfilterError) {
        let kind = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let subsystem = subject == .packetFilter ? NETLINK_NETFILTER : NETLINK_ROUTE
        guard let socket = unsafe mnl_socket_open2(subsystem, kind) else {
            throw .socket(call: "socket", code: errno)
        }
        let groups = subject.groups.reduce(UInt32(0)) { $0 | 1 << ($1 - 1) }
        guard unsafe mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) == 0 else {
            let code = errno
            _ = unsafe mnl_socket_close(socket)
            throw .socket(call: "bind", code: code)
        }
        unsafe self.socket = socket
    }

    deinit {
        _ = unsafe mnl_socket_close(socket)
    }

    /// The number of the socket, which is readable once something has changed.
    package var number: Int32 { unsafe mnl_socket_get_fd(socket) }

    /// Takes all that has been told; what changed is found by reading the tables.
    ///
    /// More than the socket holds is no error: that there was something is all that counts.
    package func takeAll() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe mnl_socket_recvfrom(socket, $0.baseAddress, $0.count)
            }
            guard count > 0 || errno == ENOBUFS || errno == EINTR || errno == ENOSPC else { return }
        }
    }
}

extension NetfilterNotifications.Subject {
    /// The multicast groups (`NFNLGRP_…`, `RTNLGRP_…`).
    fileprivate var groups: [UInt32] {
        switch self {
        case .packetFilter: [UInt32(NFNLGRP_NFTABLES.rawValue)]
        case .routing:
            [RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE]
                .map { UInt32($0.rawValue) }
        case .nothing: []
        }
    }
}
