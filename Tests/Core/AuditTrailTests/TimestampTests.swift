import AuditTrail
import Foundation
import Testing

@Suite struct TimestampTests {
    @Test(
        "a time is written as RFC 3339 has it",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (951_868_800_000_000, "2000-03-01T00:00:00.000000Z"),
            (1_709_164_799_999_999, "2024-02-28T23:59:59.999999Z"),
            (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
            (1_735_689_599_000_001, "2024-12-31T23:59:59.000001Z"),
            (1_795_256_104_123_456, "2026-11-21T10:15:04.123456Z"),
            (4_107_542_399_000_000, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (253_402_300_800_000_000, "9999-12-31T23:59:59.999999Z"),
            (Int64.max, "9999-12-31T23:59:59.999999Z"),
            (Int64.min, "0001-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)]
    )
    func known(microseconds: Int64, expected: String) {
        #expect(text(microseconds) == expected)
    }

    @Test("every day from 1600 to 2500 is the one that the calendar has")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: -135_140, to: 193_700, by: 1) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let expected = [parts.year, parts.month, parts.day].map { $0 ?? 0 }
            let found = text(Int64(day) * 86_400_000_000).prefix(10).split(separator: "-").map { Int($0) ?? -1 }
            guard found == expected else {
                Issue.record("day \(day): \(found), not \(expected)")
                return
            }
        }
    }

    private func text(_ microseconds: Int64) -> String {
        var bytes: [UInt8] = []
        bytes.append(timestamp: microseconds)
        return String(decoding: bytes, as: UTF8.self)
    }
}
