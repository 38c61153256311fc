import AuditTrail

/// `2026-11-21T10:15:04Z`, of seconds since 1970-01-01T00:00:00Z.
package func timeText(_ seconds: Int64) -> String {
    var text: [UInt8] = []
    let (microseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    text.append(timestamp: overflow ? .max : microseconds)
    return String(decoding: text.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "Z") }, as: UTF8.self) + "Z"
}
