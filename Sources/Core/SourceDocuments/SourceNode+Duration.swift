extension SourceNode {
    /// Reads a duration: a whole number with its unit, `300ms`, `5s`, `10m` or `24h`.
    package func duration(_ subject: String, in bounds: ClosedRange<Duration>) throws(SourceProblem) -> Duration {
        let expected = "a duration such as 300ms, 5s, 10m or 24h"
        guard case .string(let text) = content else {
            var problem = mistyped(subject, expected: expected)
            if case .integer(let number) = content { problem.remedy = "write the unit: `\(number)s` for seconds" }
            throw problem
        }
        guard let duration = parseDuration(text) else {
            throw SourceProblem("\(subject) is `\(text)`, expected \(expected)", at: location)
        }
        guard bounds.contains(duration) else {
            throw SourceProblem(
                "\(subject) is `\(text)`, expected \(durationText(bounds.lowerBound)) to \(durationText(bounds.upperBound))",
                at: location
            )
        }
        return duration
    }
}

private func parseDuration(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits) else { return nil }
    let milliseconds: Int64
    switch text[digits.endIndex...] {
    case "ms": milliseconds = 1
    case "s": milliseconds = 1000
    case "m": milliseconds = 60_000
    case "h": milliseconds = 3_600_000
    default: return nil
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: milliseconds)
    return overflow ? nil : .milliseconds(product)
}

/// The largest unit that says it exactly.
private func durationText(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard attoseconds == 0 else {
        return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
    }
    if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
    return "\(seconds)s"
}
