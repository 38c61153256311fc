/// Reads a time as RFC 3339 has it, in microseconds since 1970-01-01T00:00:00Z; nil where it is none.
///
/// `2026-11-21T10:15:04Z`, with a fraction of a second, or with an offset from UTC in the place of `Z`; also the day alone,
/// for its beginning in UTC. What is finer than a microsecond is left out.
package func microseconds(rfc3339 text: String) -> Int64? {
    var reader = TimeReader(rest: Array(text.utf8)[...])
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
        let day = reader.number(2), let days = daysSince1970(year, month, day)
    else { return nil }
    let midnight = days * 86_400_000_000
    if reader.rest.isEmpty { return midnight }
    guard reader.take("T") || reader.take("t") || reader.take(" "), let hour = reader.number(2), hour < 24,
        reader.take(":"), let minute = reader.number(2), minute < 60, reader.take(":"),
        // A leap second counts as the one before it.
        let second = reader.number(2), second <= 60, let fraction = reader.fraction(), let offset = reader.offset(),
        reader.rest.isEmpty
    else { return nil }
    let seconds = hour * 3600 + minute * 60 + min(second, 59) - offset
    return midnight + seconds * 1_000_000 + fraction
}

private struct TimeReader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(truncatingIfNeeded: character.value) else { return false }
        rest.removeFirst()
        return true
    }

    /// Exactly so many digits.
    mutating func number(_ width: Int) -> Int64? {
        let digits = rest.prefix(width)
        guard digits.count == width, digits.allSatisfy(\.isDigit) else { return nil }
        rest = rest.dropFirst(width)
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// What stands behind a point, in microseconds.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        let digits = rest.prefix { $0.isDigit }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        let padded = digits.prefix(6) + [UInt8](repeating: UInt8(ascii: "0"), count: 6 - min(6, digits.count))
        return padded.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// The offset from UTC, in seconds.
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let sign: Int64 = take("-") ? -1 : 1
        guard sign < 0 || take("+"), let hours = number(2), hours < 24, take(":"), let minutes = number(2), minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

/// The days from 1970-01-01 to a day of the Gregorian calendar; nil where there is no such day.
private func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...9999).contains(year), (1...12).contains(month), (1...lengths[Int(month) - 1]).contains(day) else {
        return nil
    }
    // Years that begin in March, as in `CivilDate`.
    let marchYear = month <= 2 ? year - 1 : year
    let monthFromMarch = (month + 9) % 12
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    return 365 * marchYear + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
}
