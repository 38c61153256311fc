extension [UInt8] {
    /// Appends a time as RFC 3339 has it, in UTC with microseconds: `2026-11-21T10:15:04.123456Z`.
    ///
    /// `microseconds` count from 1970-01-01T00:00:00Z. The year has four digits: a time outside of the years 1 to 9999,
    /// which only a broken clock gives, is written as the nearest inside.
    package mutating func append(timestamp microseconds: Int64) {
        let time = Swift.min(Swift.max(microseconds, earliestTime), latestTime)
        let seconds = time.floorDivided(by: 1_000_000)
        let days = seconds.floorDivided(by: 86_400)
        let date = CivilDate(daysSince1970: days)
        let secondOfDay = UInt64(seconds - days * 86_400)
        append(decimal: UInt64(date.year), width: 4)
        append(UInt8(ascii: "-"))
        append(decimal: UInt64(date.month), width: 2)
        append(UInt8(ascii: "-"))
        append(decimal: UInt64(date.day), width: 2)
        append(UInt8(ascii: "T"))
        append(decimal: secondOfDay / 3600, width: 2)
        append(UInt8(ascii: ":"))
        append(decimal: secondOfDay / 60 % 60, width: 2)
        append(UInt8(ascii: ":"))
        append(decimal: secondOfDay % 60, width: 2)
        append(UInt8(ascii: "."))
        append(decimal: UInt64(time - seconds * 1_000_000), width: 6)
        append(UInt8(ascii: "Z"))
    }
}

extension [UInt8] {
    /// Appends a time in UTC as file names have it: `20261121T101504Z`.
    mutating func append(compactTime seconds: Int64) {
        var whole: [UInt8] = []
        whole.append(timestamp: seconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
        self += whole[..<19].filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }
        append(UInt8(ascii: "Z"))
    }
}

extension Int64 {
    /// Reads what `append(compactTime:)` writes, in seconds since 1970-01-01T00:00:00Z.
    init?(compactTime text: Substring.UTF8View.SubSequence) {
        let bytes = Array(text)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        self.init(year: bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[9..<11], bytes[11..<13], bytes[13..<15])
    }

    /// Reads the seconds of what `append(timestamp:)` writes, since 1970-01-01T00:00:00Z.
    init?(timestamp bytes: borrowing Span<UInt8>) {
        guard bytes.count == timestampLength else { return nil }
        var text: [UInt8] = []
        for index in bytes.indices { text.append(bytes[index]) }
        self.init(year: text[0..<4], text[5..<7], text[8..<10], text[11..<13], text[14..<16], text[17..<19])
    }

    private init?(
        year: ArraySlice<UInt8>,
        _ month: ArraySlice<UInt8>,
        _ day: ArraySlice<UInt8>,
        _ hour: ArraySlice<UInt8>,
        _ minute: ArraySlice<UInt8>,
        _ second: ArraySlice<UInt8>
    ) {
        guard let year = Int64(decimal: year), let month = Int64(decimal: month), let day = Int64(decimal: day),
            let hour = Int64(decimal: hour), let minute = Int64(decimal: minute), let second = Int64(decimal: second),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        self = CivilDate.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private init?(decimal digits: ArraySlice<UInt8>) {
        self = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            self = self * 10 + Int64(digit - UInt8(ascii: "0"))
        }
    }
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z.
private let earliestTime: Int64 = -62_135_596_800_000_000
private let latestTime: Int64 = 253_402_300_799_999_999

/// A day of the Gregorian calendar, reckoned backwards too.
private struct CivilDate {
    let year: Int64
    let month: Int64
    let day: Int64

    /// Counts in years that begin in March, so that the leap day is the last of its year, and in cycles of 400 years.
    init(daysSince1970 days: Int64) {
        let daysSinceYearZero = days + 719_468  // from 0000-03-01
        let cycle = daysSinceYearZero.floorDivided(by: 146_097)
        let dayOfCycle = daysSinceYearZero - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        // March to July and August to December have 153 days each: five months of 31, 30, 31, 30, 31.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    }

    /// The days from 1970-01-01 to a date.
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let cycle = year.floorDivided(by: 400)
        let yearOfCycle = year - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    /// Divides and rounds down, below zero too.
    ///
    /// `divisor` is positive.
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
