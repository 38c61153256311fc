import Testing
import WireFormats

/// One side of a dialogue with octets, as tests look at both of SOCKS 5 and at CONNECT.
protocol Dialogue {
    associatedtype End: Equatable
    associatedtype Violation: Error & Equatable

    mutating func hear(_ bytes: Span<UInt8>) throws(Violation) -> (consumed: Int, turn: DialogueTurn<End>)
}

/// What a side does next.
enum DialogueTurn<End> {
    case needMore
    case send([UInt8])
    case over(End)
}

/// What a dialogue came to: all that was sent, its end, and what was left for the tunnel.
struct DialogueOutcome<End: Equatable, Violation: Equatable>: Equatable {
    var sent: [[UInt8]] = []
    var end: End?
    var left: [UInt8] = []
    var violation: Violation?
}

extension Dialogue {
    /// The outcome of what the peer says, after it was found to be that of every way in which it can be cut.
    func outcome(of said: [UInt8]) -> DialogueOutcome<End, Violation> {
        let whole = outcome(of: said, ends: [])
        for ends in splits(said.count) {
            let cut = outcome(of: said, ends: ends)
            #expect(cut == whole, "cut at \(ends)")
        }
        return whole
    }

    /// The outcome of what comes in pieces that end at `ends`, and then whole.
    private func outcome(of said: [UInt8], ends: [Int]) -> DialogueOutcome<End, Violation> {
        var side = self
        var outcome = DialogueOutcome<End, Violation>()
        var start = 0
        do throws(Violation) {
            for end in ends + [said.count] {
                reading: while true {
                    let (consumed, turn) = try side.hear(said.span.extracting(start..<end))
                    start += consumed
                    switch turn {
                    case .send(let octets): outcome.sent.append(octets)
                    case .needMore: break reading
                    case .over(let end):
                        outcome.end = end
                        outcome.left = Array(said[start...])
                        return outcome
                    }
                }
            }
        } catch {
            outcome.violation = error
        }
        return outcome
    }
}

extension ProxyDialogue: Dialogue {
    mutating func hear(
        _ bytes: Span<UInt8>
    ) throws(ProxyDialogueViolation) -> (consumed: Int, turn: DialogueTurn<ProxyDialogueStep.Next>) {
        let step = try read(bytes)
        return switch step.next {
        case .needMore: (step.consumed, .needMore)
        case .send(let octets): (step.consumed, .send(octets))
        case .open, .refused: (step.consumed, .over(step.next))
        }
    }
}

extension SOCKS5Answering: Dialogue {
    mutating func hear(
        _ bytes: Span<UInt8>
    ) throws(SOCKS5Violation) -> (consumed: Int, turn: DialogueTurn<SOCKS5AnsweringStep.Next>) {
        let step = try read(bytes)
        return switch step.next {
        case .needMore: (step.consumed, .needMore)
        case .send(let octets): (step.consumed, .send(octets))
        case .request, .noMethod: (step.consumed, .over(step.next))
        }
    }
}
