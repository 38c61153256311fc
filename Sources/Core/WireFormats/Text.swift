/// ASCII bytes as a string; empty where they are no UTF-8, which whoever calls has excluded or looks for.
func text(of bytes: Span<UInt8>) -> String {
    guard let characters = try? UTF8Span(validating: bytes) else { return "" }
    return String(copying: characters)
}
