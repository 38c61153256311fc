import AgentProtocols
import FuzzDriver
import WireFormats

// Build and run as FuzzOpening says, with this one's name.

/// A head for a body, by its length: revisions, and headers that a body may agree with.
private func head(_ count: Int) -> MCPHead {
    let versions: [String?] = [nil, "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
    var head = MCPHead(contentTypes: count.isMultiple(of: 2) ? [Array("application/json".utf8)] : [])
    if let version = versions[count % versions.count] { head.versions = [Array(version.utf8)] }
    if count.isMultiple(of: 7) { head.methods = [Array("tools/call".utf8)] }
    if count.isMultiple(of: 5) { head.names = [Array("read_file".utf8)] }
    return head
}

/// Checks that a body is read alike each time, within its limits, and can be answered in JSON.
private func check(_ bytes: [UInt8]) {
    let limits = MCPLimits(
        json: JSONLimits(bytes: 1 << 16, depth: 32, values: 2048),
        calls: 4,
        idBytes: 32,
        nameBytes: 64
    )
    let reader = MCPReader(limits: limits)
    let head = head(bytes.count)
    let refusal = MCPAnswer.Refusal(decision: nil, rule: nil, reason: "rule_deny")
    do throws(MCPViolation) {
        let message = try reader.read(bytes, of: head)
        precondition((try? reader.read(bytes, of: head)) == message, "read twice it is another")
        guard let message else { return }
        precondition((1...limits.calls).contains(message.calls.count), "too many messages, or none")
        precondition(message.isBatch || message.calls.count == 1, "several messages are no batch")
        for call in message.calls {
            precondition((call.tool != nil) == (call.method == "tools/call"), "a tool without its method")
            precondition((call.tool ?? "x").utf8.count <= limits.nameBytes, "a name is too long")
            precondition((call.id ?? []).count <= limits.idBytes, "an identifier is too long")
        }
        let answer = MCPAnswer(refusing: message, refusal)
        precondition((answer == nil) == message.calls.allSatisfy { $0.id == nil }, "an answer to nothing, or none")
        if let answer { checkJSON(answer.body) }
    } catch {
        checkJSON(MCPAnswer(refusing: error, refusal).body)
    }
}

private func checkJSON(_ text: [UInt8]) {
    let limits = JSONLimits(bytes: 1 << 20, depth: 64, values: 4096)
    precondition((try? JSONDocument(text, limits: limits)) != nil, "an answer is no JSON")
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzMCP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzMCP {
    static func main() {
        unsafe runFuzzer(fuzzMCP)
    }
}
