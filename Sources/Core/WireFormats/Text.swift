/// ASCII bytes as a string; whoever calls has looked at every byte, so nothing is ever left out.
func text(of bytes: Span<UInt8>) -> String {
    guard let characters = try? UTF8Span(validating: bytes) else { return "" }
    return String(copying: characters)
}
