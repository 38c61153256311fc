import ByteRelay
import EventLoops
import LinuxBindings
import OpenSSLBindings
import TLSInterception
import WireFormats

/// Why a proxy that was connected to does not lead out.
enum WayProblem: Error {
    /// The connection is ended meanwhile.
    case cut
    case fault(WayFault, String?)
}

extension StreamSocket {
    /// Begins TLS with a proxy, and has its certificate verified.
    func begin(_ tls: ProxyTLS, until deadline: UInt64, on loop: isolated EventLoop) async throws(WayProblem) {
        let cipher: TLSCipher
        do throws(TLSFailure) {
            cipher = try tls.ask(self)
        } catch {
            throw .fault(.tls, error.text)
        }
        self.cipher = cipher
        switch await shakeHands(cipher.session, until: deadline, on: loop) {
        case .done: return
        case .failed(let failure): throw .fault(.tls, failure.text)
        case .timedOut: throw .fault(.timedOut, "tls")
        case .interrupted: throw .cut
        }
    }

    /// Asks a proxy to connect, and waits until it has.
    ///
    /// - Returns: what came behind its answer.
    func talk(
        _ dialogue: ProxyDialogue,
        until deadline: UInt64,
        _ means: RelayMeans,
        on loop: isolated EventLoop
    ) async throws(WayProblem) -> [UInt8] {
        var dialogue = dialogue
        var unread: [UInt8] = []
        try await sendAll(dialogue.opening, until: deadline, on: loop)
        while true {
            let step: ProxyDialogueStep
            do throws(ProxyDialogueViolation) {
                step = try dialogue.read(unread.span)
            } catch {
                throw .fault(.malformed, error.description)
            }
            unread.removeFirst(step.consumed)
            switch step.next {
            case .open: return unread
            case .refused(let refusal): throw .fault(refusal.fault, refusal.description)
            case .send(let octets): try await sendAll(octets, until: deadline, on: loop)
            case .needMore:
                guard unread.count < dialogue.unreadLimit else { throw .fault(.malformed, "too_long") }
                try await receiveMore(&unread, until: deadline, means, on: loop)
            }
        }
    }

    private func receiveMore(
        _ unread: inout [UInt8],
        until deadline: UInt64,
        _ means: RelayMeans,
        on loop: isolated EventLoop
    ) async throws(WayProblem) {
        while true {
            let received: Completion<Int>
            do throws(SystemCallError) {
                received = try receive(into: means.buffer)
            } catch {
                throw .fault(.closed, error.description)
            }
            switch received {
            case .done(0): throw .fault(.closed, nil)
            case .done(let count): return means.buffer.append(0..<count, to: &unread)
            case .wouldBlock: break
            }
            try await pause(for: .reading, until: deadline, on: loop)
        }
    }

    private func sendAll(
        _ octets: [UInt8],
        until deadline: UInt64,
        on loop: isolated EventLoop
    ) async throws(WayProblem) {
        var rest = octets[...]
        while !rest.isEmpty {
            let taken: Completion<Int>
            do throws(SystemCallError) {
                taken = try send(rest)
            } catch {
                throw .fault(.closed, error.description)
            }
            switch taken {
            case .done(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try await pause(for: .writing, until: deadline, on: loop)
            }
        }
    }

    private func pause(
        for direction: Direction,
        until deadline: UInt64,
        on loop: isolated EventLoop
    ) async throws(WayProblem) {
        switch await wait(for: direction, until: deadline, on: loop) {
        case .ready: return
        case .timedOut: throw .fault(.timedOut, nil)
        case .interrupted: throw .cut
        }
    }
}

extension ProxyRefusal {
    fileprivate var fault: WayFault {
        switch self {
        case .credentials, .authenticationMethod, .status(407): .authentication
        case .socks5, .unassignedReply, .status: .refused
        }
    }
}
