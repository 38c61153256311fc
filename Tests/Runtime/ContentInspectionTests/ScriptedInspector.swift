import ContentInspection
import PolicyEngine
import WireFormats

/// An inspector that keeps what it sees, and answers what it is told to where it sees certain words.
final class ScriptedInspector: Inspector {
    var needsWholeMessages = false
    var wantsEvents = false
    /// Messages, in order; the last may not have ended.
    private(set) var messages: [String] = []
    private(set) var kinds: [InspectedMessage.Kind] = []
    private(set) var largest = 0
    private var isInside = false
    private var isHolding = false

    init(wholeMessages: Bool = false, events: Bool = false) {
        needsWholeMessages = wholeMessages
        wantsEvents = events
    }

    func inspect(
        _ octets: borrowing Span<UInt8>,
        of message: InspectedMessage,
        _ findings: inout Findings
    ) -> InspectionVerdict {
        begin(message)
        largest = max(largest, octets.count)
        var text: [UInt8] = []
        for index in octets.indices { text.append(octets[index]) }
        messages[messages.count - 1] += String(decoding: text, as: UTF8.self)
        return verdict(&findings)
    }

    func inspectEnd(of message: InspectedMessage, _ findings: inout Findings) -> InspectionVerdict {
        begin(message)
        isInside = false
        return verdict(&findings)
    }

    private func begin(_ message: InspectedMessage) {
        guard !isInside else { return }
        isInside = true
        messages.append("")
        kinds.append(message.kind)
    }

    private func verdict(_ findings: inout Findings) -> InspectionVerdict {
        let said = (messages.last ?? "").suffix(64)
        if said.contains("secret") { return .deny(Self.denial) }
        if said.contains("odd") { findings.note("odd") }
        if said.contains("hold") { isHolding = true }
        if said.contains("go") { isHolding = false }
        if said.hasSuffix("sec") { return .hold(last: 3) }
        return isHolding ? .hold : .release
    }

    static let denial = Denial(.ruleDeny, rule: RuleName("scripted"), detail: "secret")
}

extension PassageInspection {
    /// Shows octets.
    func see(_ octets: [UInt8]) -> Passage { see(octets.span) }
}

extension BodyInspection {
    /// Shows text in pieces, then the end; what each came to.
    func see(_ pieces: String...) -> [Passage] {
        pieces.map { see(Array($0.utf8)) }
    }
}

/// The fields of a message.
func fields(_ lines: [String]) throws -> HTTP1FieldSection {
    let text = "GET / HTTP/1.1\r\nHost: a.example\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    var reader = HTTP1RequestReader(limits: HTTP1Limits())
    guard let request = try reader.read(Array(text.utf8).span) else { throw NoHead() }
    return request.fields
}

/// A head that is none.
struct NoHead: Error {}
