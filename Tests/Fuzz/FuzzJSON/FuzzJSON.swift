import WireFormats

// Build and run as FuzzOpening says, with this one's name.
// A crash file goes, once understood, into Regressions with a test of its own.

/// The driver of libFuzzer; an executable of the package has its own entry, so it is called by name.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// A value as JSON in one form of many, so that reading it again must give the same.
private func write(_ value: JSONValue, into text: inout [UInt8]) {
    switch value.kind {
    case .null, .boolean, .number: text += value.source
    case .string: write(value.text ?? "?", into: &text)
    case .array:
        text.append(UInt8(ascii: "["))
        for (index, element) in value.elements.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            write(element, into: &text)
        }
        text.append(UInt8(ascii: "]"))
    case .object:
        text.append(UInt8(ascii: "{"))
        for (index, member) in value.members.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            precondition(value.range.contains(member.name.range.lowerBound), "a name stands outside of its object")
            precondition(member.name.range.upperBound < member.value.range.lowerBound, "a value stands before its name")
            precondition(member.value.range.upperBound < value.range.upperBound, "a value reaches out of its object")
            write(member.name, into: &text)
            text.append(UInt8(ascii: ":"))
            write(member.value, into: &text)
        }
        text.append(UInt8(ascii: "}"))
    }
}

/// Every scalar as an escape: what is read back has come another way.
private func write(_ string: String, into text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for unit in string.utf16 {
        let digits = String(unit, radix: 16)
        text += "\\u".utf8
        text += String(repeating: "0", count: 4 - digits.count).utf8
        text += digits.utf8
    }
    text.append(UInt8(ascii: "\""))
}

/// Checks that what is accepted comes back the same, and that no other limit or end changes what was found.
private func check(_ bytes: [UInt8]) {
    let limits = JSONLimits(bytes: 1 << 16, depth: 64, values: 4096)
    guard let document = read(bytes, limits) else { return }
    var once: [UInt8] = []
    write(document.root, into: &once)
    let wide = JSONLimits(bytes: 1 << 20, depth: 64, values: 4096)
    guard let again = read(once, wide) else { preconditionFailure("what was read cannot be read again") }
    var twice: [UInt8] = []
    write(again.root, into: &twice)
    precondition(once == twice, "what was read twice differs")
    switch document.root.kind {
    case .object, .array, .string:
        // What stands in brackets or quotes has no beginning that is a text.
        let cut = Array(bytes[..<(document.root.range.upperBound - 1)])
        precondition(read(cut, limits) == nil, "a beginning is a text")
    case .number, .boolean, .null: break
    }
}

private func read(_ bytes: [UInt8], _ limits: JSONLimits) -> JSONDocument? {
    do throws(JSONViolation) {
        return try JSONDocument(bytes, limits: limits)
    } catch {
        precondition((0...bytes.count).contains(error.offset), "the place of a fault is outside of the text")
        return nil
    }
}

/// What the driver calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@main
private enum FuzzJSON {
    static func main() {
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        unsafe _ = runDriver(&count, &arguments, fuzzJSON)
    }
}
