import CNetfilter
import Glibc

/// What the kernel tells of every change to the packet filter of this network namespace (`NFNLGRP_NFTABLES`).
///
/// Listening needs `CAP_NET_ADMIN`.
@safe package struct NetfilterNotifications: ~Copyable {
    private let socket: OpaquePointer

    /// Starts to listen.
    package init() throws(NetfilterError) {
        let kind = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard let socket = unsafe mnl_socket_open2(NETLINK_NETFILTER, kind) else {
            throw .socket(call: "socket", code: errno)
        }
        let group = UInt32(1) << (UInt32(NFNLGRP_NFTABLES.rawValue) - 1)
        guard unsafe mnl_socket_bind(socket, group, MNL_SOCKET_AUTOPID) == 0 else {
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
