/// Bytes as people read them, in powers of 1000: `999 B`, `1.2 kB`, `34 MB`.
func byteText(_ bytes: UInt64) -> String { scaled(bytes, ["B", "kB", "MB", "GB", "TB", "PB", "EB"]) }

/// A number of things: `999`, `1.2 k`, `34 M`.
func countText(_ number: UInt64) -> String {
    number < 10_000 ? "\(number)" : scaled(number, ["", "k", "M", "G", "T", "P", "E"])
}

/// A time span: `12 ms`, `3.4 s`, `5 min`, `2.5 h`.
func spanText(milliseconds: UInt64) -> String {
    switch milliseconds {
    case ..<1000: "\(milliseconds) ms"
    case ..<120_000: "\(tenths(Double(milliseconds) / 1000)) s"
    case ..<7_200_000: "\(milliseconds / 60_000) min"
    default: "\(tenths(Double(milliseconds) / 3_600_000)) h"
    }
}

private func scaled(_ value: UInt64, _ units: [String]) -> String {
    var rest = Double(value)
    var unit = 0
    // What would be rounded up to 1000 goes on to the next unit.
    while rest >= 999.5, unit + 1 < units.count {
        rest /= 1000
        unit += 1
    }
    return unit == 0 ? (units[0].isEmpty ? "\(value)" : "\(value) \(units[0])") : "\(tenths(rest)) \(units[unit])"
}

/// One place behind the point below ten, none above.
private func tenths(_ value: Double) -> String {
    guard value < 9.95 else { return "\(Int(value.rounded()))" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
