import FuzzDriver
import WireFormats

/// Checks that what is written is what was read, by reading it again.
///
/// The first octet says which direction, and how it is forwarded.
private func check(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let message = Array(bytes.dropFirst())
    if first & 1 == 0 {
        checkRequest(message, HTTP1RequestForwarding(closes: first & 2 != 0, upgrades: first & 4 != 0))
    } else {
        let kinds: [HTTP1Answering.Method] = [.other, .head, .connect, .other]
        let answering = HTTP1Answering(method: kinds[Int(first >> 1 & 3)], upgradeNames: ["websocket"])
        let forwarding = HTTP1ResponseForwarding(requestMinorVersion: first & 8 == 0 ? 1 : 0, closes: first & 16 != 0)
        checkResponse(message, answering, forwarding)
    }
}

/// What is written may be longer than what was read, by blanks and by the fields that each head has anew.
private let limitsOfWritten: HTTP1Limits = {
    var limits = HTTP1Limits()
    limits.fields += 8
    limits.headBytes += 1024
    limits.startLineBytes += 1024
    return limits
}()

private func checkRequest(_ bytes: [UInt8], _ forwarding: HTTP1RequestForwarding) {
    var reader = HTTP1RequestReader()
    guard let request = try? reader.read(bytes.span) else { return }
    // A request that names nobody has no Host that we would read again.
    guard request.host != .absent else { return }
    var sent: [UInt8] = []
    request.append(to: &sent, forwarding: forwarding)
    var second = HTTP1RequestReader(limits: limitsOfWritten)
    guard let again = try? second.read(sent.span) else { preconditionFailure("what was written is refused") }
    precondition(again.headBytes == sent.count, "there is more than a head")
    precondition(again.method == request.method, "another method")
    precondition(again.path == request.path && again.query == request.query, "another target")
    precondition(again.host == request.host && again.minorVersion == 1, "another host")
    precondition(again.framing == request.framing, "another framing")
    precondition(again.expectsContinue == request.expectsContinue, "another expectation")
    precondition(again.keepsAlive == !(forwarding.closes && !again.asksUpgrade), "another persistence")
    precondition(again.asksUpgrade == (request.asksUpgrade && forwarding.upgrades), "another upgrade")
    precondition(!again.asksUpgrade || again.upgradeNames == request.upgradeNames, "other protocols")
    compare(request.fields, again.fields)
    compareBody(bytes, from: request.headBytes, request.framing)
}

private func checkResponse(_ bytes: [UInt8], _ answering: HTTP1Answering, _ forwarding: HTTP1ResponseForwarding) {
    var reader = HTTP1ResponseReader()
    guard let response = try? reader.read(bytes.span, answering: answering) else { return }
    var sent: [UInt8] = []
    response.append(to: &sent, forwarding: forwarding)
    var second = HTTP1ResponseReader(limits: limitsOfWritten)
    guard let again = try? second.read(sent.span, answering: answering) else {
        preconditionFailure("what was written is refused")
    }
    precondition(again.headBytes == sent.count, "there is more than a head")
    precondition(again.status == response.status && again.reason == response.reason, "another status")
    precondition(again.framing == response.forwardedFraming(forwarding), "another framing")
    precondition(again.isSwitch == response.isSwitch, "another change of protocol")
    if forwarding.closes, response.status >= 200 { precondition(!again.keepsAlive, "it does not close") }
    precondition(again.fields.values(of: "alt-svc").isEmpty, "an alternative service goes on")
    compare(response.fields, again.fields)
    compareBody(bytes, from: response.headBytes, response.framing)
}

/// The forwarded lines, by name and value, but for those that a head has anew.
private func forwarded(_ section: HTTP1FieldSection) -> [[ArraySlice<UInt8>]] {
    section.lines.compactMap { line in
        guard line.isForwarded, line.known != .host, line.known != .contentLength else { return nil }
        return [section.bytes[line.name], section.bytes[line.value]]
    }
}

private func compare(_ one: HTTP1FieldSection, _ other: HTTP1FieldSection) {
    precondition(forwarded(one) == forwarded(other), "other fields")
}

/// Reads a body, writes it in our own framing, and reads that.
private func compareBody(_ bytes: [UInt8], from start: Int, _ framing: HTTP1Framing) {
    guard framing == .chunked, let (payload, trailers, sent) = rewrite(Array(bytes[start...])) else { return }
    guard let (other, others, _) = rewrite(sent) else { preconditionFailure("the body that was written is refused") }
    precondition(payload == other, "other payload")
    precondition((trailers.map(forwarded) ?? []) == (others.map(forwarded) ?? []), "other trailers")
}

private func rewrite(_ bytes: [UInt8]) -> (payload: [UInt8], trailers: HTTP1FieldSection?, sent: [UInt8])? {
    var body = HTTP1BodyReader(.chunked)
    var payload: [UInt8] = []
    var sent: [UInt8] = []
    var read = 0
    while !body.isComplete {
        guard read < bytes.count, let step = try? body.read(bytes.span.extracting(read..<bytes.count)) else {
            return nil
        }
        let part = bytes[read + step.payload.lowerBound..<read + step.payload.upperBound]
        read += step.consumed
        guard !part.isEmpty else { continue }
        payload += part
        HTTP1ChunkWriting.appendStart(of: part.count, to: &sent)
        sent += part
        HTTP1ChunkWriting.appendEnd(to: &sent)
    }
    HTTP1ChunkWriting.appendLast(trailers: body.trailers, to: &sent)
    return (payload, body.trailers, sent)
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzRoundTrip(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzRoundTrip {
    static func main() {
        unsafe runFuzzer(fuzzRoundTrip)
    }
}
