import CCares
import Glibc
import NetworkTypes

/// One c-ares channel: questions to the servers it was given, and to nobody else.
///
/// It belongs to one thread. Answers are collected while c-ares runs and taken afterwards with `takeAnswer()`, so no code
/// of ours runs inside a C callback except the change of interest in a descriptor.
///
/// Why nothing else can be dialled: c-ares opens a socket in one place, towards an entry of the channel's server list, over
/// UDP or, for a truncated answer, TCP to the same address and port. The list is empty when the channel is made and is set
/// once, from the settings. Everything that c-ares would otherwise look up for itself (search domains, aliases, the options
/// of the environment, the resolver and name service files) is either given here, so that it is not looked up, or switched
/// off by a flag; the tests run in a hostile environment to prove it.
@safe
package final class CaresChannel {
    private let inbox: CaresInbox
    private let channel: ares_channel

    /// Makes a channel.
    ///
    /// `watch` is called while c-ares opens, uses or is about to close a socket, with the interest it has from now on; both
    /// false: forget the descriptor. It must not call the channel.
    package init(
        _ settings: CaresSettings,
        watch: @escaping (_ descriptor: Int32, _ readable: Bool, _ writable: Bool) -> Void
    ) throws(CaresError) {
        try Self.startLibrary()
        inbox = CaresInbox(watch: watch)
        unsafe channel = try Self.make(settings, inbox)
    }

    /// Questions still open are answered with `.destroyed` to nobody, and every socket is closed.
    deinit {
        unsafe ares_destroy(channel)
    }

    /// Asks for the addresses of one family.
    ///
    /// The name is asked as it is: no search domain, no alias, no file. The answer has the token; it may be there at once.
    package func ask(_ name: HostName, family: AddressFamily, token: UInt64) {
        let question = unsafe Unmanaged.passRetained(CaresQuestion(inbox, token: token, family: family))
        let type = family == .ipv4 ? ns_t_a : ns_t_aaaa
        unsafe ares_query(
            channel,
            name.text,
            Int32(ns_c_in.rawValue),
            Int32(type.rawValue),
            caresAnswered,
            question.toOpaque()
        )
    }

    /// Lets c-ares read and write a descriptor that is ready, and see to what has timed out.
    package func process(_ descriptor: Int32, readable: Bool, writable: Bool) {
        let none: Int32 = -1
        unsafe ares_process_fd(channel, readable ? descriptor : none, writable ? descriptor : none)
    }

    /// Lets c-ares see to what has timed out.
    package func processTimeouts() {
        unsafe ares_process_fd(channel, -1, -1)
    }

    /// How long until `processTimeouts` has something to do, rounded up; `nil`: nothing is open.
    package var millisecondsToTimeout: Int? {
        var time = timeval()
        guard unsafe ares_timeout(channel, nil, &time) != nil else { return nil }
        return max(0, Int(time.tv_sec) * 1000 + (Int(time.tv_usec) + 999) / 1000)
    }

    /// The next answer in the order they came; `nil`: no more for now.
    package func takeAnswer() -> CaresAnswer? {
        inbox.answers.isEmpty ? nil : inbox.answers.removeFirst()
    }
}

@available(*, unavailable)
extension CaresChannel: Sendable {}

extension CaresChannel {
    /// c-ares counts its users without a lock; a global is made once, by one thread.
    private static let libraryCode = ares_library_init(ARES_LIB_INIT_ALL)

    private static func startLibrary() throws(CaresError) {
        guard libraryCode == ARES_SUCCESS else { throw CaresError(libraryCode) }
    }

    /// Every option that has a default in a file or the environment is given, so that c-ares opens and asks for none.
    private static func make(_ settings: CaresSettings, _ inbox: CaresInbox) throws(CaresError) -> ares_channel {
        var options = unsafe ares_options()
        // Without the last, a refusal of all servers is told as if none of them had been reached.
        let refusals = settings.hearsRefusals ? ARES_FLAG_NOCHECKRESP : 0
        unsafe options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS | refusals
        unsafe options.timeout = Int32(clamping: settings.timeoutMilliseconds)
        unsafe options.tries = Int32(clamping: settings.tries)
        unsafe options.ndots = 0
        unsafe options.nservers = 0
        unsafe options.ndomains = 0
        unsafe options.nsort = 0
        // What an unfragmented datagram carries on any path (DNS flag day 2020).
        unsafe options.ednspsz = 1232
        unsafe options.sock_state_cb = caresInterestChanged
        unsafe options.sock_state_cb_data = Unmanaged.passUnretained(inbox).toOpaque()
        let given =
            ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS
            | ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST
            | ARES_OPT_EDNSPSZ | ARES_OPT_NOROTATE | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF
        var channel: ares_channel?
        let code = unsafe "b".withMutableCString { lookups in
            unsafe "/dev/null".withMutableCString { path in
                unsafe options.lookups = lookups
                unsafe options.resolvconf_path = path
                return unsafe ares_init_options(&channel, &options, given)
            }
        }
        guard code == ARES_SUCCESS, let channel = unsafe channel else { throw CaresError(code) }
        try unsafe setServers(settings.servers, of: channel)
        return unsafe channel
    }

    private static func setServers(_ servers: [SocketAddress], of channel: ares_channel) throws(CaresError) {
        guard !servers.isEmpty else { return }
        let list = servers.map(\.description).joined(separator: ",")
        let code = unsafe ares_set_servers_ports_csv(channel, list)
        guard code == ARES_SUCCESS else {
            unsafe ares_destroy(channel)
            throw CaresError(code)
        }
    }
}

extension String {
    /// The text as the `char *` that an option wants and c-ares copies.
    fileprivate func withMutableCString<Result>(_ body: (UnsafeMutablePointer<CChar>?) -> Result) -> Result {
        var octets = Array(utf8CString)
        return unsafe octets.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress) }
    }
}
