import SourceDocuments

extension TimeWindow {
    /// Reads an item of `time`.
    static func read(_ reader: inout MappingReader) -> TimeWindow? {
        let days = reader.list("days", of: "days", readDays)
        let from = reader.value("from") { node, subject throws(SourceProblem) in
            try readClock(node, subject, upTo: 1439)
        }
        let to = reader.value("to") { node, subject throws(SourceProblem) in try readClock(node, subject, upTo: 1440) }
        let zone = reader.value("zone", .optional, readZone)
        reader.refuseEmpty("time", wouldMatch: "at every moment", remedy: "name `days`, `from` or `to`")
        if reader.keys == ["zone"] {
            reader.refuse("zone", "alone would match at every moment", remedy: "name `days`, `from` or `to` beside it")
        }
        if let to, to == from ?? 0 {
            reader.note(
                SourceProblem(
                    "the window ends when it begins",
                    at: reader.location(of: "to"),
                    remedy: "leave `from` and `to` out for whole days"
                )
            )
        }
        return TimeWindow(
            days: days.map { Set($0.joined()) } ?? Set(Weekday.allCases),
            from: from ?? 0,
            to: to ?? 1440,
            zone: zone ?? 0
        )
    }
}

/// Reads an item of `days`: `mon`, or `mon-fri`.
private func readDays(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> [Weekday] {
    let expected = "a day such as mon, or several such as mon-fri"
    let text = try node.string(subject, expected: expected)
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Weekday(rawValue: String($0)) }
    guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), ends.count <= 2 else {
        let words = Weekday.allCases.map(\.rawValue)
        let near = nearest(to: text, among: words) ?? words.first { text.lowercased().hasPrefix($0) }
        throw SourceProblem(
            "\(subject) is `\(printable(text))`, expected \(expected)",
            at: node.location,
            remedy: near.map { "did you mean `\($0)`?" }
        )
    }
    var days = [first]
    while let day = days.last, day != last { days.append(day.next) }
    return days
}

extension Weekday {
    fileprivate var next: Weekday {
        let days = Weekday.allCases
        return days.firstIndex(of: self).map { days[($0 + 1) % days.count] } ?? self
    }
}

/// Reads a time of the day, as minutes after midnight.
private func readClock(_ node: SourceNode, _ subject: String, upTo last: Int) throws(SourceProblem) -> Int {
    let expected = "a time such as 09:00"
    let text = try node.string(subject, expected: expected)
    guard let minutes = clockMinutes(text[...]), minutes <= last else {
        throw SourceProblem(
            "\(subject) is `\(printable(text))`, expected \(expected)",
            at: node.location,
            remedy: "write two digits each, 00:00 to \(last == 1440 ? "24:00" : "23:59")"
        )
    }
    return minutes
}

/// `HH:MM` with two digits each.
private func clockMinutes(_ text: Substring) -> Int? {
    let octets = Array(text.utf8)
    guard octets.count == 5, octets[2] == UInt8(ascii: ":") else { return nil }
    let digits = [0, 1, 3, 4].map { Int(octets[$0]) - 0x30 }
    let areDigits = digits.allSatisfy { (0...9).contains($0) }
    guard areDigits, digits[2] < 6 else { return nil }
    let minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]
    return minutes <= 1440 ? minutes : nil
}

/// Reads an offset from UTC, as minutes.
private func readZone(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> Int {
    let expected = "an offset from UTC such as +01:00"
    let text = try node.string(subject, expected: expected)
    if text == "UTC" || text == "Z" { return 0 }
    guard let sign = text.first, sign == "+" || sign == "-", let minutes = clockMinutes(text.dropFirst()),
        minutes <= 14 * 60
    else {
        throw SourceProblem(
            "\(subject) is `\(printable(text))`, expected \(expected)",
            at: node.location,
            remedy: "write `Z`, or hours and minutes from -14:00 to +14:00; names of zones are not known here"
        )
    }
    return sign == "-" ? -minutes : minutes
}
