import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import PolicyEngine
import WireFormats

extension Connection {
    /// Reads what a SOCKS 5 client asks of us, who begins with the octet 5.
    ///
    /// All of it has the time that the head of a request has.
    func hearSOCKS5(_ worker: Worker, on loop: isolated EventLoop) async {
        proxyRequest = .socks5
        let limit = loop.now &+ worker.settings.sniffNanoseconds
        let end = HTTPEnd(client, limits: worker.settings.http)
        var answering = SOCKS5Answering()
        while true {
            switch readOn(&answering) {
            case .needMore:
                guard await receiveMore(worker, until: limit, on: loop) else { return }
            case .send(let octets):
                guard await end.send(octets, until: limit, on: loop) else { return sniffed = .gone }
            case .request(let request): return consider(request, worker)
            case .noMethod: return refuse("socks5_no_method", answer: SOCKS5Reply.noMethod)
            case nil: return
            }
        }
    }

    /// SOCKS 4 and 4A are told that they are refused: a name would be none in the one, and nobody could say who asks in both.
    func refuseSOCKS4() {
        proxyRequest = .socks4
        refuse(ProxyRequestKind.socks4.rawValue, answer: socks4Refusal)
    }

    /// Reads on in what is there; `nil` where that is no SOCKS 5, and `sniffed` says why.
    private func readOn(_ answering: inout SOCKS5Answering) -> SOCKS5AnsweringStep.Next? {
        do throws(SOCKS5Violation) {
            let bytes = openingBytes
            let step = try answering.read(bytes.span)
            openingBytes = Array(bytes.dropFirst(step.consumed))
            return step.next
        } catch {
            refuse(error.rawValue, answer: error == .addressType ? SOCKS5Reply.addressTypeNotSupported.octets : nil)
            return nil
        }
    }

    private func consider(_ request: SOCKS5Request, _ worker: Worker) {
        facts.port = request.port
        switch request.command {
        case .connect: break
        case .bind, .udpAssociate, nil:
            return refuse(
                request.command.map { "socks5_\($0.text)" } ?? "socks5_command (\(request.commandCode))",
                answer: SOCKS5Reply.commandNotSupported.octets
            )
        }
        let denied = SOCKS5Reply.notAllowed.octets
        guard request.port != 0 else { return refuse(HTTP1Violation.hostPort.rawValue, answer: denied) }
        if case .malformed(let kind) = request.host {
            return refuse(kind.detail, as: .malformedName, answer: denied)
        }
        guard let asked = Authority(of: request) else {
            return refuse(HTTP1Violation.hostMalformed.rawValue, answer: denied)
        }
        ask(for: asked, worker)
    }

    /// Refuses what was asked; without an answer the client is reset.
    private func refuse(_ detail: String, as reason: Reason = .malformedOpening, answer: [UInt8]?) {
        sniffed = .refused(reason, protocol: nil, detail: detail)
        proxyRefusal = answer
    }
}

extension Authority {
    /// Whom a request names; `nil` where it names nobody, or an IPv4 address that pretends to be none.
    fileprivate init?(of request: SOCKS5Request) {
        switch request.host {
        case .name(let name): self.init(name: name, address: nil, port: request.port)
        case .address(let address) where !address.isMappedIPv4:
            self.init(name: nil, address: address, port: request.port)
        case .address, .malformed: return nil
        }
    }
}

extension SOCKS5Reply {
    /// Why what was asked is not done.
    init(refusing decision: Decision) {
        self = decision.reason == .unresolvable ? .hostUnreachable : .notAllowed
    }
}
