import FuzzDriver
import NetworkTypes
import WireFormats

/// Checks that both sides of SOCKS 5, and the client's side of CONNECT, read the same however it comes; the first octet says
/// which of them reads.
private func check(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let said = Array(bytes.dropFirst())
    let whole = read(said, ends: [], first)
    precondition(whole == read(said, ends: Array(1..<max(said.count, 1)), first), "octet by octet")
    for cut in 1..<max(said.count, 1) where cut < 400 || cut.isMultiple(of: 97) {
        precondition(whole == read(said, ends: [cut], first), "in two parts it is another")
    }
    guard first.isMultiple(of: 3) else { return }
    // What the sniffer of captured connections takes for SOCKS 5 gets an answer here.
    if readOpening(said.span, limits: SniffLimits()) == .proxyRequest(.socks5) {
        precondition(!whole.steps.isEmpty, "the sniffer and the server disagree about a greeting")
    }
    if case .answering(.request(let request))? = whole.steps.last { checkHost(request) }
}

/// A host that was read, asked for by our client's side, is read as the same host.
private func checkHost(_ request: SOCKS5Request) {
    let host: ProxyDestination.Host
    switch request.host {
    case .name(let name): host = .name(name)
    case .address(let address): host = .address(address)
    case .malformed: return
    }
    var asking = SOCKS5Asking(to: ProxyDestination(host, port: request.port))
    var answering = SOCKS5Answering()
    guard case .send(let answer)? = try? answering.read(asking.opening.span).next,
        case .send(let asked)? = try? asking.read(answer.span).next,
        case .request(let again)? = try? answering.read(asked.span).next
    else { preconditionFailure("the two sides do not understand each other") }
    precondition(again.host == request.host && again.port == request.port, "another host is read than was asked for")
}

/// What the octets came to.
private struct Outcome: Equatable {
    var steps: [Step] = []
    var consumed = 0
    var violation: ProxyDialogueViolation?
}

/// What one question came to, where it came to anything.
private enum Step: Equatable {
    case asking(ProxyDialogueStep.Next)
    case answering(SOCKS5AnsweringStep.Next)
}

private func read(_ bytes: [UInt8], ends: [Int], _ kind: UInt8) -> Outcome {
    if kind.isMultiple(of: 3) { return readAnswering(bytes, ends: ends) }
    guard let host = try? HostName("a.example") else { preconditionFailure("a host name") }
    let destination = ProxyDestination(.name(host), port: 443)
    if kind % 3 == 1 {
        let credentials = kind > 127 ? SOCKS5Credentials(user: [97], password: [98]) : nil
        return read(bytes, ends: ends, .socks5(SOCKS5Asking(to: destination, credentials: credentials)))
    }
    var limits = HTTP1Limits()
    if kind > 127 { limits.headBytes = 60 }
    guard let asking = HTTPConnectAsking(to: destination, limits: limits, informational: 2) else {
        preconditionFailure("a request without credentials")
    }
    return read(bytes, ends: ends, .httpConnect(asking))
}

private func readAnswering(_ bytes: [UInt8], ends: [Int]) -> Outcome {
    var answering = SOCKS5Answering()
    return read(bytes, ends: ends, most: SOCKS5Answering.unreadLimit) { part throws(ProxyDialogueViolation) in
        do throws(SOCKS5Violation) {
            let step = try answering.read(part)
            return switch step.next {
            case .needMore: Turn(consumed: step.consumed)
            case .send: Turn(consumed: step.consumed, step: .answering(step.next))
            case .request, .noMethod: Turn(consumed: step.consumed, step: .answering(step.next), isOver: true)
            }
        } catch {
            throw .socks5(error)
        }
    }
}

private func read(_ bytes: [UInt8], ends: [Int], _ dialogue: ProxyDialogue) -> Outcome {
    var dialogue = dialogue
    return read(bytes, ends: ends, most: dialogue.unreadLimit) { part throws(ProxyDialogueViolation) in
        let step = try dialogue.read(part)
        return switch step.next {
        case .needMore: Turn(consumed: step.consumed)
        case .send: Turn(consumed: step.consumed, step: .asking(step.next))
        case .open, .refused: Turn(consumed: step.consumed, step: .asking(step.next), isOver: true)
        }
    }
}

/// What one question came to; without a step, more octets are wanted.
private struct Turn {
    var consumed: Int
    var step: Step?
    var isOver = false
}

private func read(
    _ bytes: [UInt8],
    ends: [Int],
    most: Int,
    _ ask: (Span<UInt8>) throws(ProxyDialogueViolation) -> Turn
) -> Outcome {
    var outcome = Outcome()
    var isOver = false
    do throws(ProxyDialogueViolation) {
        for end in ends + [bytes.count] {
            while !isOver {
                let turn = try ask(bytes.span.extracting(outcome.consumed..<end))
                outcome.consumed += turn.consumed
                isOver = turn.isOver
                guard let step = turn.step else {
                    precondition(end - outcome.consumed < most, "more is held than may be")
                    break
                }
                outcome.steps.append(step)
            }
        }
    } catch {
        outcome.violation = error
        // How many heads of 1xx went before the fault depends on the pieces.
        outcome.consumed = 0
    }
    return outcome
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzSOCKS5(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzSOCKS5 {
    static func main() {
        unsafe runFuzzer(fuzzSOCKS5)
    }
}
