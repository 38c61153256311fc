import LinuxBindings
import NetworkTypes
import Posture

/// A connection and a datagram to a documentation address, which no policy has a reason to allow.
struct SelfTest {
    let family: AddressFamily
    let address: IPAddress

    static let all = [
        SelfTest(family: .ipv4, address: .v4(IPv4Address(192, 0, 2, 1))),
        SelfTest(family: .ipv6, address: .v6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 1))),
    ]

    /// Without a watcher's report nobody knows that a host's rules are for a cgroup.
    private static let install =
        "run penstock-init install in this pod, before the agent starts; on a host with --cgroup run penstock-init watch, "
        + "and this in that cgroup"

    private var word: String {
        switch family {
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        }
    }

    /// Tries both.
    func run(_ line: inout DoctorLine) -> [PostureCheck] { [tcp(line), udp()] }

    // MARK: TCP

    private func tcp(_ line: DoctorLine) -> PostureCheck {
        let name = "self-test \(word)"
        guard let before = line.again() else {
            return PostureCheck(name, .failed, "the daemon does not answer any more")
        }
        let question =
            "GET /penstock-doctor HTTP/1.1\r\nHost: penstock-doctor.invalid\r\nConnection: close\r\n\r\n"
        let target = SocketAddress(address, port: 80)
        switch exchangeBytes(Array(question.utf8), with: target, milliseconds: 8000, limit: 65_536) {
        case .failed(let error) where error.isUnreachable:
            return PostureCheck(name, .skipped, "no route to \(address): nothing to try")
        case .failed(let error) where error.isRefused:
            return PostureCheck(
                name,
                .failed,
                "\(target) is refused at once, and nobody recorded it: captured connections find no daemon",
                remedy: "compare --proxy-port of penstock-init with listen.transparent.port"
            )
        case .failed(let error): return judged(name, "reset (\(error))", since: before, line)
        case .silent:
            return PostureCheck(
                name,
                .failed,
                "a connection to \(target) was not captured: it went out, and nobody answered",
                remedy: Self.install
            )
        case .answered(let bytes): return answered(name, bytes, since: before, line)
        }
    }

    private func answered(
        _ name: String,
        _ bytes: [UInt8],
        since before: PostureReport,
        _ line: DoctorLine
    ) -> PostureCheck {
        let text = String(decoding: bytes, as: UTF8.self)
        guard bytes.isEmpty || text.contains("application/problem+json") else {
            return PostureCheck(
                name,
                .failed,
                "somebody else than the daemon answered for \(address)",
                remedy: "look for another proxy or another table: nft list ruleset"
            )
        }
        guard bytes.isEmpty || text.hasPrefix("HTTP/1.1 403 ") else {
            return PostureCheck(
                name,
                .weak,
                "captured, and policy let it through (\(text.prefix { !$0.isNewline })): nothing is shown of denials",
                remedy: "default: deny and mode: enforce"
            )
        }
        let identifier = text.split(separator: "\"decision_id\":\"").dropFirst().first?.prefix(26) ?? ""
        let evidence = identifier.isEmpty ? "reset" : "penstock audit show \(identifier)"
        return judged(name, evidence, since: before, line)
    }

    /// Denied; now the record must be there, or come soon.
    private func judged(
        _ name: String,
        _ evidence: String,
        since before: PostureReport,
        _ line: DoctorLine
    ) -> PostureCheck {
        for _ in 0..<20 {
            if let after = line.again(), after.refused > before.refused, after.recorded > before.recorded {
                return PostureCheck(name, .ok, "a connection to \(address) was denied and recorded (\(evidence))")
            }
            sleepMilliseconds(100)
        }
        return PostureCheck(
            name,
            .weak,
            "a connection to \(address) was denied (\(evidence)), and the daemon counted no record of it",
            remedy: "look for another table before ours: nft list ruleset"
        )
    }

    // MARK: UDP

    private func udp() -> PostureCheck {
        let name = "udp-test \(word)"
        let target = SocketAddress(address, port: 9)
        do throws(SystemCallError) {
            try sendDatagram(Array("penstock doctor".utf8), to: target)
        } catch {
            if error.isNotPermitted { return PostureCheck(name, .ok, "a datagram to \(target) was refused") }
            if error.isUnreachable { return PostureCheck(name, .skipped, "no route to \(address): nothing to try") }
            return PostureCheck(name, .ok, "a datagram to \(target) did not leave: \(error)")
        }
        return PostureCheck(
            name,
            .failed,
            "a datagram to \(target) left the pod",
            remedy: Self.install
        )
    }

    /// What follows the head of an HTTP message.
    static func body(of message: [UInt8]) -> [UInt8]? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard message.count >= 4 else { return nil }
        return (0...(message.count - 4)).first { message[$0..<$0 + 4].elementsEqual(end) }.map { place in
            Array(message[(place + 4)...].prefix { $0 != 10 })
        }
    }
}
